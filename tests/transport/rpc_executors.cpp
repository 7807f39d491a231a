// Calls where the connection's executor is a strand; calls that are monitored and sent again.
#include "support/coro_test.hpp"
#include "support/eventually.hpp"

#include <leveret/memory.hpp>
#include <leveret/rpc.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>

namespace {

namespace lv = leveret;
using namespace leveret::test;
using namespace std::chrono_literals;

asio::awaitable<void> call_and_throw(bool& has_failed)
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto own = co_await connection.open_channel();
    auto channel = co_await connection.open_channel();
    lv::rpc::server node{own, {.topic = "t", .server = "n"}};
    node.add("fail", []() -> int { throw std::runtime_error("as it must"); });
    node.add("add", [](int a, int b) { return a + b; });
    co_await node.start();
    asio::co_spawn(co_await asio::this_coro::executor, node.run(), [](const std::exception_ptr&) {});
    lv::rpc::client client{channel, {.topic = "t"}};
    const int sum = co_await client.call<int>("add", 1, 2);
    CHECK(sum == 3);
    try {
        co_await client.call<int>("fail");
    } catch (const lv::rpc::remote_error&) {
        has_failed = true;
    }
    co_await client.call<int>("fail"); // whoever runs the context is told
}

} // namespace

TEST_CASE("rpc: on a strand, what a caller throws comes out of the context that runs it")
{
    asio::io_context context;
    bool has_failed = false;
    asio::co_spawn(asio::make_strand(context), call_and_throw(has_failed), [](const std::exception_ptr& e) {
        if (e)
            std::rethrow_exception(e);
    });
    CHECK_THROWS_AS(context.run(), lv::rpc::remote_error);
    CHECK(has_failed);
}

LEVERET_CORO_TEST_CASE("rpc: a call that waits to be sent again has no server to be monitored")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();
    const lv::rpc::client client{channel, {.topic = "t"}, lv::rpc::wire::oslo(),
                                 {.timeout = 20s, .call_monitor = 2s, .retries = 1, .retry_interval = 2200ms}};
    const auto begin = std::chrono::steady_clock::now();
    co_await failure_of<lv::rpc::no_server>(client.call<int>("add"));
    CHECK(std::chrono::steady_clock::now() - begin >= 2200ms);
    co_await connection.close();
}
