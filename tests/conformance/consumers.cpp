// One consumer and its stream; its name, its end.
#include "conformance/conformance.hpp"

#include <cstdint>
#include <string>

using namespace leveret::test;

LEVERET_CONFORMANCE_CASE("consume: what was there and what comes, in order and numbered")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 150);
    auto consumer = co_await channel.consume(queue, {.prefetch = 10});
    for (int i = 151; i <= 300; ++i)
        co_await channel.publish("", queue, std::to_string(i));
    int good = 0;
    for (int i = 1; i <= 300; ++i) {
        auto d = co_await next(consumer);
        good += d.body() == std::to_string(i) && d.delivery_tag() == static_cast<std::uint64_t>(i) &&
                !d.redelivered() && d.exchange().empty() && d.routing_key() == queue && d.ack();
    }
    CHECK(good == 300);
}

LEVERET_CONFORMANCE_CASE("consume: no_ack takes everything at once and for good")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 300);
    auto consumer = co_await channel.consume(queue, {.prefetch = 1, .no_ack = true});
    for (int i = 1; i <= 300; ++i) {
        auto d = co_await next(consumer);
        if (d.body() != std::to_string(i) || d.ack() || !d.is_settled())
            FAIL_CHECK("delivery " << i << " is not as it should be");
    }
    co_await channel.close();
    auto other = co_await connection.open_channel();
    const auto left = co_await drain(other, queue);
    CHECK(left == "");
}

LEVERET_CONFORMANCE_CASE("consume: the name is the one that was asked for, or made up, each another")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto named = co_await channel.consume(queue, {.tag = "my consumer"});
    auto first = co_await channel.consume(queue);
    auto second = co_await channel.consume(queue);
    CHECK(named.tag() == "my consumer");
    CHECK(!first.tag().empty());
    CHECK(first.tag() != second.tag());
    auto other = co_await connection.open_channel();
    auto same_elsewhere = co_await other.consume(queue, {.tag = "my consumer"}); // a channel's own
    CHECK(same_elsewhere.tag() == "my consumer");
}

LEVERET_CONFORMANCE_CASE("consume: a name that is in use on the channel is refused, and free after a cancel")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto first = co_await channel.consume(queue, {.tag = "t"});
    // The broker would close the connection (530): it is found before.
    CHECK_THROWS_AS(static_cast<void>(channel.consume(queue, {.tag = "t"})), lv::usage_error);
    CHECK(channel.is_open());
    co_await first.cancel();
    auto second = co_await channel.consume(queue, {.tag = "t"});
    co_await channel.publish("", queue, "x");
    const auto got = co_await receive(second, 1);
    CHECK(got == "x");
}

LEVERET_CONFORMANCE_CASE("cancel: what arrived can still be had and settled, then the stream ends")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 5);
    auto consumer = co_await channel.consume(queue, {.prefetch = 3});
    const bool sent = co_await holds(channel, queue, 2);
    CHECK(sent);
    co_await consumer.cancel();
    const auto rest = co_await drain(channel, queue);
    CHECK(rest == "4 5"); // no longer delivered
    const auto got = co_await receive(consumer, 3);
    CHECK(got == "1 2 3");
    const auto end = co_await consumer.next({.timeout = patience});
    CHECK(!end);
    co_await consumer.cancel(); // twice is no error
    co_await channel.close();
    auto other = co_await connection.open_channel();
    const auto left = co_await drain(other, queue);
    CHECK(left == "");
}

LEVERET_CONFORMANCE_CASE("a consumer that is destroyed cancels itself and gives back what it held")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 3);
    {
        auto consumer = co_await channel.consume(queue);
        auto first = co_await next(consumer);
        CHECK(first.body() == "1");
        first.ack();
    }
    const bool nobody = co_await has_consumers(channel, queue, 0);
    CHECK(nobody);
    const auto got = co_await arrivals(channel, queue, 2);
    CHECK(got == "2* 3*");
}

LEVERET_CONFORMANCE_CASE("a consumer whose queue is deleted is told, after what had arrived")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto consuming = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 2);
    auto consumer = co_await consuming.consume(queue, {.tag = "told"});
    auto first = co_await next(consumer);
    co_await channel.delete_queue(queue);
    auto second = co_await next(consumer);
    CHECK(second.body() == "2");
    bool is_told = false;
    try {
        static_cast<void>(co_await consumer.next({.timeout = patience}));
    } catch (const lv::consumer_cancelled& e) {
        is_told = e.code() == lv::errc::consumer_cancelled;
    }
    CHECK(is_told);
    CHECK(consuming.is_open());
    CHECK(first.ack()); // to no effect, and no error
    CHECK(second.ack());
    const auto other = co_await filled_queue(consuming, 1);
    auto again = co_await consuming.consume(other, {.tag = "told"}); // the name is free
    const auto got = co_await receive(again, 1);
    CHECK(got == "1");
}

LEVERET_CONFORMANCE_CASE("all consumers of a queue are told that it is deleted, on whichever connection")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.auto_delete = true});
    auto other = co_await t.connect();
    auto others = co_await other.open_channel();
    auto first = co_await others.consume(queue);
    auto second = co_await others.consume(queue);
    co_await channel.delete_queue(queue);
    int told = 0;
    for (auto* consumer : {&first, &second}) {
        try {
            static_cast<void>(co_await consumer->next({.timeout = patience}));
        } catch (const lv::consumer_cancelled&) {
            ++told;
        }
    }
    CHECK(told == 2);
    CHECK(others.is_open());
}

LEVERET_CONFORMANCE_CASE("consumer.next: a time limit passes without loss")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto consumer = co_await channel.consume(queue);
    bool timed_out = false;
    try {
        static_cast<void>(co_await consumer.next({.timeout = 1ms}));
    } catch (const lv::timeout_error&) {
        timed_out = true;
    }
    CHECK(timed_out);
    CHECK(!consumer.try_next());
    co_await channel.publish("", queue, "later");
    const auto got = co_await receive(consumer, 1);
    CHECK(got == "later");
}

LEVERET_CONFORMANCE_CASE("consumer.try_next: what is here, and nothing else")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 3);
    auto consumer = co_await channel.consume(queue, {.prefetch = 2});
    auto first = co_await next(consumer);
    const bool sent = co_await holds(channel, queue, 1);
    CHECK(sent);
    auto second = consumer.try_next();
    REQUIRE(second);
    CHECK(second->body() == "2");
    const auto third = consumer.try_next();
    CHECK(!third); // not sent: two are unsettled
    first.ack();
    const auto came = co_await next(consumer);
    CHECK(came.body() == "3");
}

LEVERET_CONFORMANCE_CASE("consume: arguments that nobody knows don't matter, no_local neither")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const lv::table arguments{{"x-whatever", 1}};
    auto consumer = co_await channel.consume(queue, {.no_local = true, .arguments = arguments});
    co_await channel.publish("", queue, "my own");
    const auto got = co_await receive(consumer, 1);
    CHECK(got == "my own");
}

LEVERET_CONFORMANCE_CASE("consume: a priority that is no number")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const lv::table wrong{{"x-priority", "high"}};
    const auto e = co_await refused(channel.consume(queue, {.arguments = wrong}));
    CHECK(e == precondition_failed("invalid arg 'x-priority' for queue '" + queue +
                                       "' in vhost '/': \"expected integer, got longstr\"",
                                   ids::basic_consume));
}

LEVERET_CONFORMANCE_CASE("consume: two consumers on one channel have one numbering and streams of their own")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto one = co_await filled_queue(channel, 2);
    const auto two = co_await filled_queue(channel, 2);
    auto first = co_await channel.consume(one);
    auto second = co_await channel.consume(two);
    std::uint64_t tags = 0;
    for (auto* consumer : {&first, &second}) {
        auto held = co_await hold(*consumer, 2);
        CHECK(words_of(held) == "1 2");
        for (auto& d : held) {
            tags |= std::uint64_t{1} << d.delivery_tag();
            d.ack();
        }
    }
    CHECK(tags == 0b11110); // 1 to 4, each once
}
