// Errors of a whole connection, by a real RabbitMQ: everything on it fails promptly, with one reason.
#include "interop/broker.hpp"
#include "interop/child.hpp"
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

namespace {

/// What was asked of RabbitMQ that it does not do; the channel, or else its whole connection, is lost.
asio::awaitable<void> expect_540(asio::awaitable<void> operation, std::string text)
{
    const auto e = co_await failure_of<lv::connection_error>(std::move(operation));
    CHECK(e.code() == lv::reply_code::not_implemented);
    CHECK(e.diagnostics().code == 540);
    CHECK(e.diagnostics().text == "NOT_IMPLEMENTED - " + text);
    CHECK(contains(e.what(), "540 NOT_IMPLEMENTED - " + text));
}

} // namespace

LEVERET_CORO_TEST_CASE("RabbitMQ: flow(false), recover(false) and immediate are not implemented: 540")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    co_await expect_540(channel.flow(false), "active=false");
    CHECK(!connection.is_open());

    connection = co_await connect();
    channel = co_await connection.open_channel();
    co_await expect_540(channel.recover(false), "requeue=false");

    connection = co_await connect();
    channel = co_await connection.open_channel();
    co_await channel.publish("", "nobody's", "x", {.immediate = true});
    const auto later = co_await failure_of<lv::connection_error>(channel.declare_queue());
    CHECK(later.code() == lv::reply_code::not_implemented);
    CHECK(contains(later.what(), "540 NOT_IMPLEMENTED - immediate=true (basic.publish"));
    CHECK(contains(later.what(), "queue.declare was not completed"));

    connection = co_await connect();
    channel = co_await connection.open_channel();
    const auto confirmed = co_await failure_of<lv::connection_error>(
        channel.publish_confirmed("", "nobody's", "x", {.immediate = true}));
    CHECK(confirmed.code() == lv::reply_code::not_implemented);
}

LEVERET_CORO_TEST_CASE("RabbitMQ itself: an unknown exchange type ends the connection of RabbitMQ 3: 503")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto e =
        co_await failure_of<lv::connection_error>(channel.declare_exchange(unique("type"), "no-such"));
    CHECK(e.code() == lv::reply_code::command_invalid);
    CHECK(e.diagnostics().operation == "exchange.declare");
    CHECK(contains(e.what(), "503 COMMAND_INVALID - unknown exchange type 'no-such'"));
}

LEVERET_CORO_TEST_CASE("RabbitMQ: an error of the connection reaches everything that waits on it")
{
    auto connection = co_await connect();
    const auto executor = connection.get_executor();
    auto first = co_await connection.open_channel();
    auto second = co_await connection.open_channel();
    const auto queue = (co_await first.declare_queue("", {.exclusive = true})).name();
    auto consumer = co_await first.consume(queue);
    auto unsettled_source = co_await connection.open_channel();
    co_await unsettled_source.publish("", queue, "held");
    auto held = co_await consumer.next();

    std::vector<task<void>> tasks;
    const auto wait_for = [](auto operation) -> asio::awaitable<void> {
        static_cast<void>(co_await std::move(operation));
    };
    tasks.emplace_back(executor, wait_for(consumer.next()));
    tasks.emplace_back(executor, wait_for(first.next_return()));
    tasks.emplace_back(executor, wait_for(second.flow(false))); // who causes it
    tasks.emplace_back(executor, wait_for(second.get(queue))); // behind it: never answered
    tasks.emplace_back(executor, wait_for(second.publish_confirmed("", queue, "x")));
    tasks.emplace_back(executor, wait_for(second.consume(queue)));
    for (const auto& t : tasks) {
        const auto e = co_await failure_of<lv::connection_error>(t.join());
        CHECK(e.code() == lv::reply_code::not_implemented);
        CHECK(contains(e.what(), "active=false"));
    }
    CHECK(!connection.is_open());
    CHECK(!first.is_open());
    CHECK(held->is_settled());
    CHECK(!held->ack());

    const auto after = co_await failure_of<lv::connection_error>(first.publish("", queue, "x"));
    CHECK(after.diagnostics().operation_fate == lv::fate::never_sent);
    const auto opened = co_await failure_of<lv::connection_error>(connection.open_channel());
    CHECK(opened.code() == lv::reply_code::not_implemented);
    co_await first.close(); // ended already: no errors
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ itself: a connection closed by the operator: 320")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    auto consumer = co_await channel.consume(queue);
    task<delivery> waiting(connection.get_executor(), consumer.next());
    const std::vector<std::string> command{"close_all_connections", "maintenance"};
    co_await rabbitmqctl(connection.get_executor(), command);
    const auto e = co_await failure_of<lv::connection_error>(waiting.join());
    CHECK(e.code() == lv::reply_code::connection_forced);
    CHECK(contains(e.what(), "320 CONNECTION_FORCED - maintenance"));
}
