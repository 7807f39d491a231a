// get, and what becomes of a delivery.
#include "conformance/conformance.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace leveret::test;

LEVERET_CONFORMANCE_CASE("get: a message with all that is said of it, and none from an empty queue")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await bound_queue(channel, "amq.topic", "conformance.get.#");
    const auto none = co_await channel.get(queue);
    CHECK(!none);
    co_await channel.publish("amq.topic", "conformance.get.it", "body");
    auto got = co_await channel.get(queue);
    REQUIRE(got);
    CHECK(got->body() == "body");
    CHECK(got->bytes().size() == 4);
    CHECK(got->exchange() == "amq.topic");
    CHECK(got->routing_key() == "conformance.get.it");
    CHECK(got->delivery_tag() == 1);
    CHECK(!got->redelivered());
    CHECK(!got->is_settled());
    CHECK(got->headers().empty());
    CHECK(got->properties().flags() == 0);
    CHECK(got->ack());
    CHECK(got->is_settled());
    const auto left = co_await drain(channel, queue);
    CHECK(left == "");
}

LEVERET_CONFORMANCE_CASE("get: no_ack settles at once")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 1);
    auto got = co_await channel.get(queue, {.no_ack = true});
    REQUIRE(got);
    CHECK(got->is_settled());
    CHECK(!got->ack());
    CHECK(!got->nack());
    CHECK(!got->reject());
    co_await channel.close();
    auto other = co_await connection.open_channel();
    const auto left = co_await drain(other, queue);
    CHECK(left == "");
}

LEVERET_CONFORMANCE_CASE("get and consume have one numbering on a channel")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto one = co_await filled_queue(channel, 2);
    const auto two = co_await filled_queue(channel, 1);
    auto first = co_await channel.get(one);
    auto consumer = co_await channel.consume(two);
    auto second = co_await next(consumer);
    auto third = co_await channel.get(one, {.no_ack = true});
    REQUIRE(first);
    REQUIRE(third);
    CHECK(first->delivery_tag() == 1);
    CHECK(second.delivery_tag() == 2);
    CHECK(third->delivery_tag() == 3);
}

LEVERET_CONFORMANCE_CASE("ack: once; a second settlement is nothing")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 2);
    auto got = co_await channel.get(queue);
    REQUIRE(got);
    CHECK(got->ack());
    CHECK(!got->ack());
    CHECK(!got->nack());
    CHECK(!got->reject());
    co_await channel.flow(true); // the broker has heard of no second one
    CHECK(channel.is_open());
    const auto left = co_await drain(channel, queue);
    CHECK(left == "2");
}

LEVERET_CONFORMANCE_CASE("channel.ack: released deliveries by their tag; unknown tags are nothing")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 5);
    std::vector<std::uint64_t> tags;
    for (int i = 0; i < 5; ++i) {
        auto got = co_await channel.get(queue);
        REQUIRE(got);
        tags.push_back(got->release());
        CHECK(!got->ack()); // not this object's any more
    }
    CHECK(!channel.ack(99));
    CHECK(!channel.nack(0));
    CHECK(!channel.reject(6));
    CHECK(channel.nack(tags[0]));
    CHECK(channel.ack(tags[2], {.multiple = true})); // 2 and 3
    CHECK(!channel.ack(tags[1]));
    CHECK(channel.reject(tags[3]));
    CHECK(channel.nack(tags[4], {.requeue = true}));
    const auto left = co_await drain(channel, queue);
    CHECK(left == "1* 5*");
}

LEVERET_CONFORMANCE_CASE("a tag is its channel's: another channel does not know it")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 1);
    auto got = co_await channel.get(queue);
    REQUIRE(got);
    CHECK(!other.ack(got->delivery_tag()));
    CHECK(!got->is_settled());
    CHECK(got->nack());
    const auto left = co_await drain(channel, queue);
    CHECK(left == "1*");
}

LEVERET_CONFORMANCE_CASE("multiple: this one and all before it that are not settled")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 6);
    auto consumer = co_await channel.consume(queue);
    auto d = co_await hold(consumer, 6);
    co_await consumer.cancel();
    CHECK(d[0].nack());
    CHECK(d[2].ack({.multiple = true})); // 2 and 3
    CHECK(d[1].is_settled());
    CHECK(!d[1].nack());
    CHECK(d[4].nack({.multiple = true})); // 4 and 5
    CHECK(!d[3].ack());
    CHECK(!d[5].is_settled());
    CHECK(d[5].ack());
    const auto left = co_await drain(channel, queue);
    CHECK(left == "1* 4* 5*");
}

LEVERET_CONFORMANCE_CASE("multiple: over several queues and consumers of the channel")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto one = co_await filled_queue(channel, 2);
    const auto two = co_await filled_queue(channel, 2);
    auto a = co_await channel.get(one);
    auto b = co_await channel.get(two);
    auto c = co_await channel.get(one);
    auto d = co_await channel.get(two);
    REQUIRE(d);
    CHECK(c->ack({.multiple = true}));
    CHECK(a->is_settled());
    CHECK(b->is_settled());
    CHECK(!d->is_settled());
    CHECK(d->nack({.multiple = true}));
    const auto at_one = co_await drain(channel, one);
    const auto at_two = co_await drain(channel, two);
    CHECK(at_one == "");
    CHECK(at_two == "2*");
}

LEVERET_CONFORMANCE_CASE("nack and reject without requeue: dropped where there are no dead letters")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 3);
    auto consumer = co_await channel.consume(queue);
    auto d = co_await hold(consumer, 3);
    CHECK(d[0].reject());
    CHECK(d[1].nack({.requeue = false}));
    CHECK(d[2].nack());
    auto again = co_await next(consumer);
    CHECK(again.body() == "3");
    CHECK(again.redelivered());
    again.ack();
    co_await channel.close();
    auto other = co_await connection.open_channel();
    const auto left = co_await drain(other, queue);
    CHECK(left == "");
}

LEVERET_CONFORMANCE_CASE("requeue: to the place where it was, whatever the order of giving back")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 6);
    std::vector<typename Transport::delivery> held;
    for (int i = 0; i < 5; ++i) {
        auto got = co_await channel.get(queue);
        REQUIRE(got);
        held.push_back(std::move(*got));
    }
    CHECK(held[3].nack());
    CHECK(held[0].nack());
    CHECK(held[4].nack());
    CHECK(held[1].ack());
    CHECK(held[2].nack());
    co_await send(channel, "", queue, "7");
    const auto left = co_await drain(channel, queue);
    CHECK(left == "1* 3* 4* 5* 6 7");
}

LEVERET_CONFORMANCE_CASE("requeue: to a consumer that waits, at once; the delivery has a new tag")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 1);
    auto consumer = co_await channel.consume(queue, {.prefetch = 1});
    for (std::uint64_t tag = 1; tag <= 5; ++tag) {
        auto d = co_await next(consumer);
        CHECK(d.delivery_tag() == tag);
        CHECK(d.redelivered() == (tag > 1));
        CHECK(d.nack());
    }
    auto last = co_await next(consumer);
    CHECK(last.ack());
}

LEVERET_CONFORMANCE_CASE("redelivered: also for another consumer, on another connection, and for get")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.auto_delete = true});
    co_await fill(channel, queue, 2);
    auto got = co_await channel.get(queue);
    REQUIRE(got);
    got->nack();
    const bool back = co_await holds(channel, queue, 2);
    CHECK(back);
    auto other = co_await t.connect();
    auto others = co_await other.open_channel();
    auto consumer = co_await others.consume(queue);
    const auto seen = co_await receive(consumer, 2);
    CHECK(seen == "1* 2");
}

LEVERET_CONFORMANCE_CASE("a delivery that is destroyed unsettled goes back")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 3);
    {
        auto one = co_await channel.get(queue);
        auto two = co_await channel.get(queue);
        auto three = co_await channel.get(queue);
        REQUIRE(three);
        two->ack();
        *one = std::move(*three); // what was there is destroyed
        const bool first_back = co_await holds(channel, queue, 1);
        CHECK(first_back);
        CHECK(one->body() == "3");
    }
    const auto left = co_await drain(channel, queue);
    CHECK(left == "1* 3*");
}

LEVERET_CONFORMANCE_CASE("what is unsettled when its channel closes comes back in order")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 6);
    auto consumer = co_await channel.consume(queue, {.prefetch = 4});
    auto d = co_await hold(consumer, 4);
    CHECK(d[1].ack());
    const auto fifth = co_await next(consumer);
    CHECK(fifth.body() == "5");
    co_await channel.close();
    CHECK(d[0].is_settled());
    CHECK(!d[0].ack());
    const auto left = co_await arrivals(other, queue, 5);
    CHECK(left == "1* 3* 4* 5* 6");
}

LEVERET_CONFORMANCE_CASE("what is unsettled when its connection closes comes back in order")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue);
    co_await fill(channel, queue, 5);
    const bool five = co_await holds(channel, queue, 5);
    CHECK(five);
    auto dying = co_await t.connect();
    auto dying_channel = co_await dying.open_channel();
    auto second_channel = co_await dying.open_channel();
    auto a = co_await dying_channel.get(queue);
    auto b = co_await second_channel.get(queue);
    auto c = co_await dying_channel.get(queue);
    auto d = co_await second_channel.get(queue);
    REQUIRE(d);
    CHECK(c->ack());
    co_await dying.close();
    const bool back = co_await holds(channel, queue, 4);
    CHECK(back);
    const auto left = co_await drain(channel, queue);
    CHECK(left == "1* 2* 4* 5");
}

LEVERET_CONFORMANCE_CASE("recover: everything unsettled comes again, under new tags")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 3);
    const auto other_queue = co_await filled_queue(channel, 1);
    auto consumer = co_await channel.consume(queue, {.prefetch = 3});
    auto one = co_await next(consumer);
    auto two = co_await next(consumer);
    auto got = co_await channel.get(other_queue);
    REQUIRE(got);
    CHECK(one.ack());
    co_await channel.recover();
    CHECK(two.is_settled());
    CHECK(!two.ack());
    CHECK(!got->ack());
    const auto again = co_await receive(consumer, 2);
    CHECK(again == "2* 3*"); // the third had not even been handed out
    const auto given_back = co_await drain(channel, other_queue);
    CHECK(given_back == "1*");
    co_await channel.close();
    auto other = co_await connection.open_channel();
    const auto left = co_await drain(other, queue);
    CHECK(left == "");
}

LEVERET_CONFORMANCE_CASE("recover: nothing to recover is no error, and without requeue it is not implemented")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    co_await channel.recover();
    CHECK(channel.is_open());
    const auto e = co_await refused(channel.recover(false));
    CHECK(e == closes_connection(540, "NOT_IMPLEMENTED - requeue=false", ids::basic_recover));
}
