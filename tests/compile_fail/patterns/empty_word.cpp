// expect: a word of a topic pattern is empty
#include <leveret/routing/topic_pattern.hpp>

static_assert(leveret::topic_pattern<"quick..rabbit">::wildcards == 0);
