// Publisher confirms of a real RabbitMQ: publish_confirmed and its three outcomes.
#include "interop/broker.hpp"
#include "interop/task.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

using namespace leveret::test;
using lv::publish_result;

LEVERET_CORO_TEST_CASE("RabbitMQ: a confirmed publish is in the queue")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    const auto safe =
        co_await channel.publish_confirmed("", queue, lv::message{"safe"}.persistent());
    CHECK(safe);
    CHECK(safe.outcome() == lv::publish_outcome::confirmed);
    CHECK(safe.reply_code() == lv::reply_code::success);
    const auto empty = co_await channel.publish_confirmed("", queue, "");
    CHECK(empty.is_confirmed());
    auto other = co_await connection.open_channel();
    const bool both = co_await holds(other, queue, 2);
    CHECK(both);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a confirmed publish that reaches no queue is unroutable")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto lost = co_await channel.publish_confirmed("", "nobody's queue", "x");
    CHECK(!lost);
    CHECK(lost.is_unroutable());
    CHECK(static_cast<int>(lost.reply_code()) == 312);
    CHECK(lost.reply_text() == "NO_ROUTE");
    const auto unasked =
        co_await channel.publish_confirmed("", "nobody's queue", "x", {.mandatory = false});
    CHECK(unasked.is_confirmed()); // RabbitMQ has done with it what was asked: dropped it

    // Its return was the publish's own; one of a plain publish is still for next_return.
    co_await channel.publish("", "nobody's queue", "plain", {.mandatory = true});
    const auto returned = co_await channel.next_return();
    CHECK(returned.message().text() == "plain");
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: returns of equal messages in flight find their publishes")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    std::vector<task<publish_result>> tasks;
    for (int i = 0; i < 60; ++i) {
        const std::string key = i % 3 == 0 ? queue : "nobody's";
        const std::string body = i % 2 == 0 ? "same" : "other";
        tasks.emplace_back(connection.get_executor(), channel.publish_confirmed("", key, body));
        if (i % 10 == 0) // the same by itself, in between
            co_await channel.publish("", "nobody's", "same", {.mandatory = true});
    }
    int good = 0;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const auto result = co_await tasks[i].join();
        good += i % 3 == 0 ? result.is_confirmed() : result.is_unroutable();
    }
    CHECK(good == 60);
    for (int i = 0; i < 6; ++i) {
        const auto returned = co_await channel.next_return();
        CHECK(returned.message().text() == "same");
    }
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a full queue rejects, and accepts again when there is room")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("full");
    co_await channel.declare_queue(queue, {.exclusive = true,
                                           .max_length = 1,
                                           .overflow = lv::overflow::reject_publish});
    const auto fits = co_await channel.publish_confirmed("", queue, "1");
    const auto refused = co_await channel.publish_confirmed("", queue, "2");
    CHECK(fits.is_confirmed());
    CHECK(!refused);
    CHECK(refused.is_rejected());
    co_await channel.purge_queue(queue);
    const auto fits_again = co_await channel.publish_confirmed("", queue, "3");
    CHECK(fits_again.is_confirmed());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a thousand confirms in flight on several channels")
{
    constexpr std::size_t channels = 4;
    constexpr std::size_t each = 250;
    auto connection = co_await connect();
    std::vector<lv::amqp::channel> opened;
    std::vector<std::string> queues;
    for (std::size_t i = 0; i < channels; ++i) {
        opened.push_back(co_await connection.open_channel());
        queues.push_back((co_await opened[i].declare_queue("", {.exclusive = true})).name());
    }
    std::vector<task<publish_result>> tasks;
    for (std::size_t n = 0; n < each; ++n)
        for (std::size_t i = 0; i < channels; ++i)
            tasks.emplace_back(connection.get_executor(),
                               opened[i].publish_confirmed("", queues[i], std::to_string(n)));
    std::size_t confirmed = 0;
    for (const auto& t : tasks) {
        const auto result = co_await t.join();
        confirmed += result.is_confirmed();
    }
    CHECK(confirmed == channels * each);
    for (std::size_t i = 0; i < channels; ++i) {
        const auto purged = co_await opened[i].purge_queue(queues[i]);
        CHECK(purged == each);
    }
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: confirm mode selected first, then plain and confirmed publishes mixed")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    co_await channel.publish("", queue, "before");
    co_await channel.select_confirms();
    co_await channel.select_confirms(); // twice is legal
    for (int i = 0; i < 10; ++i) {
        co_await channel.publish("", queue, "plain");
        const auto result = co_await channel.publish_confirmed("", queue, "confirmed");
        CHECK(result.is_confirmed());
    }
    const auto purged = co_await channel.purge_queue(queue);
    CHECK(purged == 21);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a confirmed publish fails with its channel")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto missing =
        co_await failure_of<lv::channel_error>(channel.publish_confirmed("nowhere", "", "x"));
    CHECK(missing.code() == lv::reply_code::not_found);
    CHECK(contains(missing.what(), "404 NOT_FOUND - no exchange 'nowhere' in vhost '/'"));
    CHECK(missing.diagnostics().operation == "basic.publish");

    // The others in flight are not known to have arrived.
    channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    task<publish_result> bad(connection.get_executor(), channel.publish_confirmed("nowhere", "", "x"));
    task<publish_result> behind(connection.get_executor(), channel.publish_confirmed("", queue, "x"));
    const auto first = co_await failure_of<lv::channel_error>(bad.join());
    const auto second = co_await failure_of<lv::channel_error>(behind.join());
    CHECK(first.code() == lv::reply_code::not_found);
    CHECK(second.code() == lv::reply_code::not_found);
    CHECK(second.diagnostics().operation_fate == lv::fate::unknown);
    co_await connection.close();
}
