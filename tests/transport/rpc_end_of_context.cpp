// An execution context that is destroyed takes calls, servers and listeners with it, wherever they wait.
#include <leveret/memory.hpp>
#include <leveret/notify.hpp>
#include <leveret/rpc.hpp>

#include "support/eventually.hpp"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

using namespace leveret::test;
namespace lv = leveret;

namespace {

using memory_client = lv::rpc::client<lv::memory::channel>;
using memory_server = lv::rpc::server<lv::memory::channel>;

/// Counted by who holds it: all must have let it go in the end.
using token = std::shared_ptr<int>;

struct kept {
    std::optional<memory_client> caller;
    std::optional<memory_server> node;
};

asio::awaitable<void> calling(memory_client c, token held)
{
    co_await c.call<int>("wait");
    ++*held;
}
asio::awaitable<void> serving(memory_server& node, token held)
{
    co_await node.run();
    ++*held;
}

asio::awaitable<void> work(asio::io_context& context, token held, kept* outside)
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto first = co_await connection.open_channel();
    auto second = co_await connection.open_channel();
    std::optional<memory_server> own;
    memory_server& node = (outside != nullptr ? outside->node : own).emplace(first, lv::rpc::target_options{.topic = "t", .server = "s"});
    bool waits = false;
    const auto wait = [&waits](token t) -> asio::awaitable<int> {
        waits = true;
        co_await pause(std::chrono::hours(1));
        co_return *t;
    };
    node.add("wait", [&wait, &held] { return wait(held); });
    co_await node.start();
    const auto ignore = [](std::exception_ptr) {};
    asio::co_spawn(context, serving(node, held), ignore);
    memory_client c{second, {.topic = "t"}};
    if (outside != nullptr)
        outside->caller.emplace(c);
    asio::co_spawn(context, calling(c, held), ignore);
    lv::notify::listener desk{first, {.topic = "n"}};
    desk.on(lv::notify::priority::info, [held](const lv::notify::notification&) {});
    co_await desk.start();
    asio::co_spawn(context, desk.run(), ignore);
    co_await eventually([&waits] { return waits; });
    context.stop();
    co_await pause(std::chrono::hours(1));
}

} // namespace

TEST_CASE("rpc: the end of an execution context is the end of all that waits in it")
{
    const token held = std::make_shared<int>(0);
    {
        asio::io_context context{1};
        asio::co_spawn(context, work(context, held, nullptr), [](std::exception_ptr) {});
        context.run();
        CHECK(held.use_count() > 4);
    }
    CHECK(held.use_count() == 1);
    CHECK(*held == 0);
}

TEST_CASE("rpc: clients and servers may outlive their execution context")
{
    const token held = std::make_shared<int>(0);
    kept outside;
    {
        asio::io_context context{1};
        asio::co_spawn(context, work(context, held, &outside), [](std::exception_ptr) {});
        context.run();
    }
    outside.node->stop();
    CHECK(outside.caller->in_flight() == 0);
    outside.caller.reset();
    outside.node.reset();
    CHECK(held.use_count() == 1);
}
