// Calls, casts and their ends, in both wire formats.
#include "conformance/conformance.hpp"
#include "conformance/service.hpp"
#include "interop/task.hpp"
#include "support/eventually.hpp"

#include <leveret/rpc.hpp>

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace leveret::test;
using lv::rpc::arg;

namespace {

struct arithmetic {
    using add = lv::rpc::method<"add", int(int, int), "a", "b">;
};

template <class Wire, class Transport>
asio::awaitable<void> calls(under_test<Transport>& t)
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    service<Transport, Wire> s;
    co_await open(s, connection, topic, "n");
    auto channel = co_await connection.open_channel();
    lv::rpc::client client{channel, {.topic = topic}, Wire()};

    const int sum = co_await client.template call<int>("add", arg("a", 2), arg("b", 40));
    CHECK(sum == 42);
    const int shared = co_await client.template call<arithmetic::add>(1, 2);
    CHECK(shared == 3);
    const auto length = co_await client.template call<std::size_t>("length", arg("text", "h\u00e9"));
    CHECK(length == 3);
    const std::vector<int> list{1, 2};
    const lv::json echo = co_await client.template call<lv::json>("echo", arg("x", 1), arg("y", list));
    CHECK(echo == lv::json{{"x", 1}, {"y", {1, 2}}});
    const auto caller = client.with_context({{"user", "u1"}});
    const lv::json context = co_await caller.template call<lv::json>("context");
    CHECK(context == lv::json{{"user", "u1"}});
    const auto control = client.prepare({.server = "n", .name_space = "control", .version = "2.0"});
    const auto pong = co_await control.template call<std::string>("ping");
    CHECK(pong == "pong");
    co_await client.template call<void>("note", arg("what", "called"));
    CHECK(s.notes == std::vector<std::string>{"called"});
    CHECK(client.in_flight() == 0);

    // Failures.
    const auto own = co_await failure_of<lv::rpc::remote_error>(client.template call<void>("fail", arg("kind", "own")));
    CHECK(own.type() == "OutOfStock");
    CHECK(own.module() == "shop");
    CHECK(own.message() == "none is left");
    CHECK(own.data() == lv::json{{"item", 42}});
    CHECK(own.code() == lv::errc::remote_failure);
    CHECK(own.is_expected() == std::same_as<Wire, lv::rpc::wire::plain>);
    const auto value = co_await failure_of<lv::rpc::remote_error>(client.template call<void>("fail", arg("kind", "value")));
    CHECK(value.type() == (std::same_as<Wire, lv::rpc::wire::plain> ? "std::invalid_argument" : "ValueError"));
    CHECK(value.message() == "not that");
    const auto odd = co_await failure_of<lv::rpc::remote_error>(client.template call<void>("fail", arg("kind", "odd")));
    CHECK(odd.type() == "unknown");
    const auto missing = co_await failure_of<lv::rpc::no_such_method>(client.template call<void>("missing"));
    CHECK(contains(missing.what(), "Endpoint does not support RPC method missing"));
    const auto newer = client.prepare({.version = "1.4"});
    const auto version = co_await failure_of<lv::rpc::unsupported_version>(newer.template call<int>("add", arg("a", 1), arg("b", 2)));
    CHECK(contains(version.what(), "version 1.4"));
    const auto elsewhere = client.prepare({.name_space = "nowhere"});
    co_await failure_of<lv::rpc::unsupported_version>(elsewhere.template call<int>("add", arg("a", 1), arg("b", 2)));
    const auto type = co_await failure_of<lv::rpc::remote_error>(client.template call<int>("add", arg("a", 1), arg("b", "2")));
    CHECK(contains(type.what(), "argument 'b': an integer is wanted and not a text"));
    const auto absent = co_await failure_of<lv::rpc::remote_error>(client.template call<int>("add", arg("a", 1)));
    CHECK(contains(absent.what(), "argument 'b' is missing"));
    const auto more = co_await failure_of<lv::rpc::remote_error>(
        client.template call<int>("add", arg("a", 1), arg("b", 2), arg("c", 3)));
    CHECK(contains(more.what(), "unexpected argument 'c'"));
    co_await failure_of<lv::decode_error>(client.template call<int>("who"));
    const std::string bad = "\xff";
    CHECK_THROWS_AS(static_cast<void>(client.template call<int>("length", arg("text", bad))), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(client.prepare({.fanout = true}).template call<int>("who")), lv::usage_error);

    // No server, at once.
    const auto other = client.prepare({.server = "nobody", .timeout = 10s});
    const auto nobody = co_await failure_of<lv::rpc::no_server>(other.template call<int>("who"));
    CHECK(contains(nobody.what(), "nobody"));
    CHECK(nobody.code() == lv::errc::no_server);

    co_await close(s);
    if constexpr (std::same_as<Wire, lv::rpc::wire::oslo>)
        co_await remove(channel, topic, "n");
    else
        co_await failure_of<lv::rpc::no_server>(client.template call<std::string>("who")); // its queues went with it
    co_await connection.close();
}

template <class Wire, class Transport>
asio::awaitable<void> casts(under_test<Transport>& t)
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    service<Transport, Wire> a, b;
    co_await open(a, connection, topic, "a");
    co_await open(b, connection, topic, "b");
    auto channel = co_await connection.open_channel();
    lv::rpc::client client{channel, {.topic = topic}, Wire()};
    co_await client.fanout_cast("note", arg("what", "all"));
    co_await client.prepare({.server = "b"}).cast("note", arg("what", "b"));
    co_await client.cast("fail", arg("kind", "value")); // nobody is told
    co_await client.prepare({.topic = topic, .fanout = true}).cast("note", arg("what", "again"));
    co_await eventually([&] { return a.notes.size() == 2 && b.notes.size() == 3; });
    co_await eventually([&] { return a.node->failed() + b.node->failed() == 1; });
    // In turn.
    std::size_t of_a = 0;
    for (int i = 0; i < 10; ++i) {
        const auto who = co_await client.template call<std::string>("who");
        of_a += who == "a";
    }
    CHECK(of_a > 0);
    CHECK(of_a < 10);
    co_await close(a);
    co_await close(b);
    if constexpr (std::same_as<Wire, lv::rpc::wire::oslo>)
        co_await remove(channel, topic, "ab");
    co_await connection.close();
}

template <class Wire, class Transport>
asio::awaitable<void> deadlines(under_test<Transport>& t)
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    service<Transport, Wire> s;
    co_await open(s, connection, topic, "n", {.concurrency = 4});
    auto channel = co_await connection.open_channel();
    lv::rpc::client client{channel, {.topic = topic}, Wire(), {.timeout = 20s}};

    const auto hurried = client.prepare({.timeout = 50ms});
    const auto late = co_await failure_of<lv::rpc::timeout>(hurried.template call<int>("slow", arg("ms", 1000)));
    CHECK(contains(late.what(), "'slow'"));
    CHECK(client.in_flight() == 0);
    if constexpr (std::same_as<Wire, lv::rpc::wire::plain>) {
        co_await eventually([&] { return s.cancelled == 1; }); // the server knows the deadline
        CHECK(s.node->given_up() == 1);
    }
    // A late answer is dropped, and the client goes on.
    const auto soon = client.prepare({.timeout = 100ms});
    co_await failure_of<lv::rpc::timeout>(soon.template call<int>("slow", arg("ms", 110)));
    const int ms = co_await client.template call<int>("slow", arg("ms", 1));
    CHECK(ms == 1);

    // Cancelled by its caller.
    task<int> call(connection.get_executor(), client.template call<int>("slow", arg("ms", 200)));
    co_await eventually([&] { return s.slow > 0; });
    call.cancel();
    co_await failure_of<lv::operation_cancelled>(call.join());
    CHECK(client.in_flight() == 0);
    co_await eventually([&] { return s.slow == 0; });

    // As many at once as may be.
    s.most = 0;
    std::vector<task<int>> many;
    for (int i = 0; i < 12; ++i)
        many.emplace_back(connection.get_executor(), client.template call<int>("slow", arg("ms", 20)));
    for (auto& m : many)
        co_await m.join();
    CHECK(s.most == 4);

    // Stopped while it works: the answer comes.
    task<int> last(connection.get_executor(), client.template call<int>("slow", arg("ms", 100)));
    co_await eventually([&] { return s.slow == 1; });
    co_await close(s);
    const int answered = co_await last.join();
    CHECK(answered == 100);
    if constexpr (std::same_as<Wire, lv::rpc::wire::oslo>)
        co_await remove(channel, topic, "n");
    co_await connection.close();
}

} // namespace

LEVERET_CONFORMANCE_CASE("rpc: calls and failures, plain") { co_await calls<lv::rpc::wire::plain>(t); }
LEVERET_CONFORMANCE_CASE("rpc: calls and failures, oslo") { co_await calls<lv::rpc::wire::oslo>(t); }
LEVERET_CONFORMANCE_CASE("rpc: casts, plain") { co_await casts<lv::rpc::wire::plain>(t); }
LEVERET_CONFORMANCE_CASE("rpc: casts, oslo") { co_await casts<lv::rpc::wire::oslo>(t); }
LEVERET_CONFORMANCE_CASE("rpc: deadlines, plain") { co_await deadlines<lv::rpc::wire::plain>(t); }
LEVERET_CONFORMANCE_CASE("rpc: deadlines, oslo") { co_await deadlines<lv::rpc::wire::oslo>(t); }

LEVERET_CONFORMANCE_CASE("rpc: arguments by position, as in RabbitMQ's tutorial")
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    auto served = co_await connection.open_channel();
    lv::rpc::server node{served, {.topic = topic, .server = "n"}};
    node.add("", [](int n) { return n + 1; });
    node.add("join", [](const std::string& a, std::optional<std::string> b) { return a + b.value_or("-"); });
    co_await node.start();
    task<void> run(connection.get_executor(), node.run());
    auto channel = co_await connection.open_channel();
    lv::rpc::client client{channel, {.topic = topic}};
    const auto joined = co_await client.template call<std::string>("join", "a", "b");
    CHECK(joined == "ab");
    const auto half = co_await client.template call<std::string>("join", "a");
    CHECK(half == "a-");
    const auto more = co_await failure_of<lv::rpc::invalid_arguments>(client.template call<int>("join", "a", "b", "c"));
    CHECK(contains(more.what(), "at most 2 arguments are wanted and not 3"));

    // The tutorial's client.
    const auto queue = co_await channel.declare_queue("", {.exclusive = true});
    co_await channel.publish("", topic, lv::message("41").correlation_id("c1").reply_to(queue.name()));
    auto replies = co_await channel.consume(queue.name(), {.no_ack = true});
    const auto reply = co_await replies.next();
    CHECK(reply->body() == "42");
    CHECK(reply->properties().correlation_id() == "c1");

    // What is no request is rejected, and its sender told if he is known.
    co_await channel.publish("", topic, lv::message("not JSON"));
    co_await eventually([&] { return node.rejected() == 1; });
    co_await channel.publish("", topic, lv::message("not JSON").correlation_id("c2").reply_to(queue.name()));
    const auto refusal = co_await replies.next();
    CHECK(refusal->properties().correlation_id() == "c2");
    const auto refused = refusal->headers();
    CHECK(refused.find("error")->text() == "invalid_arguments");
    CHECK(node.rejected() == 1);
    node.stop();
    co_await run.join();
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: a thousand calls in flight, with a queue of replies as well")
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    service<Transport, lv::rpc::wire::plain> s;
    co_await open(s, connection, topic, "n");
    auto channel = co_await connection.open_channel();
    lv::rpc::client client{channel, {.topic = topic}, lv::rpc::wire::plain{.direct_reply_to = false}};
    std::vector<task<int>> calls;
    for (int i = 0; i < 1000; ++i)
        calls.emplace_back(connection.get_executor(), client.template call<int>("add", arg("a", i), arg("b", 1)));
    CHECK(client.in_flight() == 1000);
    for (int i = 0; i < 1000; ++i) {
        const int sum = co_await calls[static_cast<std::size_t>(i)].join();
        REQUIRE(sum == i + 1);
    }
    co_await close(s);
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: a call whose server dies is done by another, or ends in time")
{
    auto connection = co_await t.connect();
    auto dying = co_await t.connect();
    const std::string topic = t.name("rpc");
    service<Transport, lv::rpc::wire::plain> a, b;
    co_await open(a, dying, topic, "a");
    auto channel = co_await connection.open_channel();
    lv::rpc::client client{channel, {.topic = topic}, lv::rpc::wire::plain(), {.timeout = 20s}};
    task<int> call(connection.get_executor(), client.template call<int>("slow", arg("ms", 300)));
    co_await eventually([&] { return a.slow == 1; });
    co_await open(b, connection, topic, "b");
    co_await dying.close();
    co_await failure_of<lv::error>(a.run->join());
    CHECK(a.cancelled == 1);
    const int ms = co_await call.join();
    CHECK(ms == 300);
    CHECK(b.node->handled() == 1);

    // The client's own connection ends: so do its calls.
    auto leaving = co_await t.connect();
    auto short_lived = co_await leaving.open_channel();
    lv::rpc::client gone{short_lived, {.topic = topic}};
    task<int> never(leaving.get_executor(), gone.template call<int>("slow", arg("ms", 200)));
    co_await eventually([&] { return b.slow == 1; });
    co_await leaving.close();
    co_await failure_of<lv::error>(never.join());
    co_await failure_of<lv::error>(gone.template call<int>("who"));
    co_await close(b);
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: a server that is cancelled says so")
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    service<Transport, lv::rpc::wire::plain> s;
    co_await open(s, connection, topic, "n");
    co_await turns(3);
    s.run->cancel();
    const auto e = co_await failure_of<lv::operation_cancelled>(s.run->join());
    CHECK(contains(e.what(), "rpc.server.run was cancelled"));
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: a server that is cancelled twice gives its requests back; failures are told to it")
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    service<Transport, lv::rpc::wire::plain> a, b;
    co_await open(a, connection, topic, "a");
    auto channel = co_await connection.open_channel();
    lv::rpc::client client{channel, {.topic = topic}, lv::rpc::wire::plain(), {.timeout = 20s}};
    std::vector<std::string> told;
    a.node->on_failure([&](const lv::rpc::request& r, const lv::rpc::failure& f) {
        told.push_back(r.method() + (r.is_call() ? ": " : ", a cast: ") + f.message());
    });
    co_await client.cast("fail", arg("kind", "value"));
    co_await eventually([&] { return !told.empty(); });
    CHECK(told == std::vector<std::string>{"fail, a cast: not that"});

    task<std::string> call(connection.get_executor(), client.template call<std::string>("stay"));
    co_await eventually([&] { return a.slow == 1; });
    co_await open(b, connection, topic, "b");
    a.run->cancel();
    co_await turns(20);
    CHECK(!a.run->is_done()); // it waits for what runs
    while (!a.run->is_done()) {
        a.run->cancel();
        co_await turns(3);
    }
    co_await failure_of<lv::operation_cancelled>(a.run->join());
    CHECK(a.node->active() == 0);
    const auto who = co_await call.join();
    CHECK(who == "b");
    co_await close(b);
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: a client's monitoring is for formats that have it, and from 2 s")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    CHECK_THROWS_WITH_AS((lv::rpc::client{channel, {.topic = "t"}, lv::rpc::wire::plain(), {.call_monitor = 10s}}),
                         "rpc: servers of this wire format don't say that they are at work", lv::usage_error);
    CHECK_THROWS_WITH_AS((lv::rpc::client{channel, {.topic = "t"}, lv::rpc::wire::oslo(), {.call_monitor = 1999ms}}),
                         "rpc: call_monitor is 2 s or more", lv::usage_error);
    CHECK_NOTHROW((lv::rpc::client{channel, {.topic = "t"}, lv::rpc::wire::oslo(), {.call_monitor = 2s}}));
    co_await connection.close();
}
