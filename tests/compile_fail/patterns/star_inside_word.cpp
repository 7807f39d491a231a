// expect: a word of a topic pattern has * inside
#include <leveret/routing/topic_pattern.hpp>

bool use(std::string_view key)
{
    return leveret::topic_pattern<"kern*.info">::matches(key);
}
