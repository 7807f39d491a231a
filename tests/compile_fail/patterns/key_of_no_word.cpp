// expect: key
#include <leveret/routing/key.hpp>

leveret::key wrong{"stock", 3.5};
