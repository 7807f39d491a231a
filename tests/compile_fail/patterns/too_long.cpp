// 256 bytes: a short string of AMQP has 255.
// expect: a topic pattern has at most 255 bytes
#include <leveret/routing/topic_pattern.hpp>

// clang-format off
bool use(std::string_view key)
{
    return leveret::topic_pattern<
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef">::matches(key);
}
