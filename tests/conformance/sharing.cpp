// Several consumers of a queue: turns, prefetch, priorities, exclusive and single active ones.
#include "conformance/conformance.hpp"

#include <string>
#include <utility>

using namespace leveret::test;

LEVERET_CONFORMANCE_CASE("round robin: consumers of a queue take turns")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto first = co_await channel.consume(queue);
    auto other = co_await connection.open_channel();
    auto second = co_await other.consume(queue);
    auto third = co_await channel.consume(queue);
    co_await fill(channel, queue, 9);
    const auto at_first = co_await receive(first, 3);
    const auto at_second = co_await receive(second, 3);
    const auto at_third = co_await receive(third, 3);
    CHECK(at_first == "1 4 7");
    CHECK(at_second == "2 5 8");
    CHECK(at_third == "3 6 9");
}

LEVERET_CONFORMANCE_CASE("round robin: who is full is passed over")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto narrow = co_await channel.consume(queue, {.prefetch = 1});
    auto wide = co_await channel.consume(queue, {.prefetch = 10});
    co_await fill(channel, queue, 6);
    auto held = co_await hold(narrow, 1);
    CHECK(words_of(held) == "1");
    const auto at_wide = co_await receive(wide, 5);
    CHECK(at_wide == "2 3 4 5 6");
    CHECK(!narrow.try_next());
}

LEVERET_CONFORMANCE_CASE("prefetch: each consumer has its own")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 10);
    auto first = co_await channel.consume(queue, {.prefetch = 2});
    const bool two = co_await holds(channel, queue, 8);
    CHECK(two);
    auto second = co_await channel.consume(queue, {.prefetch = 3});
    const bool five = co_await holds(channel, queue, 5);
    CHECK(five);
    auto held = co_await hold(first, 2);
    CHECK(words_of(held) == "1 2");
    CHECK(held[1].ack()); // any of them makes room
    const auto came = co_await next(first);
    CHECK(came.body() == "6");
    auto others = co_await hold(second, 3);
    CHECK(words_of(others) == "3 4 5");
    CHECK(!second.try_next());
}

LEVERET_CONFORMANCE_CASE("prefetch: set_prefetch is for consumers that start later")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 10);
    co_await channel.set_prefetch(2);
    auto first = co_await channel.consume(queue);
    const bool two = co_await holds(channel, queue, 8);
    CHECK(two);
    co_await channel.set_prefetch(0);
    const auto still = co_await channel.declare_queue(queue, {.passive = true});
    CHECK(still.message_count() == 8); // nothing for the one that has started
    auto second = co_await channel.consume(queue);
    const bool all = co_await holds(channel, queue, 0);
    CHECK(all);
    const auto at_second = co_await receive(second, 8);
    CHECK(at_second == "3 4 5 6 7 8 9 10");
    auto held = co_await hold(first, 2);
    CHECK(words_of(held) == "1 2");
}

LEVERET_CONFORMANCE_CASE("prefetch: of the whole channel, for all its consumers together")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto one = co_await filled_queue(channel, 5);
    const auto two = co_await filled_queue(channel, 5);
    co_await channel.set_prefetch(4, true);
    auto first = co_await channel.consume(one);
    const bool four = co_await holds(channel, one, 1);
    CHECK(four);
    auto second = co_await channel.consume(two);
    auto held = co_await hold(first, 4);
    const auto none = co_await channel.declare_queue(two, {.passive = true});
    CHECK(none.message_count() == 5);
    CHECK(!second.try_next());
    CHECK(held[3].ack({.multiple = true})); // room for four: who gets it is the broker's choice
    std::uint32_t left_one = 1;
    std::uint32_t left_two = 5;
    while (left_one + left_two > 2) { // until four have gone, or the case's time is over
        const auto first_queue = co_await channel.declare_queue(one, {.passive = true});
        left_one = first_queue.message_count();
        const auto second_queue = co_await channel.declare_queue(two, {.passive = true});
        left_two = second_queue.message_count();
    }
    CHECK(left_one + left_two == 2);
    auto at_first = co_await hold(first, 1 - static_cast<int>(left_one));
    CHECK(words_of(at_first) == (left_one == 0 ? "5" : ""));
    auto at_second = co_await hold(second, 5 - static_cast<int>(left_two));
    CHECK(words_of(at_second) == (left_two == 2 ? "1 2 3" : "1 2 3 4"));
    CHECK(!first.try_next());
    CHECK(!second.try_next());
}

LEVERET_CONFORMANCE_CASE("prefetch: raised for the whole channel, it takes effect at once")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 6);
    co_await channel.set_prefetch(2, true);
    auto consumer = co_await channel.consume(queue);
    const bool two = co_await holds(channel, queue, 4);
    CHECK(two);
    co_await channel.set_prefetch(5, true);
    const bool five = co_await holds(channel, queue, 1);
    CHECK(five);
    co_await channel.set_prefetch(0, true);
    const bool all = co_await holds(channel, queue, 0);
    CHECK(all);
}

LEVERET_CONFORMANCE_CASE("prefetch: get and no_ack don't count")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 6);
    co_await channel.set_prefetch(1, true);
    auto one = co_await channel.get(queue);
    auto two = co_await channel.get(queue);
    REQUIRE(one);
    REQUIRE(two);
    CHECK(two->body() == "2");
    auto consumer = co_await channel.consume(queue, {.no_ack = true});
    const auto got = co_await receive(consumer, 4);
    CHECK(got == "3 4 5 6");
}

LEVERET_CONFORMANCE_CASE("priority: the urgent consumer first, as long as it has room")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto low = co_await channel.consume(queue, {.prefetch = 10, .priority = -1});
    auto usual = co_await channel.consume(queue, {.prefetch = 1}); // 0
    auto high = co_await channel.consume(queue, {.prefetch = 2, .priority = 5});
    co_await fill(channel, queue, 5);
    auto at_high = co_await hold(high, 2);
    auto at_usual = co_await hold(usual, 1);
    auto at_low = co_await hold(low, 2);
    CHECK(words_of(at_high) == "1 2");
    CHECK(words_of(at_usual) == "3");
    CHECK(words_of(at_low) == "4 5");
    CHECK(at_high[0].ack());
    co_await channel.flow(true);
    co_await send(channel, "", queue, "6");
    const auto again = co_await next(high);
    CHECK(again.body() == "6");
}

LEVERET_CONFORMANCE_CASE("priority: equals take turns")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto low = co_await channel.consume(queue, {.priority = 1});
    auto first = co_await channel.consume(queue, {.priority = 7});
    auto second = co_await channel.consume(queue, {.priority = 7});
    co_await fill(channel, queue, 4);
    const auto at_first = co_await receive(first, 2);
    const auto at_second = co_await receive(second, 2);
    CHECK(at_first == "1 3");
    CHECK(at_second == "2 4");
    CHECK(!low.try_next());
}

LEVERET_CONFORMANCE_CASE("exclusive consumer: nobody beside it")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue);
    auto consumer = co_await channel.consume(queue, {.exclusive = true});
    const std::string text = "queue '" + queue + "' in vhost '/' in exclusive use";
    auto other = co_await t.connect();
    auto others = co_await other.open_channel();
    const auto plain = co_await refused(others.consume(queue));
    CHECK(plain == access_refused(text, ids::basic_consume));
    others = co_await other.open_channel();
    const auto exclusive = co_await refused(others.consume(queue, {.exclusive = true}));
    CHECK(exclusive == access_refused(text, ids::basic_consume));
    others = co_await other.open_channel();
    co_await others.publish("", queue, "x");
    const auto got = co_await receive(consumer, 1);
    CHECK(got == "x");

    co_await consumer.cancel();
    auto successor = co_await others.consume(queue, {.exclusive = true});
    co_await channel.publish("", queue, "y");
    const auto next_one = co_await receive(successor, 1);
    CHECK(next_one == "y");
}

LEVERET_CONFORMANCE_CASE("exclusive consumer: not where another is")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto consumer = co_await channel.consume(queue);
    auto other = co_await connection.open_channel();
    const auto e = co_await refused(other.consume(queue, {.exclusive = true}));
    CHECK(e == access_refused("queue '" + queue + "' in vhost '/' in exclusive use", ids::basic_consume));
    co_await channel.publish("", queue, "x");
    const auto got = co_await receive(consumer, 1);
    CHECK(got == "x");
}

LEVERET_CONFORMANCE_CASE("exclusive consumer: get is no consumer and is answered")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 2);
    auto consumer = co_await channel.consume(queue, {.prefetch = 1, .exclusive = true});
    auto held = co_await next(consumer);
    auto got = co_await channel.get(queue);
    REQUIRE(got);
    CHECK(got->body() == "2");
}

LEVERET_CONFORMANCE_CASE("single active consumer: one gets all until it goes, then the next in line")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .single_active_consumer = true});
    auto first = co_await channel.consume(queue);
    auto second = co_await channel.consume(queue);
    auto third = co_await channel.consume(queue);
    const bool three = co_await has_consumers(channel, queue, 3);
    CHECK(three);
    co_await fill(channel, queue, 3);
    const auto at_first = co_await receive(first, 3);
    CHECK(at_first == "1 2 3");
    CHECK(!second.try_next());
    co_await first.cancel();
    co_await fill(channel, queue, 2);
    const auto at_second = co_await receive(second, 2);
    CHECK(at_second == "1 2");
    co_await second.cancel();
    co_await fill(channel, queue, 1);
    const auto at_third = co_await receive(third, 1);
    CHECK(at_third == "1");
}

LEVERET_CONFORMANCE_CASE("single active consumer: full, it is not helped by the others")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .single_active_consumer = true});
    auto first = co_await channel.consume(queue, {.prefetch = 1});
    auto second = co_await channel.consume(queue);
    co_await fill(channel, queue, 3);
    auto held = co_await hold(first, 1);
    const bool two_wait = co_await holds(channel, queue, 2);
    CHECK(two_wait);
    CHECK(!second.try_next());
    held[0].ack();
    const auto came = co_await next(first);
    CHECK(came.body() == "2");
}

LEVERET_CONFORMANCE_CASE("single active consumer: what the one that ended held goes to the next, again")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .single_active_consumer = true});
    auto dying = co_await connection.open_channel();
    auto first = co_await dying.consume(queue, {.prefetch = 2});
    auto second = co_await channel.consume(queue);
    co_await fill(channel, queue, 3);
    auto held = co_await hold(first, 2);
    CHECK(words_of(held) == "1 2");
    co_await dying.close();
    const auto got = co_await receive(second, 3);
    CHECK(got == "1* 2* 3");
}

LEVERET_CONFORMANCE_CASE("single active consumer: a more urgent one waits, but is the next")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .single_active_consumer = true});
    auto first = co_await channel.consume(queue);
    auto second = co_await channel.consume(queue, {.priority = 1});
    auto third = co_await channel.consume(queue, {.priority = 10});
    co_await fill(channel, queue, 2);
    const auto at_first = co_await receive(first, 2);
    CHECK(at_first == "1 2");
    CHECK(!third.try_next());
    co_await first.cancel();
    co_await fill(channel, queue, 2);
    const auto at_third = co_await receive(third, 2);
    CHECK(at_third == "1 2");
    CHECK(!second.try_next());
}

LEVERET_CONFORMANCE_CASE("single active consumer: an exclusive consumer is refused")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .single_active_consumer = true});
    const auto e = co_await refused(channel.consume(queue, {.exclusive = true}));
    CHECK(e == access_refused("queue '" + queue + "' in vhost '/' in exclusive use", ids::basic_consume));
}

LEVERET_CONFORMANCE_CASE("consumers of two connections share a queue, and what one held the other gets")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto dying = co_await t.connect();
    auto dying_channel = co_await dying.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.auto_delete = true});
    auto mine = co_await channel.consume(queue);
    auto others = co_await dying_channel.consume(queue);
    co_await fill(channel, queue, 4);
    auto at_mine = co_await hold(mine, 2);
    auto at_others = co_await hold(others, 2);
    CHECK(words_of(at_mine) == "1 3");
    CHECK(words_of(at_others) == "2 4");
    co_await dying.close();
    const auto again = co_await receive(mine, 2);
    CHECK(again == "2* 4*");
}
