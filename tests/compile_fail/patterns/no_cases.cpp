// expect: a dispatcher has no cases
#include <leveret/dispatch.hpp>

leveret::dispatch<> wrong;
