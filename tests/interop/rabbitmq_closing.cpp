// The end of connections and channels with a real RabbitMQ, asked for or by the last handle.
#include "interop/broker.hpp"
#include "interop/task.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace leveret::test;
using delivery = std::optional<lv::amqp::delivery>;

namespace {

template <class T>
asio::awaitable<void> without_result(asio::awaitable<T> operation)
{
    static_cast<void>(co_await std::move(operation));
}

} // namespace

LEVERET_CORO_TEST_CASE("RabbitMQ: closing a connection fails promptly whatever waits on it")
{
    auto connection = co_await connect();
    const auto executor = connection.get_executor();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    auto consumer = co_await channel.consume(queue);
    std::vector<task<void>> tasks;
    tasks.emplace_back(executor, without_result(consumer.next()));
    tasks.emplace_back(executor, without_result(consumer.next()));
    tasks.emplace_back(executor, without_result(channel.next_return()));
    tasks.emplace_back(executor, without_result(connection.open_channel()));
    tasks.emplace_back(executor, without_result(channel.declare_queue()));
    tasks.emplace_back(executor, without_result(channel.get(queue)));
    tasks.emplace_back(executor, without_result(channel.publish_confirmed("", queue, "x")));
    tasks.emplace_back(executor, without_result(channel.consume(queue)));
    tasks.emplace_back(executor, without_result(connection.update_secret("x")));
    co_await turns(); // all of them are sent or about to be
    task<void> closing(executor, connection.close());
    co_await turns();
    const auto began = std::chrono::steady_clock::now();
    for (const auto& t : tasks) {
        const auto e = co_await failure_of<lv::connection_error>(t.join());
        CHECK(e.code() == lv::errc::connection_closed);
    }
    CHECK(std::chrono::steady_clock::now() - began < 1s);
    co_await closing.join();
    CHECK(!connection.is_open());
    co_await connection.close(); // twice is no error
    const auto after = co_await failure_of<lv::connection_error>(channel.declare_queue());
    CHECK(after.code() == lv::errc::connection_closed);
    CHECK(after.diagnostics().code == 0);
}

LEVERET_CORO_TEST_CASE("RabbitMQ: two who close the same connection")
{
    auto connection = co_await connect();
    task<void> one(connection.get_executor(), connection.close());
    task<void> two(connection.get_executor(), connection.close());
    co_await one.join();
    co_await two.join();
    CHECK(!connection.is_open());
}

LEVERET_CORO_TEST_CASE("RabbitMQ: what was published and settled before close arrives")
{
    auto observer_connection = co_await connect();
    auto observer = co_await observer_connection.open_channel();
    const auto queue = unique("before-close");
    co_await observer.declare_queue(queue);
    for (const char* body : {"done", "given back"})
        co_await observer.publish("", queue, body);
    {
        auto connection = co_await connect();
        auto channel = co_await connection.open_channel();
        auto done = co_await channel.get(queue);
        auto back = co_await channel.get(queue);
        done->ack();
        for (int i = 0; i < 1000; ++i)
            co_await channel.publish("", queue, std::string(1000, 'x'));
        co_await connection.close();
    }
    const bool all = co_await holds(observer, queue, 1001);
    CHECK(all);
    auto first = co_await observer.get(queue);
    REQUIRE(first);
    CHECK(first->body() == "given back");
    CHECK(first->redelivered());
    first.reset();
    co_await observer.delete_queue(queue);
    co_await observer_connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: the last handle closes its connection in the background")
{
    auto observer_connection = co_await connect();
    auto observer = co_await observer_connection.open_channel();
    const auto queue = unique("handles");
    co_await observer.declare_queue(queue, {.auto_delete = true});
    {
        auto connection = co_await connect();
        auto channel = co_await connection.open_channel();
        auto consumer = co_await channel.consume(queue);
        connection = lv::amqp::connection(); // the channel keeps it
        co_await turns(3);
        co_await channel.publish("", queue, "1");
        auto d = co_await consumer.next();
        REQUIRE(d);
        channel = lv::amqp::channel(); // the consumer and the delivery keep both
        co_await turns(3);
        CHECK(d->ack());
        co_await observer.publish("", queue, "2");
        d = co_await consumer.next();
        REQUIRE(d);
        CHECK(d->body() == "2");
        d->ack();
    }
    // Nothing is left of it: the queue goes with its last consumer.
    for (bool gone = false; !gone;) {
        auto probe = co_await observer_connection.open_channel();
        try {
            co_await probe.declare_queue(queue, {.passive = true});
        } catch (const lv::channel_error& e) {
            gone = e.code() == lv::reply_code::not_found;
        }
        if (!gone)
            co_await pause(5ms);
    }
    co_await observer_connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: an unsettled delivery outlives its handles, and then goes back")
{
    auto observer_connection = co_await connect();
    auto observer = co_await observer_connection.open_channel();
    const auto queue = unique("outlives");
    co_await observer.declare_queue(queue);
    co_await observer.publish("", queue, "x");
    delivery held;
    lv::payload body;
    {
        auto connection = co_await connect();
        auto channel = co_await connection.open_channel();
        held = co_await channel.get(queue);
        REQUIRE(held);
        body = held->payload();
    }
    co_await turns(5);
    CHECK(held->body() == "x");
    CHECK(!held->is_settled());
    held.reset();
    CHECK(body.view() == "x"); // it is anybody's
    const bool back = co_await holds(observer, queue, 1);
    CHECK(back);
    co_await observer.delete_queue(queue);
    co_await observer_connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: closing a channel leaves the others, and can be done twice")
{
    auto connection = co_await connect();
    auto one = co_await connection.open_channel();
    auto copy = one; // the same channel
    auto two = co_await connection.open_channel();
    const auto queue = (co_await two.declare_queue("", {.exclusive = true})).name();
    auto consumer = co_await one.consume(queue);
    task<delivery> next(connection.get_executor(), consumer.next());
    task<lv::amqp::queue_info> declared(connection.get_executor(), one.declare_queue());
    co_await turns(2);
    co_await copy.close();
    CHECK(!one.is_open());
    const auto ended = co_await failure_of<lv::channel_error>(next.join());
    CHECK(ended.code() == lv::errc::channel_closed);
    CHECK(contains(ended.what(), "the channel is closed"));
    const auto unanswered = co_await failure_of<lv::channel_error>(declared.join());
    CHECK(unanswered.code() == lv::errc::channel_closed);
    co_await one.close();
    co_await consumer.cancel();
    co_await two.publish("", queue, "x");
    const bool there = co_await holds(two, queue, 1);
    CHECK(there);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: handles that never were anything")
{
    const lv::amqp::connection no_connection;
    const lv::amqp::channel no_channel;
    lv::amqp::consumer no_consumer;
    CHECK(!no_connection.is_open());
    CHECK(!no_channel.is_open());
    CHECK(!no_consumer.try_next());
    lv::amqp::connection none;
    co_await none.close();
    lv::amqp::channel nothing;
    co_await nothing.close();
    co_await no_consumer.cancel();
    lv::amqp::delivery no_delivery;
    CHECK(no_delivery.is_settled());
    CHECK(!no_delivery.ack());
    CHECK(nothing.number() == 0);
    CHECK(nothing.lost_returns() == 0);
    CHECK(!nothing.flow_active());
    CHECK(!nothing.ack(1));
    CHECK(no_consumer.tag().empty());
    CHECK_THROWS_AS(static_cast<void>(none.open_channel()), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(none.frame_max()), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(none.update_secret("x")), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(none.get_executor()), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(nothing.declare_queue("q")), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(nothing.publish("", "q", "x")), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(nothing.try_publish("", "q", "x")), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(nothing.publish_confirmed("", "q", "x")), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(nothing.consume("q")), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(nothing.get("q")), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(nothing.next_return()), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(nothing.commit()), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(nothing.recover()), lv::usage_error);
    CHECK_THROWS_AS(lv::amqp::publisher{nothing}, lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(no_consumer.next()), lv::usage_error);
}
