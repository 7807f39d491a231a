// The routers' test counts allocations, too: one within route() that is freed there would grow nothing.
#include "transport/counted_malloc.cpp" // NOLINT: one definition for both programs
