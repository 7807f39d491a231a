// What is the in-memory transport's own: lives and ends of brokers, connections and io_contexts, memory, and
// the clock. What it has in common with others is in conformance/.
#include "transport/counted_malloc.hpp"

#include "support/coro_test.hpp"
#include "support/outcome.hpp"

#include <leveret/memory.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lv = leveret;
using namespace std::chrono_literals;
using lv::test::allocations_of_this_thread;
using lv::test::background;
using lv::test::outcome;
using lv::test::outcome_of;

LEVERET_CORO_TEST_CASE("memory: two brokers see nothing of each other; one outlives its handle")
{
    std::optional<lv::memory::broker> one(std::in_place);
    lv::memory::broker two;
    auto a = co_await lv::memory::connect(*one);
    auto b = co_await lv::memory::connect(two);
    auto at_one = co_await a.open_channel();
    auto at_two = co_await b.open_channel();
    co_await at_one.declare_queue("q");
    const outcome missing = co_await outcome_of(at_two.declare_queue("q", {.passive = true}));
    CHECK(missing.code() == lv::reply_code::not_found);
    one.reset();
    co_await at_one.publish("", "q", "still there");
    auto d = co_await at_one.get("q");
    REQUIRE(d);
    CHECK(d->body() == "still there");
    co_await a.close();
    CHECK(d->body() == "still there"); // a delivery keeps what it shows
    CHECK_FALSE(d->ack());
    co_await b.close();
}

LEVERET_CORO_TEST_CASE("memory: virtual hosts")
{
    lv::memory::broker broker;
    const outcome none = co_await outcome_of(lv::memory::connect(broker, {.virtual_host = "staging"}));
    CAPTURE(none);
    CHECK(none.what() == outcome::kind::connection);
    CHECK(none.code() == lv::reply_code::not_allowed);
    CHECK(none.words().find("vhost staging not found") != std::string::npos);
    broker.add_virtual_host("staging");
    auto there = co_await lv::memory::connect(broker, {.virtual_host = "staging"});
    auto here = co_await lv::memory::connect(broker);
    auto channel = co_await there.open_channel();
    co_await channel.declare_queue("q");
    auto other = co_await here.open_channel();
    const outcome missing = co_await outcome_of(other.declare_queue("q", {.passive = true}));
    CHECK(missing.code() == lv::reply_code::not_found);
    co_await there.close();
    co_await here.close();
}

TEST_CASE("memory: a broker whose home has no connection left has its next home elsewhere")
{
    lv::memory::broker broker;
    asio::io_context first{1};
    asio::io_context second{1};
    const auto run = [](asio::io_context& c, auto body) {
        std::exception_ptr error;
        asio::co_spawn(c, body(), [&](std::exception_ptr e) { error = e; });
        c.restart();
        c.run_for(5s);
        if (error)
            std::rethrow_exception(error);
    };
    bool has_message = false;
    const auto open = [&]() -> asio::awaitable<void> {
        auto connection = co_await lv::memory::connect(broker);
        auto channel = co_await connection.open_channel();
        co_await channel.declare_queue("q");
        co_await channel.publish("", "q", "x");
        co_await connection.close();
    };
    run(first, open);
    const auto again = [&]() -> asio::awaitable<void> {
        auto connection = co_await lv::memory::connect(broker);
        auto channel = co_await connection.open_channel();
        auto d = co_await channel.get("q", {.no_ack = true});
        has_message = d.has_value();
        co_await connection.close();
    };
    run(second, again);
    CHECK(has_message);
}

TEST_CASE("memory: handles outlive the io_context, with everything pending")
{
    lv::memory::broker broker;
    std::optional<lv::memory::connection> connection;
    std::vector<lv::memory::channel> channels;
    std::vector<lv::memory::consumer> consumers;
    std::vector<lv::memory::delivery> deliveries;
    {
        asio::io_context context{1};
        const auto live = [&]() -> asio::awaitable<void> {
            connection = co_await lv::memory::connect(broker);
            auto channel = co_await connection->open_channel();
            channels.push_back(channel);
            co_await channel.declare_queue("q", {.message_ttl = 1h});
            co_await channel.publish("", "q", "held");
            co_await channel.publish("", "q", "waits");
            auto consumer = co_await channel.consume("q");
            auto d = co_await consumer.next();
            deliveries.push_back(std::move(*d));
            consumers.push_back(std::move(consumer));
            auto empty = co_await channel.consume("q", {.no_ack = true});
            static_cast<void>(co_await empty.next()); // for ever
        };
        asio::co_spawn(context, live(), [](std::exception_ptr) {});
        for (int i = 0; i < 20; ++i)
            context.poll();
        REQUIRE(deliveries.size() == 1);
    }
    CHECK_FALSE(connection->is_open());
    CHECK_FALSE(channels[0].is_open());
    CHECK(deliveries[0].body() == "held");
    CHECK_FALSE(deliveries[0].ack());
    auto waits = consumers[0].try_next();
    CHECK(waits.has_value());
    CHECK_THROWS_AS(channels[0].try_publish("", "q", "x"), lv::error);
}

LEVERET_CORO_TEST_CASE("memory: awaitables that are made and never awaited do nothing")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("q");
    {
        auto unused1 = channel.declare_queue("never");
        auto unused2 = channel.publish("", "q", "never");
        auto unused3 = channel.consume("q", {.tag = "never"});
        auto unused4 = channel.publish_confirmed("", "q", "never");
        auto unused5 = connection.open_channel();
        auto unused6 = channel.get("q");
        auto unused7 = channel.close();
    }
    const auto info = co_await channel.declare_queue("q", {.passive = true});
    CHECK(info.message_count() == 0);
    CHECK(info.consumer_count() == 0);
    const outcome missing = co_await outcome_of(channel.declare_queue("never", {.passive = true}));
    CHECK(missing.code() == lv::reply_code::not_found);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("memory: a consumer that lags leaves messages with the broker, and gets them all in order")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("q");
    auto consumer = co_await channel.consume("q", {.no_ack = true});
    constexpr int count = 20'000;
    for (int i = 0; i < count; ++i)
        co_await channel.publish("", "q", std::to_string(i));
    const auto info = co_await channel.declare_queue("q", {.passive = true});
    CHECK(info.message_count() > count / 2);
    for (int i = 0; i < count; ++i) {
        auto d = co_await consumer.next({.timeout = 5s});
        REQUIRE(d);
        REQUIRE(d->body() == std::to_string(i));
    }
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("memory: publishing waits while the broker is full, and goes on")
{
    lv::broker::options o;
    o.limits.memory_high = 100'000;
    o.limits.memory_low = 50'000;
    lv::memory::broker broker(o);
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("q");
    const std::string body(10'000, 'x');
    int published = 0;
    for (; !connection.is_blocked(); ++published) {
        REQUIRE(published < 20);
        co_await channel.publish("", "q", body);
    }
    CHECK(connection.blocked_reason() == "low on memory");
    CHECK_FALSE(channel.try_publish("", "q", body));
    const outcome late = co_await outcome_of(channel.publish("", "q", body, {.timeout = 10ms}));
    CHECK(late.what() == outcome::kind::timeout);
    CHECK(late.details().operation_fate == lv::fate::never_sent);
    background waits(co_await asio::this_coro::executor, channel.publish("", "q", body));
    auto other = co_await connection.open_channel();
    static_cast<void>(co_await other.purge_queue("q"));
    const outcome goes_on = co_await waits.join();
    CHECK(goes_on.ok());
    CHECK_FALSE(connection.is_blocked());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("memory: in the steady state nothing is allocated but a body for each message")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_exchange("e", lv::exchange_type::direct);
    co_await channel.declare_queue("q");
    co_await channel.bind_queue("q", "e", "k");
    auto consumer = co_await channel.consume("q", {.no_ack = true});
    const lv::message m("0123456789abcdef");
    std::uint64_t before = 0;
    constexpr int count = 10'000;
    for (int i = 0; i < 2 * count; ++i) {
        if (i == count)
            before = allocations_of_this_thread();
        co_await channel.publish("e", "k", m);
        auto d = co_await consumer.next();
        REQUIRE(d);
    }
    CHECK(allocations_of_this_thread() - before < count / 20); // for the turns in which others may run
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("memory: a message that comes back when its channel ends goes on growing old")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("dead");
    const lv::queue_options o{.message_ttl = 30ms, .dead_letter_exchange = "", .dead_letter_routing_key = "dead"};
    co_await channel.declare_queue("q", o);
    auto dead = co_await channel.consume("dead");
    auto other = co_await connection.open_channel();
    co_await channel.publish("", "q", "x");
    auto held = co_await other.get("q");
    REQUIRE(held);
    co_await other.close();
    auto d = co_await dead.next({.timeout = 5s});
    REQUIRE(d);
    CHECK(d->body() == "x");
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("memory: a loop of operations that never have to wait lets others run")
{
    const auto executor = co_await asio::this_coro::executor;
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("q", {.max_length = 1});
    bool is_over = false;
    background other(executor, [](bool& over) -> asio::awaitable<void> {
        over = true;
        co_return;
    }(is_over));
    int turns = 0;
    for (; !is_over && turns < 100'000; ++turns)
        co_await channel.publish("", "q", "x");
    CHECK(is_over);
    is_over = false;
    background again(executor, [](bool& over) -> asio::awaitable<void> {
        over = true;
        co_return;
    }(is_over));
    auto consumer = co_await channel.consume("q");
    for (turns = 0; !is_over && turns < 100'000; ++turns) {
        auto d = co_await consumer.next();
        d->nack(); // comes back at once
    }
    CHECK(is_over);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("memory: recover asks for no more than was out")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("q");
    for (int i = 0; i < 10'000; ++i)
        co_await channel.publish("", "q", "x");
    auto consumer = co_await channel.consume("q", {.prefetch = 0});
    co_await channel.recover();
    int redelivered = 0;
    for (int i = 0; i < 10'000; ++i) {
        auto d = co_await consumer.next({.timeout = 5s});
        REQUIRE(d);
        redelivered += d->redelivered() ? 1 : 0;
        d->ack();
    }
    CHECK(redelivered > 0);
    CHECK(redelivered <= 4096);
    co_await connection.close();
}
