// What clients and servers can be told to do otherwise, and what they keep to whatever they are told.
#include "conformance/conformance.hpp"
#include "conformance/service.hpp"
#include "interop/task.hpp"
#include "support/eventually.hpp"

#include <leveret/rpc.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using namespace leveret::test;
using lv::rpc::arg;

namespace {

constexpr struct {
    std::string_view body, type, encoding;
} no_answers[] = {{"", "application/json", ""}, {"{", "", ""}, {"1", "application/octet-stream", ""}, {"1", "application/json", "gzip"}};

} // namespace

LEVERET_CONFORMANCE_CASE("rpc: a call that no server is there for is sent again, as often as was asked and in its time")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const std::string topic = t.name("rpc");
    const lv::rpc::client client{channel, {.topic = topic}, lv::rpc::wire::plain(), {.timeout = 20s}};
    const auto e = co_await failure_of<lv::rpc::no_server>(client.template call<std::string>("who"));
    CHECK(e.diagnostics().operation_fate == lv::fate::refused);

    const auto patient = client.prepare({.retries = 1'000'000, .retry_interval = 5ms});
    task<std::string> call(connection.get_executor(), patient.template call<std::string>("who"));
    co_await pause(50ms); // some have come back by then, or none: it is answered all the same
    CHECK(!call.is_done());
    auto own = co_await connection.open_channel();
    lv::rpc::server node{own, {.topic = topic, .server = "n"}};
    lv::duration remaining = lv::duration::never();
    node.add("who", [&](const lv::rpc::request& r) {
        remaining = r.remaining();
        return "n";
    });
    co_await node.start();
    task<void> run(connection.get_executor(), node.run());
    const auto who = co_await call.join();
    CHECK(who == "n");
    CHECK(node.handled() == 1);
    CHECK(remaining <= lv::duration::milliseconds(19'960)); // of the call, not of the attempt
    node.stop();
    co_await run.join();

    const auto now = [] { return std::chrono::steady_clock::now(); };
    const auto begin = now();
    const auto twice = client.prepare({.retries = 2, .retry_interval = 50ms});
    co_await failure_of<lv::rpc::no_server>(twice.template call<std::string>("who"));
    const auto twice_tried = now();
    CHECK(twice_tried - begin >= 100ms);
    // Its time ends before the next attempt: it is known that there was no server.
    const auto soon = client.prepare({.timeout = 300ms, .retries = 2, .retry_interval = 60s});
    co_await failure_of<lv::rpc::no_server>(soon.template call<std::string>("who"));
    CHECK(now() - twice_tried >= 300ms);
    CHECK(now() - twice_tried < 30s);
    task<std::string> given_up(connection.get_executor(), patient.template call<std::string>("who"));
    co_await pause(10ms);
    given_up.cancel();
    co_await failure_of<lv::operation_cancelled>(given_up.join());
    CHECK(client.in_flight() == 0);
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: each call says what is its own, whatever was sent before it")
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    service<Transport, lv::rpc::wire::plain> s;
    co_await open(s, connection, topic, "n");
    for (const char* method : {"one", "two"})
        s.node->add(method, [](const lv::rpc::request& r) {
            lv::json seen = lv::json::array();
            seen.push_back(r.method());
            seen.push_back(r.context());
            seen.push_back(r.version());
            seen.push_back(r.remaining() <= lv::duration::seconds(5));
            return seen;
        });
    auto channel = co_await connection.open_channel();
    const lv::rpc::client a{channel, {.topic = topic}, lv::rpc::wire::plain(), {.timeout = 20s}};
    lv::json who = lv::json::object();
    who["who"] = "b";
    const auto b = a.with_context(who);
    const auto c = a.prepare({.version = "1.2", .timeout = 5s});
    const std::string of_a = R"(["one",{},"",false])", of_b = R"(["one",{"who":"b"},"",false])", of_c = R"(["one",{},"1.2",true])",
                      two = R"(["two",{},"",false])";
    auto d = b;
    const auto check = [](const auto& client, const std::string& wanted) -> asio::awaitable<void> {
        const std::string method = wanted.substr(2, 3);
        const auto found = co_await client.template call<lv::json>(method);
        CHECK(found.dump() == wanted);
    };
    for (int round = 0; round < 2; ++round) {
        co_await check(a, of_a);
        co_await check(a, of_a);
        co_await check(b, of_b);
        co_await check(a, of_a);
        co_await c.cast("one");
        co_await check(a, of_a);
        co_await check(c, of_c);
        co_await check(d, round == 0 ? of_b : of_c);
        co_await check(a, two);
        co_await check(a, of_a);
        d = c;
        co_await check(d, of_c);
        const auto thrown = co_await failure_of<lv::rpc::no_such_method>(a.template call<int>("three"));
        CHECK(thrown.type() == "no_such_method");
    }
    // Large ones are not kept, and small ones that follow them are whole.
    const std::string large(100'000, 'x');
    const auto size = co_await a.template call<std::size_t>("length", arg("text", large));
    CHECK(size == large.size());
    const auto small = co_await a.template call<std::size_t>("length", arg("text", "abc"));
    CHECK(small == 3);
    co_await close(s);
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: answers that are no JSON are told to who wants something of them")
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    auto own = co_await connection.open_channel();
    auto channel = co_await connection.open_channel();
    co_await own.declare_queue(topic, {.auto_delete = true});
    auto requests = co_await own.consume(topic, {.no_ack = true});
    const auto answer = [&](std::string_view body, std::string_view type, std::string_view encoding) -> asio::awaitable<void> {
        const auto r = co_await requests.next();
        lv::message m(body);
        m.content_type(type).content_encoding(encoding).correlation_id(r->properties().correlation_id());
        const std::string to(r->properties().reply_to());
        co_await own.publish("", to, m, {});
    };
    const lv::rpc::client client{channel, {.topic = topic}, lv::rpc::wire::plain(), {.timeout = 20s}};
    for (const auto& [body, type, encoding] : no_answers) {
        CAPTURE(body);
        task<lv::json> call(connection.get_executor(), client.template call<lv::json>("f"));
        co_await answer(body, type, encoding);
        co_await failure_of<lv::decode_error>(call.join());
    }
    task<void> call(connection.get_executor(), client.template call<void>("f"));
    co_await answer("", "", "");
    co_await call.join();
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: a server with much to do lets others run")
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    auto own = co_await connection.open_channel();
    auto channel = co_await connection.open_channel();
    lv::rpc::server node{own, {.topic = topic, .server = "n"}, lv::rpc::wire::plain(), {.prefetch = 2000}};
    int done = 0;
    node.add("work", [&] { ++done; });
    co_await node.start();
    const lv::rpc::client client{channel, {.topic = topic}};
    for (int i = 0; i < 2000; ++i)
        co_await client.cast("work");
    task<void> run(connection.get_executor(), node.run());
    int most = 0;
    for (int before = 0; done < 2000; before = done) {
        co_await turns();
        most = std::max(most, done - before);
    }
    CHECK(most <= 256);
    node.stop();
    co_await run.join();
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: versions above a client's cap are not sent")
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    service<Transport, lv::rpc::wire::plain> s;
    co_await open(s, connection, topic, "n");
    auto channel = co_await connection.open_channel();
    const lv::rpc::client client{channel, {.topic = topic, .version = "1.1"}, lv::rpc::wire::plain(),
                                 {.timeout = 20s, .version_cap = "1.2"}};
    CHECK(client.can_send_version());
    CHECK(client.can_send_version("1.2"));
    CHECK_FALSE(client.can_send_version("1.3"));
    CHECK_FALSE(client.can_send_version("2.0"));
    CHECK_FALSE(client.can_send_version("x"));
    const auto who = co_await client.template call<std::string>("who");
    CHECK(who == "n");
    const auto newer = client.prepare({.version = "1.3"});
    CHECK_FALSE(newer.can_send_version());
    CHECK_THROWS_WITH_AS(static_cast<void>(newer.template call<std::string>("who")),
                         "rpc: version 1.3 is not one that servers of the client's version_cap serve, 1.2", lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(newer.cast("who")), lv::usage_error);
    const auto lifted = newer.prepare({.version_cap = "1.3"});
    const auto again = co_await lifted.template call<std::string>("who");
    CHECK(again == "n");
    CHECK_THROWS_AS(static_cast<void>(client.prepare({.version_cap = "one"})), lv::usage_error);
    co_await close(s);
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: requests are acknowledged before or after they are done, as the server has it")
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    auto channel = co_await connection.open_channel();
    for (const auto when : {lv::rpc::acknowledge::before, lv::rpc::acknowledge::after}) {
        auto dying = co_await t.connect();
        service<Transport, lv::rpc::wire::plain> s;
        co_await open(s, dying, topic, "a", {.acknowledge = when});
        const lv::rpc::client client{channel, {.topic = topic}, lv::rpc::wire::plain(), {.timeout = 20s}};
        co_await client.cast("stay");
        co_await eventually([&] { return s.slow == 1; });
        auto keeping = co_await connection.open_channel();
        auto idle = co_await keeping.consume(topic, {.prefetch = 1}); // the queue goes with its last consumer
        co_await dying.close();
        co_await failure_of<lv::error>(s.run->join());
        co_await client.cast("last");
        std::size_t again = 0; // what the server had and did not acknowledge
        bool was_last = false;
        while (!was_last || (again == 0 && when == lv::rpc::acknowledge::after)) {
            auto d = co_await idle.next();
            REQUIRE(d);
            was_last = was_last || d->properties().type() == "last";
            again += d->redelivered() ? 1 : 0;
            d->ack();
        }
        CHECK(again == (when == lv::rpc::acknowledge::after ? 1U : 0U));
        co_await channel.delete_queue(topic);
        co_await keeping.close();
    }
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: a request that a server has just seen is not done again, nor one that is compressed")
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    service<Transport, lv::rpc::wire::oslo> s;
    co_await open(s, connection, topic, "n");
    auto channel = co_await connection.open_channel();
    const auto request = [](std::string_view id) {
        const lv::json inner = {{"method", "note"}, {"args", {{"what", id}}}, {"_unique_id", id}};
        return lv::oslo::enveloped(inner);
    };
    lv::message compressed = request("z");
    compressed.content_encoding("gzip");
    for (const lv::message& m : {request("one"), request("one"), compressed, request("two")})
        co_await channel.publish("", topic, m, {});
    co_await eventually([&] { return s.notes.size() >= 2; });
    CHECK(s.notes == std::vector<std::string>{"one", "two"});
    CHECK(s.node->rejected() == 1);
    co_await close(s);
    co_await remove(channel, topic, "n");
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: a handler sees the time that remains; an idle server gets what a busy one can't take")
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    service<Transport, lv::rpc::wire::plain> a, b;
    co_await open(a, connection, topic, "a", {.concurrency = 1, .prefetch = 1});
    auto channel = co_await connection.open_channel();
    const lv::rpc::client client{channel, {.topic = topic}, lv::rpc::wire::plain(), {.timeout = 20s}};
    lv::duration remaining = lv::duration::never();
    a.node->add("remaining", [&](const lv::rpc::request& r) { remaining = r.remaining(); });
    co_await client.template call<void>("remaining");
    CHECK(remaining > lv::duration::seconds(1));
    CHECK(remaining <= lv::duration::seconds(20));
    const auto endless = client.prepare({.timeout = lv::duration::never()});
    co_await endless.template call<void>("remaining");
    CHECK(remaining.is_never());

    task<std::string> busy(connection.get_executor(), client.template call<std::string>("stay"));
    co_await eventually([&] { return a.slow == 1; });
    co_await open(b, connection, topic, "b", {.concurrency = 1, .prefetch = 1});
    // What the busy server works at is all that it may have.
    task<std::string> first(connection.get_executor(), client.template call<std::string>("who"));
    task<std::string> second(connection.get_executor(), client.template call<std::string>("who"));
    task<std::string> third(connection.get_executor(), client.template call<std::string>("who"));
    co_await eventually([&] { return b.node->handled() >= 2; });
    CHECK(a.node->handled() == 2);
    a.run->cancel(); // "stay" goes on elsewhere
    co_await turns(20);
    while (!a.run->is_done()) {
        a.run->cancel();
        co_await turns(3);
    }
    co_await failure_of<lv::operation_cancelled>(a.run->join());
    for (auto* call : {&first, &second, &third, &busy}) {
        const auto who = co_await call->join();
        CHECK(who == "b");
    }
    co_await close(b);
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("rpc: a server whose queue is deleted says so")
{
    auto connection = co_await t.connect();
    const std::string topic = t.name("rpc");
    service<Transport, lv::rpc::wire::plain> s;
    co_await open(s, connection, topic, "n");
    auto channel = co_await connection.open_channel();
    co_await channel.delete_queue(topic);
    co_await failure_of<lv::consumer_cancelled>(s.run->join());
    co_await connection.close();
}
