// Methods of a shared interface whose handlers are coroutines.
#include <leveret/memory.hpp>
#include <leveret/rpc.hpp>

#include "interop/task.hpp"
#include "support/coro_test.hpp"
#include "support/eventually.hpp"

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace leveret::test;
namespace lv = leveret;

namespace {

struct words {
    using longer = lv::rpc::method<"longer", std::string(std::string, std::string)>;
    using first = lv::rpc::method<"first", std::string(std::string)>;
};

} // namespace

LEVERET_CORO_TEST_CASE("rpc: a coroutine that serves an interface may refer to its arguments to its end")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto serving = co_await connection.open_channel();
    auto calling = co_await connection.open_channel();
    lv::rpc::server node{serving, {.topic = "t", .server = "s"}};
    node.add<words::longer>([](const lv::rpc::request& r, const std::string& a, const std::string& b) -> asio::awaitable<std::string> {
        co_await turns(3);
        co_return (a.size() > b.size() ? a : b) + r.method();
    });
    node.add<words::first>([](std::string text) -> asio::awaitable<std::string> {
        co_await turns(3);
        co_return text.substr(0, text.find(' '));
    });
    co_await node.start();
    task<void> run(connection.get_executor(), node.run());
    const lv::rpc::client client{calling, {.topic = "t"}};
    const std::string long_one(100, 'a'), short_one(50, 'b');
    const std::string found = co_await client.call<words::longer>(short_one, long_one);
    CHECK(found == long_one + "longer");
    const std::string first = co_await client.call<words::first>(short_one + " and more of it");
    CHECK(first == short_one);
    node.stop();
    co_await run.join();
    co_await connection.close();
}
