// expect: a word of a topic pattern is empty
#include <leveret/routing/topic_pattern.hpp>

bool use(std::string_view key)
{
    return leveret::topic_pattern<"lazy.">::matches(key);
}
