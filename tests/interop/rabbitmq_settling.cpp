// get, ack, nack, reject and recover with a real RabbitMQ: what becomes of a delivery.
#include "interop/broker.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace leveret::test;

namespace {

/// A connection, a channel, and a queue with messages "1", "2"... in it.
struct prepared {
    prepared() = default;
    lv::amqp::connection connection;
    lv::amqp::channel channel;
    std::string queue;
};
asio::awaitable<prepared> prepare(int messages)
{
    prepared p;
    p.connection = co_await connect();
    p.channel = co_await p.connection.open_channel();
    const auto declared = co_await p.channel.declare_queue("", {.exclusive = true});
    p.queue = declared.name();
    for (int i = 1; i <= messages; ++i)
        co_await p.channel.publish("", p.queue, std::to_string(i));
    co_return std::move(p);
}

/// What another look at the queue finds: bodies in order, with a * for those that came back.
asio::awaitable<std::string> rest(lv::amqp::channel channel, std::string queue)
{
    std::string found;
    for (;;) {
        auto got = co_await channel.get(queue, {.no_ack = true});
        if (!got)
            co_return found;
        found += std::string(got->body()) + (got->redelivered() ? "* " : " ");
    }
}

} // namespace

LEVERET_CORO_TEST_CASE("RabbitMQ: get, with and without acknowledgement, from full and empty")
{
    auto p = co_await prepare(2);
    auto first = co_await p.channel.get(p.queue);
    REQUIRE(first);
    CHECK(first->body() == "1");
    CHECK(first->exchange().empty());
    CHECK(first->routing_key() == p.queue);
    CHECK(!first->is_settled());
    auto second = co_await p.channel.get(p.queue, {.no_ack = true});
    REQUIRE(second);
    CHECK(second->body() == "2");
    CHECK(second->is_settled());
    CHECK(!second->ack());
    const auto none = co_await p.channel.get(p.queue);
    CHECK(!none);
    CHECK(first->ack());
    CHECK(first->is_settled());
    CHECK(!first->ack());
    co_await p.channel.close();
    auto after = co_await p.connection.open_channel();
    const auto left = co_await rest(after, p.queue);
    CHECK(left == "");
    co_await p.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: nack gives back to the old place, reject and nack without requeue drop")
{
    auto p = co_await prepare(4);
    auto consumer = co_await p.channel.consume(p.queue);
    std::vector<lv::amqp::delivery> d;
    for (int i = 0; i < 4; ++i)
        d.push_back(std::move(*co_await consumer.next()));
    co_await consumer.cancel();
    CHECK(d[2].nack());
    CHECK(d[0].nack({.requeue = false}));
    CHECK(d[1].reject());
    CHECK(d[3].nack());
    const bool back = co_await holds(p.channel, p.queue, 2);
    CHECK(back);
    const auto left = co_await rest(p.channel, p.queue);
    CHECK(left == "3* 4* ");
    co_await p.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: multiple settles this delivery and all before it")
{
    auto p = co_await prepare(6);
    auto consumer = co_await p.channel.consume(p.queue);
    std::vector<lv::amqp::delivery> d;
    for (int i = 0; i < 6; ++i)
        d.push_back(std::move(*co_await consumer.next()));
    co_await consumer.cancel();
    CHECK(d[0].nack());
    CHECK(d[2].ack({.multiple = true})); // 2 and 3: 1 is settled already
    CHECK(d[1].is_settled());
    CHECK(!d[1].nack());
    CHECK(d[4].nack({.multiple = true}));
    CHECK(!d[3].ack());
    CHECK(d[5].ack());
    const bool back = co_await holds(p.channel, p.queue, 3);
    CHECK(back);
    const auto left = co_await rest(p.channel, p.queue);
    CHECK(left == "1* 4* 5* ");
    co_await p.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: settling in any order, in thousands")
{
    constexpr int count = 3000;
    auto p = co_await prepare(count);
    auto consumer = co_await p.channel.consume(p.queue, {.prefetch = 0});
    std::vector<lv::amqp::delivery> d;
    for (int i = 0; i < count; ++i)
        d.push_back(std::move(*co_await consumer.next()));
    // A walk that meets every index once: 1999 and 3000 have no common divisor.
    int good = 0;
    for (int i = 0, at = 0; i < count; ++i, at = (at + 1999) % count)
        good += d[static_cast<std::size_t>(at)].ack();
    CHECK(good == count);
    co_await p.channel.close(); // orderly: what was settled is told first
    auto after = co_await p.connection.open_channel();
    const auto left = co_await rest(after, p.queue);
    CHECK(left == "");
    co_await p.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a delivery destroyed unsettled goes back")
{
    auto p = co_await prepare(3);
    {
        auto one = co_await p.channel.get(p.queue);
        auto two = co_await p.channel.get(p.queue);
        two->ack();
        auto three = co_await p.channel.get(p.queue);
        *one = std::move(*three); // assigning destroys what was there
        const bool first_back = co_await holds(p.channel, p.queue, 1);
        CHECK(first_back);
        CHECK(one->body() == "3");
    }
    const bool back = co_await holds(p.channel, p.queue, 2);
    CHECK(back);
    const auto left = co_await rest(p.channel, p.queue);
    CHECK(left == "1* 3* ");
    co_await p.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a released delivery is settled later by its tag")
{
    auto p = co_await prepare(5);
    std::vector<std::uint64_t> tags;
    for (int i = 0; i < 5; ++i) {
        auto got = co_await p.channel.get(p.queue);
        REQUIRE(got);
        tags.push_back(got->release());
        CHECK(!got->ack()); // it is not this object's any more
    }
    CHECK(p.channel.nack(tags[0]));
    CHECK(p.channel.ack(tags[2], {.multiple = true})); // 2 and 3
    CHECK(!p.channel.ack(tags[1]));
    CHECK(p.channel.reject(tags[3]));
    CHECK(!p.channel.ack(12345)); // no such tag: nothing is sent, and no 406
    CHECK(p.channel.nack(tags[4]));
    const bool back = co_await holds(p.channel, p.queue, 2);
    CHECK(back);
    const auto left = co_await rest(p.channel, p.queue);
    CHECK(left == "1* 5* ");
    co_await p.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: what is unsettled when its channel closes goes back, once")
{
    auto p = co_await prepare(2);
    auto first = co_await p.channel.get(p.queue);
    auto second = co_await p.channel.get(p.queue);
    const std::uint64_t released = second->release();
    co_await p.channel.close();
    CHECK(first->is_settled());
    CHECK(!first->ack());
    CHECK(!p.channel.ack(released));
    auto after = co_await p.connection.open_channel();
    first.reset();
    const bool back = co_await holds(after, p.queue, 2);
    CHECK(back);
    const auto left = co_await rest(after, p.queue);
    CHECK(left == "1* 2* ");
    co_await p.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: recover delivers again what is not settled")
{
    auto p = co_await prepare(3);
    auto consumer = co_await p.channel.consume(p.queue, {.prefetch = 3});
    auto one = co_await consumer.next();
    auto two = co_await consumer.next();
    CHECK(one->ack());
    co_await p.channel.recover(); // "3" was not even handed out
    CHECK(two->is_settled());
    CHECK(!two->ack()); // its tag is gone: it comes again under another

    auto again = co_await consumer.next();
    auto third = co_await consumer.next();
    REQUIRE(again);
    REQUIRE(third);
    CHECK(again->body() == "2");
    CHECK(again->redelivered());
    CHECK(again->delivery_tag() > two->delivery_tag());
    CHECK(third->body() == "3");
    CHECK(third->redelivered());
    CHECK(again->ack());
    CHECK(third->ack());
    co_await p.channel.close();
    auto after = co_await p.connection.open_channel();
    const auto left = co_await rest(after, p.queue);
    CHECK(left == "");
    co_await p.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: recover while deliveries are on their way loses and doubles nothing")
{
    constexpr int count = 2000;
    auto p = co_await prepare(count);
    auto consumer = co_await p.channel.consume(p.queue, {.prefetch = 500});
    std::vector<int> seen(count + 1);
    int settled = 0;
    for (int recoveries = 0; settled < count;) {
        auto d = co_await consumer.next();
        REQUIRE(d);
        ++seen[static_cast<std::size_t>(std::stoi(std::string(d->body())))];
        CHECK(d->ack());
        if (++settled % 100 == 0 && recoveries++ < 5)
            co_await p.channel.recover();
    }
    int once = 0;
    for (const int n : seen)
        once += n == 1;
    CHECK(once == count);
    co_await p.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: recover leaves alone what needs no acknowledgement")
{
    constexpr int count = 2000;
    auto p = co_await prepare(count);
    auto consumer = co_await p.channel.consume(p.queue, {.no_ack = true});
    int good = 0;
    for (int i = 1; i <= count; ++i) {
        auto d = co_await consumer.next({.timeout = 5s});
        REQUIRE(d);
        good += d->body() == std::to_string(i);
        if (i % 400 == 1)
            co_await p.channel.recover();
    }
    CHECK(good == count);
    co_await p.connection.close();
}
