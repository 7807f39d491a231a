// Channels of a real RabbitMQ: opened, closed, in numbers, and their errors, which are theirs alone.
#include "interop/broker.hpp"
#include "interop/task.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace leveret::test;

LEVERET_CORO_TEST_CASE("RabbitMQ: five thousand channels, opened and closed in turn")
{
    constexpr int workers = 50;
    constexpr int each = 100;
    auto connection = co_await connect({.channel_max = 200});
    const auto cycle = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < each; ++i) {
            auto channel = co_await connection.open_channel();
            switch (i % 3) {
            case 0: co_await channel.close(); break;
            case 1: break; // the last handle closes it
            case 2: co_await channel.publish("", "nobody's", "x"); break; // with output behind
            }
        }
    };
    std::vector<task<void>> tasks;
    for (int i = 0; i < workers; ++i)
        tasks.emplace_back(connection.get_executor(), cycle());
    for (const auto& t : tasks)
        co_await t.join();
    auto channel = co_await connection.open_channel();
    CHECK(channel.number() <= 200);
    co_await channel.declare_queue();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: all channels in use, and one free again")
{
    auto connection = co_await connect({.channel_max = 3});
    std::vector<lv::amqp::channel> channels;
    std::set<std::uint16_t> numbers;
    for (int i = 0; i < 3; ++i) {
        channels.push_back(co_await connection.open_channel());
        numbers.insert(channels.back().number());
    }
    CHECK(numbers == std::set<std::uint16_t>{1, 2, 3});
    const auto full = co_await failure_of<lv::channel_error>(connection.open_channel());
    CHECK(full.code() == lv::errc::no_free_channel);
    CHECK(contains(full.what(), "all 3 channels of the connection are in use"));

    co_await channels[1].close();
    auto again = co_await connection.open_channel();
    CHECK(again.number() == 2);
    const auto missing = co_await failure_of<lv::channel_error>(channels[2].get("nowhere"));
    CHECK(missing.code() == lv::reply_code::not_found);
    auto in_its_place = co_await connection.open_channel(); // the broker's close frees the number too
    CHECK(in_its_place.number() == 3);
    co_await in_its_place.declare_queue();
    CHECK(!channels[2].is_open()); // the old handle stays what it was
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: many channels at once, each at work")
{
    constexpr std::size_t count = 300;
    constexpr int each = 20;
    auto connection = co_await connect();
    std::size_t done = 0;
    const auto work = [&](std::size_t n) -> asio::awaitable<void> {
        auto channel = co_await connection.open_channel();
        const auto queue = unique("channel");
        co_await channel.declare_queue(queue, {.exclusive = true});
        auto consumer = co_await channel.consume(queue, {.prefetch = 5});
        for (int i = 0; i < each; ++i)
            co_await channel.publish("", queue, std::to_string(n) + "." + std::to_string(i));
        for (int i = 0; i < each; ++i) {
            auto d = co_await consumer.next();
            if (d->body() != std::to_string(n) + "." + std::to_string(i))
                throw std::runtime_error("a message of another channel");
            d->ack();
        }
        co_await consumer.cancel();
        co_await channel.close();
        ++done;
    };
    std::vector<task<void>> tasks;
    for (std::size_t n = 0; n < count; ++n)
        tasks.emplace_back(connection.get_executor(), work(n));
    for (const auto& t : tasks)
        co_await t.join();
    CHECK(done == count);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: an error ends its channel with all that waits there, and no other")
{
    auto connection = co_await connect();
    auto bad = co_await connection.open_channel();
    auto good = co_await connection.open_channel();
    const auto queue = (co_await good.declare_queue("", {.exclusive = true})).name();
    auto doomed = co_await bad.consume(queue);
    task<std::optional<lv::amqp::delivery>> next(connection.get_executor(), doomed.next());
    task<lv::amqp::returned_message> returned(connection.get_executor(), bad.next_return());
    co_await turns(3);
    task<std::optional<lv::amqp::delivery>> cause(connection.get_executor(), bad.get("nowhere"));
    task<lv::amqp::queue_info> behind(connection.get_executor(), bad.declare_queue());

    const auto why = co_await failure_of<lv::channel_error>(cause.join());
    CHECK(why.diagnostics().operation_fate == lv::fate::refused);
    std::vector<lv::channel_error> others;
    others.push_back(co_await failure_of<lv::channel_error>(next.join()));
    others.push_back(co_await failure_of<lv::channel_error>(returned.join()));
    others.push_back(co_await failure_of<lv::channel_error>(behind.join()));
    others.push_back(co_await failure_of<lv::channel_error>(bad.commit()));
    for (const lv::channel_error& e : others) {
        CHECK(e.code() == lv::reply_code::not_found);
        CHECK(contains(e.what(), "404 NOT_FOUND - no queue 'nowhere' in vhost '/' (basic.get"));
    }
    CHECK(!bad.is_open());
    co_await bad.close(); // has ended: no error
    co_await doomed.cancel();

    auto consumer = co_await good.consume(queue);
    co_await good.publish("", queue, "unharmed");
    auto d = co_await consumer.next();
    REQUIRE(d);
    CHECK(d->body() == "unharmed");
    d->ack();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: flow(true) is answered")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    co_await channel.flow(true);
    CHECK(channel.flow_active());
    co_await channel.declare_queue();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: requests of one channel in flight at once are answered each")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto executor = connection.get_executor();
    // The channel answers a declaration at once, but has consume and cancel answered by their queues.
    for (int round = 0; round < 20; ++round) {
        const auto first = unique("first");
        const auto second = unique("second");
        co_await channel.declare_queue(first, {.exclusive = true});
        co_await channel.declare_queue(second, {.exclusive = true});
        task<lv::amqp::consumer> one(executor, channel.consume(first, {.tag = "one"}));
        task<lv::amqp::consumer> two(executor, channel.consume(second, {.tag = "two"}));
        task<lv::amqp::queue_info> info(executor, channel.declare_queue(first, {.exclusive = true}));
        task<std::optional<lv::amqp::delivery>> got(executor, channel.get(second));
        auto consumer_one = co_await one.join();
        auto consumer_two = co_await two.join();
        const auto declared = co_await info.join();
        const auto nothing = co_await got.join();
        CHECK(declared.name() == first);
        CHECK(!nothing);
        task<void> leave_one(executor, consumer_one.cancel());
        task<void> leave_two(executor, consumer_two.cancel());
        task<std::uint32_t> purged(executor, channel.purge_queue(first));
        co_await leave_two.join();
        co_await leave_one.join();
        const auto none = co_await purged.join();
        CHECK(none == 0);
    }
    co_await connection.close();
}
