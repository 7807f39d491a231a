// Calls between the parts of one process, and a word to whoever listens: the same lines work over AMQP.
#include <leveret/memory.hpp>
#include <leveret/notify.hpp>
#include <leveret/rpc.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

namespace lv = leveret;

namespace {

struct item {
    std::string name;
    int left = 0;
};
constexpr auto json_members(lv::json_type<item>)
{
    return std::tuple(lv::json_member{"name", &item::name}, lv::json_member{"left", &item::left});
}

struct shop {
    using order = lv::rpc::method<"order", item(std::string, int), "name", "count">;
};

asio::awaitable<int> fib(int n)
{
    if (n < 0)
        throw std::invalid_argument("fib of a negative number");
    int a = 0, b = 1;
    for (; n > 0; --n)
        b += std::exchange(a, b);
    co_return a;
}

asio::awaitable<void> work()
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto server_channel = co_await connection.open_channel();
    auto channel = co_await connection.open_channel();

    lv::rpc::server node{server_channel, {.topic = "calc", .server = "node1"}};
    node.add("fib", fib);
    node.add<"a", "b">("add", [](int a, int b) { return a + b; });
    node.add<shop::order>([](std::string name, int count) {
        if (count > 10)
            throw lv::rpc::failure("OutOfStock", "ten are left").data({{"name", name}}).expected();
        return item{name, 10 - count};
    });
    co_await node.start();
    auto serving = asio::co_spawn(connection.get_executor(), node.run(), asio::use_future);

    lv::rpc::client calc{channel, {.topic = "calc"}};
    int n = co_await calc.call<int>("fib", 30);
    int sum = co_await calc.call<int>("add", lv::rpc::arg("a", 2), lv::rpc::arg("b", 40));
    item carrots = co_await calc.call<shop::order>("carrots", 3);
    std::cout << n << ' ' << sum << ' ' << carrots.left << " carrots\n";

    try {
        co_await calc.call<shop::order>("carrots", 30);
    } catch (const lv::rpc::remote_error& e) {
        std::cout << e.type() << ": " << e.message() << ' ' << e.data() << '\n';
    }
    try {
        auto patient = calc.prepare({.server = "node2", .timeout = std::chrono::seconds(5)});
        co_await patient.call<int>("fib", 30);
    } catch (const lv::rpc::no_server& e) {
        std::cout << e.what() << '\n';
    }
    node.stop();

    lv::notify::listener desk{server_channel, {.topic = "shop"}};
    desk.on(lv::notify::priority::warn, [&desk](const lv::notify::notification& low) {
        std::cout << low.event_type() << ": " << low.payload_as<item>().name << '\n';
        desk.stop();
    });
    lv::notify::notifier teller{channel, {.publisher_id = "shop.1", .topic = "shop"}};
    auto outcome = co_await teller.warn("stock.low", carrots);
    std::cout << (outcome ? "told\n" : "refused\n");
    co_await desk.run();
    co_await connection.close();
}

} // namespace

int main()
{
    asio::io_context context;
    auto done = asio::co_spawn(context, work(), asio::use_future);
    context.run();
    done.get();
}
