// A client for servers of oslo.messaging.
//
//   oslo_client --topic test --call add --args '{"a": 1, "b": 2}' [--server s1] [--namespace n] [--version 1.3]
//               [--timeout SECONDS] [--monitor SECONDS] [--context '{"user": "u"}'] [--cast | --fanout]
//   oslo_client --topic test --all [--server s1]       every method of oslo_server, with what it answers
//   oslo_client --topic test --many 1000               so many calls of `add` at once
//
// Prints the result as JSON, or the error's type and message, and then ends with the status 1.
#include "options.hpp"

#include <leveret/rpc.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace {

using client = lv::rpc::client<lv::any_channel, lv::rpc::wire::oslo>;

lv::duration seconds(double s) { return std::chrono::duration<double>(s); }

/// The result, or what was thrown, as one line; and whether it is the result.
asio::awaitable<std::string> told(client c, std::string method, lv::json arguments, bool& has_result)
{
    const lv::rpc::keywords all(std::move(arguments));
    has_result = false;
    try {
        const lv::json result = co_await c.call<lv::json>(method, all);
        has_result = true;
        co_return result.dump();
    } catch (const lv::rpc::no_such_method& e) {
        co_return "no_such_method: " + e.message();
    } catch (const lv::rpc::unsupported_version& e) {
        co_return "unsupported_version: " + e.message();
    } catch (const lv::rpc::remote_error& e) {
        co_return "remote_error: " + e.module() + "." + e.type() + ": " + e.message() +
            (e.data().is_null() ? std::string() : " " + e.data().dump());
    } catch (const lv::rpc::timeout&) {
        co_return "timeout";
    } catch (const lv::rpc::no_server&) {
        co_return "no_server";
    }
}

asio::awaitable<void> call_everything(client c)
{
    bool ignored = false;
    struct step {
        const char* method;
        const char* arguments;
    };
    const std::vector<step> steps{
        {"echo", R"({"x": 1, "y": "h\u00e9", "z": [1, 2.5, null, {"a": true}]})"},
        {"add", R"({"a": 2, "b": 40})"},
        {"concat", R"({"parts": ["a", "b", "c"]})"},
        {"none", "{}"},
        {"ctxt", "{}"},
        {"types", "{}"},
        {"whoami", "{}"},
        {"slow", R"({"seconds": 0.1})"},
        {"fail", R"({"kind": "value", "message": "bad value"})"},
        {"fail", R"({"kind": "runtime", "message": "it broke"})"},
        {"fail", R"({"kind": "custom", "message": "mine"})"},
        {"fail", R"({"kind": "expected", "message": "as agreed"})"},
        {"fail", R"({"kind": "key", "message": "kk"})"},
        {"missing", "{}"},
        {"_hidden", "{}"},
        {"add", R"({"a": 1})"},
        {"add", R"({"a": 1, "b": 2, "c": 3})"},
    };
    for (const step& s : steps) {
        const std::string line = co_await told(c, s.method, lv::json::parse(s.arguments), ignored);
        std::cout << s.method << " " << s.arguments << " -> " << line << std::endl;
    }
    const std::string big = co_await c.call<std::string>("big", lv::rpc::arg("n", 1'000'000));
    std::cout << "big -> " << big.size() << std::endl;
    const client control = c.prepare({.name_space = "control", .version = "2.0"});
    const std::string pong = co_await told(control, "ping", lv::json::object(), ignored);
    std::cout << "control.ping -> " << pong << std::endl;
    const client newer = c.prepare({.version = "1.9"});
    const std::string refused = co_await told(newer, "none", lv::json::object(), ignored);
    std::cout << "1.9 none -> " << refused << std::endl;
    const client same = c.prepare({.version = "1.2"});
    const std::string served = co_await told(same, "none", lv::json::object(), ignored);
    std::cout << "1.2 none -> " << served << std::endl;
    co_await c.cast("note", lv::rpc::arg("k", 1));
    co_await c.fanout_cast("note", lv::rpc::arg("k", 2));
    const client hurried = c.prepare({.timeout = lv::duration::milliseconds(300)});
    const lv::json one = {{"seconds", 1}};
    const std::string late = co_await told(hurried, "slow", one, ignored);
    std::cout << "slow within 0.3 s -> " << late << std::endl;
    const std::string notes = co_await told(c, "notes", lv::json::object(), ignored);
    std::cout << "notes -> " << notes << std::endl;
    const client nobody = c.prepare({.server = "nobody"});
    const std::string alone = co_await told(nobody, "none", lv::json::object(), ignored);
    std::cout << "nobody -> " << alone << std::endl;
}

asio::awaitable<void> call_many(client c, int count)
{
    int left = count, right = 0;
    const auto executor = co_await asio::this_coro::executor;
    const auto one = [&c, &right](int i) -> asio::awaitable<void> {
        const int sum = co_await c.call<int>("add", lv::rpc::arg("a", i), lv::rpc::arg("b", 1));
        right += sum == i + 1;
    };
    for (int i = 1; i < count; ++i)
        asio::co_spawn(executor, one(i), [&left](std::exception_ptr e) {
            --left;
            if (e)
                std::rethrow_exception(e);
        });
    co_await one(0);
    --left;
    while (left != 0) // the last answers are on their way
        co_await c.call<lv::json>("none");
    std::cout << right << " of " << count << " calls" << std::endl;
}

asio::awaitable<void> work(const oslo_example::options& o, bool& has_result)
{
    auto connection = co_await lv::connect(o.url());
    auto channel = co_await connection.open_channel();
    const std::string exchange = o.text("exchange", "openstack");
    const std::string topic = o.text("topic", "test");
    const std::string server = o.text("server", "");
    const std::string name_space = o.text("namespace", "");
    const std::string version = o.text("version", "");
    lv::rpc::client_options options{.timeout = seconds(o.number("timeout", 60))};
    if (o.has("monitor"))
        options.call_monitor = seconds(o.number("monitor", 0));
    client c{channel,
             {.exchange = exchange, .topic = topic, .server = server, .name_space = name_space, .version = version},
             lv::rpc::wire::oslo{},
             options};
    if (o.has("context"))
        c = c.with_context(lv::json::parse(o.text("context", "{}")));
    const std::string method = o.text("call", "");
    const lv::rpc::keywords arguments(lv::json::parse(o.text("args", "{}")));
    if (o.has("all")) {
        co_await call_everything(c);
    } else if (o.has("many")) {
        co_await call_many(c, static_cast<int>(std::min<std::uint64_t>(o.count("many", 1000), 1'000'000)));
    } else if (o.has("fanout")) {
        co_await c.fanout_cast(method, arguments);
    } else if (o.has("cast")) {
        co_await c.cast(method, arguments);
    } else {
        const std::string line = co_await told(c, method, arguments.values(), has_result);
        std::cout << line << std::endl;
    }
    co_await connection.close();
}

} // namespace

int main(int argc, char** argv)
{
    const oslo_example::options o(argc, argv,
                                  "[--url URL] [--exchange NAME] [--topic NAME] [--server NAME] --call METHOD [--args JSON] "
                                  "[--namespace NAME] [--version V] [--timeout S] [--monitor S] [--context JSON] "
                                  "[--cast | --fanout] | --all | --many N");
    if (!o.has("call") && !o.has("all") && !o.has("many"))
        o.refuse("--call, --all or --many is needed");
    bool has_result = true;
    const int status = oslo_example::run(work(o, has_result));
    return has_result ? status : 1;
}
