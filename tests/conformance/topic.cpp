// Patterns of topic exchanges.
#include "conformance/conformance.hpp"

#include <string>
#include <sstream>

using namespace leveret::test;

namespace {

/// Which of the keys, separated by blanks, reach a queue that is bound with `pattern`. "''" is the
/// empty key.
template <class Channel>
asio::awaitable<std::string> matching(Channel channel, std::string exchange, std::string pattern,
                                      std::string keys)
{
    const std::string queue = co_await bound_queue(channel, exchange, pattern);
    std::istringstream in(keys);
    for (std::string key; in >> key;) {
        const std::string real = key == "''" ? std::string() : key;
        co_await channel.publish(exchange, real, key);
    }
    const std::string matched = co_await drain(channel, queue);
    co_await channel.delete_queue(queue);
    co_return matched;
}

} // namespace

LEVERET_CONFORMANCE_CASE("topic: without signs, the whole key")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto matched =
        co_await matching(channel, "amq.topic", "qa.b.c", "qa.b.c qa.b qa.b.c.d qa.B.c qa.b.* q '' qa.b.#");
    CHECK(matched == "qa.b.c");
}

LEVERET_CONFORMANCE_CASE("topic: * is exactly one word")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "topic");
    auto matched = co_await matching(channel, x, "*", "a abc a.b '' . *");
    CHECK(matched == "a abc *"); // the empty key has no words
    matched = co_await matching(channel, x, "a.*", "a a.b a. a.b.c b.b a.*");
    CHECK(matched == "a.b a. a.*");
    matched = co_await matching(channel, x, "*.b.*", "a.b.c b .b. a.b a.b.c.d x.b.b a.c.b");
    CHECK(matched == "a.b.c .b. x.b.b");
    matched = co_await matching(channel, x, "*.*", "a a.b . a.b.c .b a.");
    CHECK(matched == "a.b . .b a.");
}

LEVERET_CONFORMANCE_CASE("topic: # is any number of words, none included")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "topic");
    auto matched = co_await matching(channel, x, "#", "a a.b '' . a..b");
    CHECK(matched == "a a.b '' . a..b");
    matched = co_await matching(channel, x, "a.#", "a a.b a.b.c b a. b.a ab");
    CHECK(matched == "a a.b a.b.c a.");
    matched = co_await matching(channel, x, "#.z", "z a.z a.b.z z.a zz .z a.z.z");
    CHECK(matched == "z a.z a.b.z .z a.z.z");
    matched = co_await matching(channel, x, "a.#.z", "a.z a.b.z a.b.c.z a az a.z.b z a..z a.z.z");
    CHECK(matched == "a.z a.b.z a.b.c.z a..z a.z.z");
}

LEVERET_CONFORMANCE_CASE("topic: # and * together")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "topic");
    auto matched = co_await matching(channel, x, "#.*", "'' a a.b a.b.c .");
    CHECK(matched == "a a.b a.b.c .");
    matched = co_await matching(channel, x, "*.#", "'' a a.b a.b.c");
    CHECK(matched == "a a.b a.b.c");
    matched = co_await matching(channel, x, "*.*.#", "'' a a.b a.b.c");
    CHECK(matched == "a.b a.b.c");
    matched = co_await matching(channel, x, "#.a.*.b.#", "a.x.b a.b a.a.b.b x.a.y.b.z a.x.y.b a.x.b.a.b");
    CHECK(matched == "a.x.b a.a.b.b x.a.y.b.z a.x.b.a.b");
    matched = co_await matching(channel, x, "#.#", "'' a a.b");
    CHECK(matched == "'' a a.b");
    matched = co_await matching(channel, x, "#.a.#", "a b.a a.b b.a.b b '' aa");
    CHECK(matched == "a b.a a.b b.a.b");
}

LEVERET_CONFORMANCE_CASE("topic: where # may end is tried in every way")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "topic");
    auto matched = co_await matching(channel, x, "#.a.b", "a.a.b a.b.a.b a.b a.b.a b.a.b a.b.b");
    CHECK(matched == "a.a.b a.b.a.b a.b b.a.b");
    matched = co_await matching(channel, x, "a.#.b.#.c", "a.b.c a.c.b a.b.b.c a.c.b.c a.x.b.y.c.z a.b.c.c");
    CHECK(matched == "a.b.c a.b.b.c a.c.b.c a.b.c.c");
    matched = co_await matching(channel, x, "#.a.#.a.#", "a a.a a.b.a b.a.b.a.b b.a.b");
    CHECK(matched == "a.a a.b.a b.a.b.a.b");
}

LEVERET_CONFORMANCE_CASE("topic: empty words are words, but an empty key has none")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "topic");
    auto matched = co_await matching(channel, x, "", "'' . a");
    CHECK(matched == "''");
    matched = co_await matching(channel, x, ".", "'' . .. a. a.b");
    CHECK(matched == ".");
    matched = co_await matching(channel, x, "a..b", "a..b a.b a.x.b a...b");
    CHECK(matched == "a..b");
    matched = co_await matching(channel, x, "a.*.b", "a..b a.b a.x.b a...b");
    CHECK(matched == "a..b a.x.b");
    matched = co_await matching(channel, x, "a.", "a a. a.. a.b");
    CHECK(matched == "a.");
}

LEVERET_CONFORMANCE_CASE("topic: # and * are signs only as a whole word")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "topic");
    auto matched = co_await matching(channel, x, "a*", "a ab a* a.b");
    CHECK(matched == "a*");
    matched = co_await matching(channel, x, "a.#b", "a a.b a.xb a.#b");
    CHECK(matched == "a.#b");
    matched = co_await matching(channel, x, "**", "a a.b ** *");
    CHECK(matched == "**");
    matched = co_await matching(channel, x, "##", "a a.b ## #");
    CHECK(matched == "##");
}

LEVERET_CONFORMANCE_CASE("topic: signs in a key are letters")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "topic");
    auto matched = co_await matching(channel, x, "a.b", "a.* a.# # a.b");
    CHECK(matched == "a.b");
    matched = co_await matching(channel, x, "a.*", "a.* a.# #");
    CHECK(matched == "a.* a.#");
}

LEVERET_CONFORMANCE_CASE("topic: several patterns of a queue bring a message once")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "topic");
    const auto queue = co_await bound_queue(channel, x, "a.#");
    for (const char* pattern : {"#", "a.*", "*.b", "a.b"})
        co_await channel.bind_queue(queue, x, pattern);
    co_await channel.publish(x, "a.b", "1");
    co_await channel.unbind_queue(queue, x, "#");
    co_await channel.publish(x, "b.b", "2");
    co_await channel.publish(x, "c.c", "3");
    co_await channel.unbind_queue(queue, x, "a.#");
    co_await channel.publish(x, "a.b.c", "4");
    co_await channel.publish(x, "a.b", "5");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "1 2 5");
}

LEVERET_CONFORMANCE_CASE("topic: unbinding one pattern leaves those that share its words")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "topic");
    const auto one = co_await bound_queue(channel, x, "a.b.c");
    const auto two = co_await bound_queue(channel, x, "a.b");
    const auto three = co_await bound_queue(channel, x, "a.b.*");
    co_await channel.unbind_queue(two, x, "a.b");
    co_await channel.publish(x, "a.b.c", "1");
    co_await channel.publish(x, "a.b", "2");
    co_await channel.unbind_queue(one, x, "a.b.c");
    co_await channel.publish(x, "a.b.c", "3");
    const auto at_one = co_await drain(channel, one);
    const auto at_two = co_await drain(channel, two);
    const auto at_three = co_await drain(channel, three);
    CHECK(at_one == "1");
    CHECK(at_two == "");
    CHECK(at_three == "1 3");
}

LEVERET_CONFORMANCE_CASE("topic: many words, and many patterns beside each other")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "topic");
    std::string longest = "w";
    for (int i = 0; i < 40; ++i)
        longest += ".w";
    const auto by_hash = co_await bound_queue(channel, x, "#.w.#.w.#");
    const auto by_all = co_await bound_queue(channel, x, longest);
    const auto by_numbers = co_await filled_queue(channel, 0);
    for (int i = 0; i < 200; ++i)
        co_await channel.bind_queue(by_numbers, x, "n." + std::to_string(i) + ".*", {.no_wait = true});
    co_await channel.publish(x, longest, "1");
    co_await channel.publish(x, longest + ".w", "2");
    co_await channel.publish(x, "n.137.x", "3");
    co_await channel.publish(x, "n.200.x", "4");
    const auto at_hash = co_await drain(channel, by_hash);
    const auto at_all = co_await drain(channel, by_all);
    const auto at_numbers = co_await drain(channel, by_numbers);
    CHECK(at_hash == "1 2");
    CHECK(at_all == "1");
    CHECK(at_numbers == "3");
}
