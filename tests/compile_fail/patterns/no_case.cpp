// expect: a dispatcher is made of cases
#include <leveret/dispatch.hpp>

leveret::dispatch<leveret::topic_pattern<"a">> wrong;
