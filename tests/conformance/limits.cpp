// Queues that are full: x-max-length, x-max-length-bytes, x-overflow.
#include "conformance/conformance.hpp"

#include <sstream>
#include <string>

using namespace leveret::test;

namespace {

/// Publishes each word, confirmed, and tells of each: y for taken, n for rejected, u for unroutable.
template <class Channel>
asio::awaitable<std::string> outcomes(Channel channel, std::string queue, std::string words)
{
    std::istringstream in(words);
    std::string told;
    for (std::string word; in >> word;) {
        const auto result = co_await channel.publish_confirmed("", queue, word);
        if (result.is_confirmed())
            told += 'y';
        else
            told += result.is_rejected() ? 'n' : 'u';
    }
    co_return told;
}

} // namespace

LEVERET_CONFORMANCE_CASE("x-max-length: the oldest are dropped")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .max_length = 2});
    const auto told = co_await outcomes(channel, queue, "1 2 3 4");
    CHECK(told == "yyyy");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "3 4");
}

LEVERET_CONFORMANCE_CASE("x-max-length: only what is ready counts")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .max_length = 2});
    co_await send(channel, "", queue, "1 2");
    auto held = co_await channel.get(queue);
    REQUIRE(held);
    const auto told = co_await outcomes(channel, queue, "3"); // 2 and 3 are ready, 1 is not
    CHECK(told == "y");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "2 3");
    held->ack();
}

LEVERET_CONFORMANCE_CASE("x-max-length: a message that comes back to a full queue is its oldest, and dropped")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .max_length = 2});
    co_await send(channel, "", queue, "1 2");
    auto held = co_await channel.get(queue);
    REQUIRE(held);
    co_await send(channel, "", queue, "3");
    held->nack();
    const auto got = co_await drain(channel, queue);
    CHECK(got == "2 3");
}

LEVERET_CONFORMANCE_CASE("x-max-length 0: the message that comes goes, unless somebody waits for it")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .max_length = 0});
    const auto told = co_await outcomes(channel, queue, "1");
    CHECK(told == "y");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "");
    auto consumer = co_await channel.consume(queue);
    co_await send(channel, "", queue, "2");
    const auto came = co_await receive(consumer, 1);
    CHECK(came == "2");
}

LEVERET_CONFORMANCE_CASE("x-max-length-bytes: bodies count")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .max_length_bytes = 5});
    co_await send(channel, "", queue, "aa bb c");
    const bool all = co_await holds(channel, queue, 3);
    CHECK(all); // exactly full
    co_await channel.publish("", queue, ""); // weighs nothing
    const bool four = co_await holds(channel, queue, 4);
    CHECK(four);
    co_await send(channel, "", queue, "d");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "bb c  d");
    co_await send(channel, "", queue, "toolarge");
    const auto nothing = co_await drain(channel, queue);
    CHECK(nothing == "");
}

LEVERET_CONFORMANCE_CASE("x-max-length and -bytes together: the tighter one")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue,
                                   {.exclusive = true, .max_length = 3, .max_length_bytes = 4});
    co_await send(channel, "", queue, "a b c d");
    const auto by_length = co_await drain(channel, queue);
    CHECK(by_length == "b c d");
    co_await send(channel, "", queue, "aa bb cc");
    const auto by_bytes = co_await drain(channel, queue);
    CHECK(by_bytes == "bb cc");
}

LEVERET_CONFORMANCE_CASE("x-overflow reject-publish: the newest is refused until there is room")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(
        queue,
        {.exclusive = true, .max_length = 2, .overflow = lv::overflow::reject_publish});
    const auto told = co_await outcomes(channel, queue, "1 2 3 4");
    CHECK(told == "yynn");
    auto first = co_await channel.get(queue);
    REQUIRE(first);
    CHECK(first->ack());
    const auto again = co_await outcomes(channel, queue, "5 6");
    CHECK(again == "yn");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "2 5");
}

LEVERET_CONFORMANCE_CASE("x-overflow reject-publish: without confirms the message is dropped in silence")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(
        queue,
        {.exclusive = true, .max_length_bytes = 3, .overflow = lv::overflow::reject_publish});
    co_await send(channel, "", queue, "aa bb c dd"); // what would be too much with it, not after it
    const auto got = co_await drain(channel, queue);
    CHECK(got == "aa c");
    CHECK(channel.is_open());
}

LEVERET_CONFORMANCE_CASE("x-overflow reject-publish: one full queue of two is a rejection; the other has it")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "fanout");
    const auto full = t.name("full");
    co_await channel.declare_queue(
        full, {.exclusive = true, .max_length = 1, .overflow = lv::overflow::reject_publish});
    co_await channel.bind_queue(full, x);
    const auto roomy = co_await bound_queue(channel, x, "");
    const auto first = co_await channel.publish_confirmed(x, "", "1");
    CHECK(first.is_confirmed());
    const auto second = co_await channel.publish_confirmed(x, "", "2");
    CHECK(second.is_rejected());
    const auto at_full = co_await drain(channel, full);
    const auto at_roomy = co_await drain(channel, roomy);
    CHECK(at_full == "1");
    CHECK(at_roomy == "1 2");
}

LEVERET_CONFORMANCE_CASE("x-overflow reject-publish-dlx: what is refused is dead-lettered and rejected")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true,
                                           .max_length = 1,
                                           .overflow = lv::overflow::reject_publish_dlx,
                                           .dead_letter_exchange = "",
                                           .dead_letter_routing_key = dead});
    const auto told = co_await outcomes(channel, queue, "1 2 3");
    CHECK(told == "ynn");
    const auto letters = co_await arrivals(channel, dead, 2);
    CHECK(letters == "2 3");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "1");
}

LEVERET_CONFORMANCE_CASE("x-overflow drop-head: what is dropped is dead-lettered in order, for maxlen")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true,
                                           .max_length = 1,
                                           .overflow = lv::overflow::drop_head,
                                           .dead_letter_exchange = "",
                                           .dead_letter_routing_key = dead});
    co_await send(channel, "", queue, "1 2 3");
    auto letters = co_await channel.consume(dead);
    auto first = co_await next(letters);
    CHECK(first.body() == "1");
    const auto headers = first.headers();
    const auto* reason = headers.find("x-first-death-reason");
    REQUIRE(reason != nullptr);
    CHECK(reason->text() == "maxlen");
    first.ack();
    const auto second = co_await receive(letters, 1);
    CHECK(second == "2");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "3");
}

LEVERET_CONFORMANCE_CASE("x-max-priority: the urgent first, in order within a priority")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .max_priority = 5});
    co_await channel.publish("", queue, "none-1");
    co_await channel.publish("", queue, lv::message{"low-1"}.priority(1));
    co_await channel.publish("", queue, lv::message{"high-1"}.priority(5));
    co_await channel.publish("", queue, lv::message{"above"}.priority(200)); // as 5
    co_await channel.publish("", queue, lv::message{"zero"}.priority(0));    // as none
    co_await channel.publish("", queue, lv::message{"low-2"}.priority(1));
    co_await channel.publish("", queue, lv::message{"high-2"}.priority(5));
    const auto got = co_await drain(channel, queue);
    CHECK(got == "high-1 above high-2 low-1 low-2 none-1 zero");
}

LEVERET_CONFORMANCE_CASE("x-max-priority: the property is kept as it was sent; without the argument it is nothing")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .max_priority = 2});
    co_await channel.publish("", queue, lv::message{"x"}.priority(200));
    auto got = co_await channel.get(queue, {.no_ack = true});
    REQUIRE(got);
    CHECK(got->properties().priority() == 200);
    const auto plain = co_await filled_queue(channel, 1);
    co_await channel.publish("", plain, lv::message{"urgent"}.priority(9));
    const auto order = co_await drain(channel, plain);
    CHECK(order == "1 urgent");
}

LEVERET_CONFORMANCE_CASE("x-max-priority: what comes back keeps its place within its priority")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .max_priority = 3});
    co_await channel.publish("", queue, lv::message{"low-1"}.priority(1));
    co_await channel.publish("", queue, lv::message{"low-2"}.priority(1));
    auto held = co_await channel.get(queue);
    REQUIRE(held);
    CHECK(held->body() == "low-1");
    co_await channel.publish("", queue, lv::message{"high"}.priority(3));
    held->nack();
    const auto got = co_await drain(channel, queue);
    CHECK(got == "high low-1* low-2");
}

LEVERET_CONFORMANCE_CASE("x-max-priority and x-max-length: the head goes, and that is the most urgent")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .max_length = 2, .max_priority = 3});
    co_await channel.publish("", queue, lv::message{"high"}.priority(3));
    co_await channel.publish("", queue, lv::message{"low-1"}.priority(1));
    co_await channel.publish("", queue, lv::message{"low-2"}.priority(1));
    const auto got = co_await drain(channel, queue);
    CHECK(got == "low-1 low-2");
}
