// A server whose broker takes no messages: its answers wait for as long as their callers do.
#include <leveret/memory.hpp>
#include <leveret/rpc.hpp>

#include "interop/task.hpp"
#include "support/coro_test.hpp"
#include "support/eventually.hpp"

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace leveret::test;
using namespace std::chrono_literals;
namespace lv = leveret;

LEVERET_CORO_TEST_CASE("rpc: an answer waits while the broker takes no messages, and is dropped with its caller")
{
    lv::memory::broker broker({.limits = {.memory_high = 1'000'000, .memory_low = 500'000}});
    auto connection = co_await lv::memory::connect(broker);
    auto filling = co_await connection.open_channel();
    auto serving = co_await connection.open_channel();
    auto calling = co_await connection.open_channel();
    co_await filling.declare_queue("much", {});
    lv::rpc::server node{serving, {.topic = "t", .server = "s"}};
    node.add("fill", [&]() -> asio::awaitable<int> {
        const std::string large(2'000'000, 'x');
        co_await filling.publish("", "much", large);
        co_await filling.publish("", "much", "x"); // by which the connection is told, as RabbitMQ does it
        co_return 1;
    });
    co_await node.start();
    task<void> run(connection.get_executor(), node.run());

    lv::rpc::client patient{calling, {.topic = "t"}, {.timeout = 60s}};
    task<int> call(connection.get_executor(), patient.call<int>("fill"));
    co_await eventually([&] { return connection.is_blocked(); });
    co_await turns(20);
    CHECK(!call.is_done());
    co_await filling.purge_queue("much");
    const int answer = co_await call.join();
    CHECK(answer == 1);

    const auto hurried = patient.prepare({.timeout = 50ms});
    co_await failure_of<lv::rpc::timeout>(hurried.call<int>("fill"));
    co_await eventually([&] { return node.given_up() == 1; });
    CHECK(!run.is_done()); // the server goes on
    co_await filling.purge_queue("much");
    co_await eventually([&] { return !connection.is_blocked(); });
    task<int> later(connection.get_executor(), patient.call<int>("fill"));
    co_await eventually([&] { return connection.is_blocked(); });
    co_await filling.purge_queue("much");
    const int last = co_await later.join();
    CHECK(last == 1);
    CHECK(node.given_up() == 1);
    node.stop();
    co_await run.join();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("rpc: a server that is stopped waits with its answers no longer than its own timeout")
{
    lv::memory::broker broker({.limits = {.memory_high = 1'000'000, .memory_low = 500'000}});
    auto connection = co_await lv::memory::connect(broker);
    auto filling = co_await connection.open_channel();
    auto serving = co_await connection.open_channel();
    auto calling = co_await connection.open_channel();
    co_await filling.declare_queue("much", {});
    lv::rpc::server node{serving, {.topic = "t", .server = "s"}, {.timeout = 100ms}};
    node.add("fill", [&]() -> asio::awaitable<int> {
        const std::string large(2'000'000, 'x');
        co_await filling.publish("", "much", large);
        co_await filling.publish("", "much", "x");
        co_return 1;
    });
    co_await node.start();
    task<void> run(connection.get_executor(), node.run());
    const lv::rpc::client client{calling, {.topic = "t"}, {.timeout = lv::duration::never()}};
    task<int> call(connection.get_executor(), client.call<int>("fill"));
    co_await eventually([&] { return connection.is_blocked(); });
    co_await turns(20);
    node.stop();
    co_await run.join();
    CHECK(node.given_up() == 0);
    CHECK_FALSE(call.is_done());
    call.cancel();
    co_await failure_of<lv::operation_cancelled>(call.join());
    co_await connection.close();
}
