// A server for clients of oslo.messaging: two endpoints, as in the guide of oslo.messaging. Runs until somebody calls
// `shutdown`, or sends it SIGTERM or SIGINT, of which a second ends it at once.
//
//   oslo_server --url rabbit://guest:guest@localhost:5672/ --exchange acc --topic test --server s1
#include "options.hpp"

#include <leveret/rpc.hpp>

#include <asio/awaitable.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

asio::awaitable<double> sleep_for(double seconds)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(std::chrono::microseconds(static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e9) * 1e6)));
    co_await timer.async_wait(asio::use_awaitable);
    co_return seconds;
}

[[noreturn]] void fail(const std::string& kind, const std::string& message)
{
    if (kind == "value")
        throw std::invalid_argument(message); // a ValueError in Python
    if (kind == "runtime")
        throw std::runtime_error(message);
    if (kind == "custom")
        throw lv::rpc::failure("CustomError", message).module("__main__").data({{"code", 42}});
    if (kind == "expected")
        throw lv::rpc::failure("ValueError", message).module("builtins").expected();
    if (kind == "key")
        throw lv::rpc::failure("KeyError", message).module("builtins");
    throw std::invalid_argument("no such kind: " + kind);
}

/// As Python adds: texts too, and integers beyond 64 bits as far as JSON goes.
lv::json sum(const lv::json& a, const lv::json& b)
{
    if (a.is_string() && b.is_string())
        return a.get<std::string>() + b.get<std::string>();
    if (!a.is_number() || !b.is_number())
        throw lv::rpc::failure("TypeError", "unsupported operand").module("builtins");
    if (a.is_number_integer() && b.is_number_integer()) {
        const auto of_two = [](auto x, auto y) -> lv::json {
            std::int64_t with_sign = 0;
            if (!__builtin_add_overflow(x, y, &with_sign))
                return with_sign;
            std::uint64_t without = 0;
            if (!__builtin_add_overflow(x, y, &without))
                return without;
            return static_cast<double>(x) + static_cast<double>(y);
        };
        const auto with_first = [&](auto x) {
            return b.is_number_unsigned() ? of_two(x, b.get<std::uint64_t>()) : of_two(x, b.get<std::int64_t>());
        };
        return a.is_number_unsigned() ? with_first(a.get<std::uint64_t>()) : with_first(a.get<std::int64_t>());
    }
    return a.get<double>() + b.get<double>();
}

lv::json types()
{
    return {{"null", nullptr},  {"true", true},
            {"int", 42},        {"negative", -7},
            {"big", std::int64_t{1} << 60}, {"float", 2.5},
            {"text", "h\u00e9llo \U0001F407"},     {"list", lv::json::array({1, "two", nullptr})},
            {"object", {{"a", {{"b", 1}}}}}};
}

asio::awaitable<void> serve(const oslo_example::options& o)
{
    auto connection = co_await lv::connect(o.url());
    auto channel = co_await connection.open_channel();
    const std::string exchange = o.text("exchange", "openstack");
    const std::string topic = o.text("topic", "test");
    const std::string name = o.text("server", "server1");
    lv::rpc::server node{channel, {.exchange = exchange, .topic = topic, .server = name, .version = "1.3"},
                         lv::rpc::wire::oslo{}};

    std::vector<lv::json> notes;
    std::map<std::string, int> counts;
    const auto counted = [&counts](const lv::rpc::request& r) { ++counts[r.method()]; };

    node.add("echo", [&](const lv::rpc::request& r, lv::rpc::keywords k) { counted(r); return std::move(k).values(); });
    node.add<"a", "b">("add", [&](const lv::rpc::request& r, const lv::json& a, const lv::json& b) -> lv::json {
        counted(r);
        return sum(a, b);
    });
    node.add<"parts">("concat", [&](const lv::rpc::request& r, const std::vector<std::string>& parts) {
        counted(r);
        std::string all;
        for (const std::string& part : parts)
            all += part;
        return all;
    });
    node.add("none", counted);
    node.add("ctxt", [&](const lv::rpc::request& r) { counted(r); return r.context(); });
    node.add("note", [&](const lv::rpc::request& r, lv::rpc::keywords k) { counted(r); notes.push_back(std::move(k).values()); });
    node.add("notes", [&] { return notes; });
    // By whatever name: RPCClient.call(ctxt, method, **kwargs) of Python can't pass one called `method`.
    node.add("count", [&](const lv::rpc::keywords& k) {
        if (k.values().size() != 1 || !k.values().begin()->is_string())
            throw lv::rpc::failure("TypeError", "count() takes the name of a method").module("builtins");
        return counts[k.values().begin()->get<std::string>()];
    });
    node.add<"kind", "message">("fail", [&](const lv::rpc::request& r, const std::string& kind, const std::string& message) {
        counted(r);
        fail(kind, message);
    });
    node.add<"seconds">("slow", [&](const lv::rpc::request& r, double seconds) { counted(r); return sleep_for(seconds); });
    node.add<"n">("big", [&](const lv::rpc::request& r, std::size_t n) { counted(r); return std::string(n, 'x'); });
    node.add("whoami", [&](const lv::rpc::request& r) { counted(r); return name; });
    node.add("types", [&](const lv::rpc::request& r) { counted(r); return types(); });
    // `_hidden` is not added: what was not added can't be called.

    lv::rpc::endpoint control{{.name_space = "control", .version = "2.0"}};
    control.add("ping", [] { return "pong"; });
    control.add("shutdown", [&node] { node.stop(); });
    node.add(std::move(control));

    asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
    const auto here = std::make_shared<bool>();
    signals.async_wait([&, alive = std::weak_ptr(here)](std::error_code ec, int) {
        if (ec || alive.expired())
            return;
        signals.clear();
        node.stop();
    });
    co_await node.start();
    std::cout << "READY" << std::endl;
    co_await node.run();
    co_await connection.close();
}

} // namespace

int main(int argc, char** argv)
{
    const oslo_example::options o(argc, argv, "[--url URL] [--exchange NAME] [--topic NAME] [--server NAME]");
    return oslo_example::run(serve(o));
}
