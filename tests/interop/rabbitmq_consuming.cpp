// basic.consume and basic.cancel with a real RabbitMQ.
#include "interop/broker.hpp"
#include "interop/task.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace leveret::test;
using delivery = std::optional<lv::amqp::delivery>;

LEVERET_CORO_TEST_CASE("RabbitMQ: a consumer gets messages in order, with what is said of them")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    co_await channel.bind_queue(queue, "amq.topic", "a.#");
    auto consumer = co_await channel.consume(queue);
    for (int i = 1; i <= 300; ++i) // three times the prefetch
        co_await channel.publish("amq.topic", "a." + std::to_string(i), std::to_string(i));
    int good = 0;
    for (int i = 1; i <= 300; ++i) {
        auto d = co_await consumer.next();
        REQUIRE(d);
        good += d->body() == std::to_string(i) && d->exchange() == "amq.topic" &&
                d->routing_key() == "a." + std::to_string(i) && !d->redelivered() &&
                d->delivery_tag() == static_cast<std::uint64_t>(i) && d->ack();
    }
    CHECK(good == 300);
    co_await channel.close();
    auto after = co_await connection.open_channel();
    const bool empty = co_await is_empty(after, queue);
    CHECK(empty);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: the prefetch is honoured, and room is made by settling")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    for (int i = 0; i < 10; ++i)
        co_await channel.publish("", queue, "x");
    auto consumer = co_await channel.consume(queue, {.prefetch = 3});
    std::vector<lv::amqp::delivery> held;
    for (int i = 0; i < 3; ++i)
        held.push_back(std::move(*co_await consumer.next()));
    const bool others_wait = co_await holds(channel, queue, 7);
    CHECK(others_wait);
    CHECK(!consumer.try_next());

    held.back().ack();
    auto fourth = co_await consumer.next();
    REQUIRE(fourth);
    CHECK(fourth->delivery_tag() == 4);
    const bool one_less = co_await holds(channel, queue, 6);
    CHECK(one_less);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: set_prefetch for the whole channel")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    for (int i = 0; i < 10; ++i)
        co_await channel.publish("", queue, "x");
    co_await channel.set_prefetch(4, true);
    auto first = co_await channel.consume(queue);
    auto second = co_await channel.consume(queue);
    const bool limited = co_await holds(channel, queue, 6); // 4 in all
    CHECK(limited);
    co_await channel.set_prefetch(0, true);
    const bool unlimited = co_await holds(channel, queue, 0);
    CHECK(unlimited);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: set_prefetch for the consumers that start later")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    for (int i = 0; i < 10; ++i)
        co_await channel.publish("", queue, "x");
    co_await channel.set_prefetch(2);
    auto first = co_await channel.consume(queue);
    auto second = co_await channel.consume(queue, {.prefetch = 3});
    auto third = co_await channel.consume(queue);
    const bool limited = co_await holds(channel, queue, 10 - 2 - 3 - 2);
    CHECK(limited);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: without acknowledgement the broker forgets what it sends")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    for (int i = 0; i < 500; ++i)
        co_await channel.publish("", queue, std::to_string(i));
    {
        auto consumer = co_await channel.consume(queue, {.no_ack = true});
        int good = 0;
        for (int i = 0; i < 500; ++i) {
            auto d = co_await consumer.next();
            REQUIRE(d);
            good += d->body() == std::to_string(i) && d->is_settled() && !d->ack();
        }
        CHECK(good == 500);
    }
    const bool empty = co_await is_empty(channel, queue);
    CHECK(empty);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: an exclusive consumer stays alone")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    auto alone = co_await channel.consume(queue, {.exclusive = true});
    const auto refused = co_await failure_of<lv::channel_error>(other.consume(queue));
    CHECK(refused.code() == lv::reply_code::access_refused);
    CHECK(contains(refused.what(), "queue '" + queue + "' in vhost '/' in exclusive use"));
    co_await alone.cancel();
    other = co_await connection.open_channel();
    auto next = co_await other.consume(queue, {.exclusive = true});
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: consumer tags, the user's and ours")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    auto named = co_await channel.consume(queue, {.tag = "mine"});
    CHECK(named.tag() == "mine");
    auto unnamed = co_await channel.consume(queue);
    CHECK(!unnamed.tag().empty());
    CHECK_THROWS_AS(static_cast<void>(channel.consume(queue, {.tag = "mine"})), lv::usage_error);
    auto elsewhere = co_await other.consume(queue, {.tag = "mine"}); // tags are a channel's own
    co_await named.cancel();
    auto again = co_await channel.consume(queue, {.tag = "mine"});
    CHECK(again.tag() == "mine");
    const auto count = co_await consumers(channel, queue);
    CHECK(count == 3);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a consumer of higher priority is served first")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    auto low = co_await channel.consume(queue, {.prefetch = 10, .priority = -1});
    auto high = co_await channel.consume(queue, {.prefetch = 2, .priority = 5});
    for (const char* body : {"1", "2", "3"})
        co_await channel.publish("", queue, body);
    auto first = co_await high.next();
    auto second = co_await high.next();
    auto third = co_await low.next(); // the better one is full
    CHECK(first->body() == "1");
    CHECK(second->body() == "2");
    CHECK(third->body() == "3");
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: cancelling ends the stream after what has arrived")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    for (const char* body : {"1", "2", "3"})
        co_await channel.publish("", queue, body);
    auto consumer = co_await channel.consume(queue);
    auto first = co_await consumer.next();
    co_await consumer.cancel();
    co_await consumer.cancel(); // twice is no error
    auto second = co_await consumer.next();
    auto third = co_await consumer.next();
    auto none = co_await consumer.next();
    REQUIRE(first);
    REQUIRE(second);
    REQUIRE(third);
    CHECK(third->body() == "3");
    CHECK(!none);
    CHECK(second->ack()); // an acknowledgement goes by channel, not by consumer
    first.reset();
    third.reset();
    const bool back = co_await holds(channel, queue, 2);
    CHECK(back);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: cancelling wakes those who wait for the next delivery")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    auto consumer = co_await channel.consume(queue);
    task<delivery> one(connection.get_executor(), consumer.next());
    task<delivery> two(connection.get_executor(), consumer.next());
    co_await channel.publish("", queue, "for one of them");
    co_await eventually([&] { return one.is_done() || two.is_done(); });
    CHECK(one.is_done() != two.is_done());
    co_await consumer.cancel();
    auto a = co_await one.join();
    auto b = co_await two.join();
    CHECK(a.has_value() != b.has_value());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a deleted queue cancels its consumers")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("doomed");
    co_await channel.declare_queue(queue);
    co_await channel.publish("", queue, "held");
    auto consumer = co_await channel.consume(queue, {.tag = "watcher"});
    auto held = co_await consumer.next();
    task<delivery> waiting(connection.get_executor(), consumer.next());
    co_await channel.delete_queue(queue);

    const auto cancelled = co_await failure_of<lv::consumer_cancelled>(waiting.join());
    CHECK(cancelled.code() == lv::errc::consumer_cancelled);
    CHECK(contains(cancelled.what(), "watcher"));
    const auto again = co_await failure_of<lv::consumer_cancelled>(consumer.next());
    CHECK(again.code() == lv::errc::consumer_cancelled);
    held->ack();
    co_await consumer.cancel();       // nothing to do any more, and no error
    co_await channel.declare_queue(); // the channel goes on
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a destroyed consumer gives back what it had not handed out")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    for (const char* body : {"1", "2", "3"})
        co_await channel.publish("", queue, body);
    delivery first;
    {
        auto consumer = co_await channel.consume(queue);
        first = co_await consumer.next();
    }
    const bool back = co_await holds(channel, queue, 2);
    CHECK(back);
    const auto count = co_await consumers(channel, queue);
    CHECK(count == 0);
    auto again = co_await channel.get(queue);
    REQUIRE(again);
    CHECK(again->body() == "2");
    CHECK(again->redelivered());
    first->ack();
    again->ack();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: deliveries that cross the cancel of a destroyed consumer go back")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    const std::string body(1000, 'x');
    for (int i = 0; i < 3000; ++i)
        co_await channel.publish("", queue, body);
    auto consumer = co_await channel.consume(queue, {.prefetch = 0});
    auto first = co_await consumer.next();
    consumer = lv::amqp::consumer(); // most of them are on their way now
    const bool back = co_await holds(channel, queue, 2999);
    CHECK(back);
    first.reset();

    consumer = co_await channel.consume(queue, {.no_ack = true});
    first = co_await consumer.next();
    consumer = lv::amqp::consumer(); // these are lost, as was asked for
    co_await channel.set_prefetch(0);
    CHECK(channel.is_open());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: consuming from a queue that is not there")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto missing = co_await failure_of<lv::channel_error>(channel.consume("nowhere"));
    CHECK(std::string(missing.what()) ==
          "404 NOT_FOUND - no queue 'nowhere' in vhost '/' (basic.consume on channel 1)");
    CHECK(missing.diagnostics().code == 404);
    CHECK(missing.diagnostics().text == "NOT_FOUND - no queue 'nowhere' in vhost '/'");
    CHECK(missing.diagnostics().class_id == 60);
    CHECK(missing.diagnostics().method_id == 20);
    CHECK(missing.diagnostics().channel == 1);
    CHECK(missing.diagnostics().operation == "basic.consume");
    CHECK(missing.diagnostics().operation_fate == lv::fate::refused);
    co_await connection.close();
}
