// What clients, servers and listeners can be told to do otherwise.
#include "conformance/conformance.hpp"
#include "conformance/service.hpp"
#include "interop/task.hpp"
#include "support/eventually.hpp"

#include <leveret/notify.hpp>
#include <leveret/rpc.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

using namespace leveret::test;
using lv::rpc::arg;

LEVERET_CONFORMANCE_CASE("rpc: a call that no server is there for is sent again, as often as was asked and in its time")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const std::string topic = t.name("rpc");
    const lv::rpc::client client{channel, {.topic = topic}, lv::rpc::wire::plain(), {.timeout = 20s}};
    const auto e = co_await failure_of<lv::rpc::no_server>(client.template call<std::string>("who"));
    CHECK(e.diagnostics().operation_fate == lv::fate::refused);

    const auto patient = client.prepare({.retry_interval = 5ms, .retries = 1'000'000});
    task<std::string> call(connection.get_executor(), patient.template call<std::string>("who"));
    co_await pause(20ms); // some have come back by then, or none: it is answered all the same
    CHECK(!call.is_done());
    service<Transport, lv::rpc::wire::plain> s;
    co_await open(s, connection, topic, "n");
    const auto who = co_await call.join();
    CHECK(who == "n");
    CHECK(s.node->handled() == 1);
    co_await close(s);

    const auto twice = client.prepare({.retry_interval = 1ms, .retries = 2});
    co_await failure_of<lv::rpc::no_server>(twice.template call<std::string>("who"));
    // Its time ends before the next attempt: it is known that there was no server.
    const auto soon = client.prepare({.timeout = 300ms, .retry_interval = 60s, .retries = 2});
    co_await failure_of<lv::rpc::no_server>(soon.template call<std::string>("who"));
    task<std::string> given_up(connection.get_executor(), patient.template call<std::string>("who"));
    co_await pause(10ms);
    given_up.cancel();
    co_await failure_of<lv::operation_cancelled>(given_up.join());
    CHECK(client.in_flight() == 0);
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
                         "rpc: version 1.3 is above the client's version_cap 1.2", lv::usage_error);
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
    // One may wait at the busy server; all others are done by the idle one meanwhile.
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

LEVERET_CONFORMANCE_CASE("notify: a listener that may not requeue is done with what its handler throws at")
{
    auto connection = co_await t.connect();
    const std::string exchange = t.name("notify.exchange");
    const std::string topic = t.name("notify");
    auto channel = co_await connection.open_channel();
    auto told = co_await connection.open_channel();
    const lv::notify::notifier teller{told, {.exchange = exchange, .topic = topic}};
    lv::notify::listener desk{channel, {.exchange = exchange, .topic = topic, .allow_requeue = false}};
    int seen = 0;
    desk.on(lv::notify::priority::info, [&](const lv::notify::notification&) {
        ++seen;
        throw std::runtime_error("not now");
    });
    co_await desk.start();
    task<void> run(connection.get_executor(), desk.run());
    auto sent = co_await teller.info("i", 1);
    CHECK(sent);
    co_await eventually([&] { return desk.handled() == 1; });
    CHECK(seen == 1);
    CHECK(desk.requeued() == 0);
    desk.stop();
    co_await run.join();
    auto left = co_await channel.get(topic + ".info");
    CHECK(!left);
    co_await channel.delete_queue(topic + ".info");
    co_await connection.close();
}
