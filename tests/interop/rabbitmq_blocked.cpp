// connection.blocked and unblocked: a real RabbitMQ whose memory alarm is set off.
#include "interop/broker.hpp"
#include "interop/child.hpp"
#include "interop/task.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <exception>
#include <string>
#include <vector>

using namespace leveret::test;

namespace {

asio::awaitable<void> set_memory_alarm(asio::any_io_executor executor, bool on)
{
    std::vector<std::string> command{"set_vm_memory_high_watermark"};
    if (on)
        command.push_back("0"); // everything is too much
    else
        command.insert(command.end(), {"absolute", "2GB"}); // as tests/support/rabbitmq configures it
    co_await rabbitmqctl(executor, std::move(command));
}

/// What a publisher goes through while the broker has no memory.
asio::awaitable<void> publish_through_an_alarm(asio::any_io_executor executor)
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    CHECK(!connection.is_blocked());

    co_await set_memory_alarm(executor, true);
    co_await channel.publish("", queue, "1"); // who publishes is blocked
    co_await eventually([&] { return connection.is_blocked(); });
    CHECK(connection.blocked_reason() == "low on memory");
    CHECK(!channel.try_publish("", queue, "not now"));

    const auto began = std::chrono::steady_clock::now();
    const auto late =
        co_await failure_of<lv::timeout_error>(channel.publish("", queue, "never", {.timeout = 100ms}));
    CHECK(std::chrono::steady_clock::now() - began >= 100ms);
    CHECK(late.code() == lv::errc::timed_out);
    CHECK(late.diagnostics().operation_fate == lv::fate::never_sent);
    CHECK(contains(late.what(), "low on memory"));
    const auto late_too = co_await failure_of<lv::timeout_error>(
        channel.publish_confirmed("", queue, "never", {.timeout = 10ms}));
    CHECK(late_too.diagnostics().operation_fate == lv::fate::never_sent);

    task<void> cancelled(connection.get_executor(), channel.publish("", queue, "never"));
    task<void> second(connection.get_executor(), channel.publish("", queue, "2"));
    task<lv::publish_result> third(connection.get_executor(),
                                   channel.publish_confirmed("", queue, "3"));
    co_await turns(3);
    cancelled.cancel();
    const auto e = co_await failure_of<lv::operation_cancelled>(cancelled.join());
    CHECK(e.diagnostics().operation_fate == lv::fate::never_sent);
    CHECK(!second.is_done());
    CHECK(!third.is_done());

    auto other = co_await connect(); // who only consumes is not blocked
    auto reading = co_await other.open_channel();
    co_await reading.declare_queue();
    CHECK(!other.is_blocked());
    co_await other.close();

    co_await set_memory_alarm(executor, false);
    co_await second.join();
    const auto confirmed = co_await third.join();
    CHECK(confirmed.is_confirmed());
    CHECK(!connection.is_blocked());
    CHECK(connection.blocked_reason().empty());
    CHECK(channel.try_publish("", queue, "4"));
    std::string bodies;
    auto consumer = co_await channel.consume(queue);
    while (bodies.size() < 4) {
        auto d = co_await consumer.next();
        bodies += d->body();
        d->ack();
    }
    CHECK(bodies == "1234");
    co_await connection.close();
}

} // namespace

LEVERET_CORO_TEST_CASE("RabbitMQ itself: publishing waits while the connection is blocked, and goes on after")
{
    const auto executor = co_await asio::this_coro::executor;
    std::exception_ptr failed;
    try {
        co_await publish_through_an_alarm(executor);
    } catch (...) {
        failed = std::current_exception();
    }
    co_await set_memory_alarm(executor, false); // whatever happened: other tests have the same node
    if (failed)
        std::rethrow_exception(failed);
}

LEVERET_CORO_TEST_CASE("RabbitMQ itself: a blocked connection can be closed, and fails those who wait")
{
    const auto executor = co_await asio::this_coro::executor;
    co_await set_memory_alarm(executor, true);
    std::exception_ptr failed;
    try {
        auto connection = co_await connect();
        auto channel = co_await connection.open_channel();
        co_await channel.publish("", "nobody's", "x");
        co_await eventually([&] { return connection.is_blocked(); });
        task<void> waiting(executor, channel.publish("", "nobody's", "y"));
        co_await turns(3);
        const auto began = std::chrono::steady_clock::now();
        co_await connection.close({.timeout = 200ms}); // RabbitMQ does not read: no answer comes
        CHECK(std::chrono::steady_clock::now() - began < 2s);
        const auto e = co_await failure_of<lv::connection_error>(waiting.join());
        CHECK(e.code() == lv::errc::connection_closed);
        CHECK(e.diagnostics().operation_fate == lv::fate::never_sent);
    } catch (...) {
        failed = std::current_exception();
    }
    co_await set_memory_alarm(executor, false);
    if (failed)
        std::rethrow_exception(failed);
}
