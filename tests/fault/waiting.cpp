// Servers that stop reading, block, or stop answering: what waits keeps its deadline, and goes on when
// the server does.
#include "support/coro_test.hpp"
#include "support/outcome.hpp"
#include "support/scripted_server.hpp"
#include "support/small_broker.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace lv = leveret;
namespace wire = leveret::wire;
using namespace std::chrono_literals;
using lv::test::background;
using lv::test::frame;
using lv::test::latch;
using lv::test::outcome;
using lv::test::outcome_of;
using lv::test::scripted_server;
using lv::test::scripted_peer;
using lv::test::small_broker;

namespace {

std::string blocked(std::string_view reason)
{
    wire::connection::blocked m;
    m.reason = reason;
    return frame(0, m);
}

} // namespace

LEVERET_CORO_TEST_CASE("waiting: a server stops reading; publish suspends, keeps its deadline, and goes on")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto reads_again = std::make_shared<latch>(executor);
    const auto bodies = std::make_shared<std::uint64_t>(0);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        co_await reads_again->wait();
        for (;;) {
            const auto f = co_await client.next();
            if (f.view().type == wire::frame_type::body)
                *bodies += f.view().payload.size();
            if (f.method() == wire::connection::close::id)
                co_await client.send(frame(0, wire::connection::close_ok{}));
        }
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    const std::string body(100'000, 'x');
    std::uint64_t published = 0;
    outcome end;
    while (end.ok()) {
        end = co_await outcome_of(channel.publish("", "q", body, {.timeout = 100ms}));
        published += end.ok() ? body.size() : 0;
        REQUIRE(published < 1'000'000'000);
    }
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::timeout);
    CHECK(end.details().operation_fate == lv::fate::never_sent);
    CHECK_FALSE(channel.try_publish("", "q", body));
    background waits(executor, channel.publish("", "q", body));
    background cancelled(executor, channel.publish("", "q", body));
    co_await lv::test::pause(executor, 1ms); // both have begun to wait
    CHECK_FALSE(waits.is_done());
    cancelled.cancel();
    const outcome gone = co_await cancelled.join();
    CHECK(gone.what() == outcome::kind::cancelled);
    CHECK(gone.details().operation_fate == lv::fate::never_sent);
    reads_again->fire();
    const outcome goes_on = co_await waits.join();
    CHECK(goes_on.ok());
    published += body.size();
    co_await connection.close();
    CHECK(*bodies == published); // what timed out was not sent, what was taken was
}

LEVERET_CORO_TEST_CASE("waiting: blocked for ever; publish times out and was never sent")
{
    scripted_server server(co_await asio::this_coro::executor);
    const auto executor = co_await asio::this_coro::executor;
    const auto broker = std::make_shared<small_broker*>(nullptr);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        small_broker b(client);
        *broker = &b;
        b.on_method = [&b](const lv::test::owned_frame& f) {
            if (f.method() == wire::queue::purge::id)
                b.instead = blocked("low on\nmemory") + frame(1, wire::queue::purge_ok{});
            if (f.method() == wire::queue::bind::id)
                b.instead = frame(0, wire::connection::unblocked{}) + frame(1, wire::queue::bind_ok{});
        };
        co_await b.serve();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    static_cast<void>(co_await channel.purge_queue("q"));
    CHECK(connection.is_blocked());
    CHECK(connection.blocked_reason() == "low on\nmemory");
    const outcome end = co_await outcome_of(channel.publish("", "q", "x", {.timeout = 50ms}));
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::timeout);
    CHECK(end.details().operation_fate == lv::fate::never_sent);
    CHECK(end.words().find("low on\\nmemory") != std::string::npos);
    const outcome confirmed =
        co_await outcome_of(channel.publish_confirmed("", "q", "x", {.timeout = 50ms}));
    CHECK(confirmed.what() == outcome::kind::timeout);
    CHECK(confirmed.details().operation_fate == lv::fate::never_sent);
    CHECK_FALSE(channel.try_publish("", "q", "x"));
    CHECK_FALSE((*broker)->has_seen("1 basic.publish"));
    background waits(executor, channel.publish("", "q", "x"));
    co_await channel.bind_queue("q", "e"); // other requests go on, and this one unblocks
    const outcome goes_on = co_await waits.join();
    CHECK(goes_on.ok());
    CHECK_FALSE(connection.is_blocked());
    CHECK(connection.blocked_reason().empty());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("waiting: the channel's flow is stopped and resumed")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto resume = std::make_shared<latch>(executor);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        wire::channel::flow m;
        co_await client.send(frame(1, m));
        static_cast<void>(co_await client.expect<wire::channel::flow_ok>());
        co_await resume->wait();
        m.active = true;
        co_await client.send(frame(1, m));
        static_cast<void>(co_await client.expect<wire::channel::flow_ok>());
        static_cast<void>(co_await client.expect<wire::basic::publish>());
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    while (channel.flow_active())
        co_await lv::test::pause(executor, 1ms);
    const outcome end = co_await outcome_of(channel.publish("", "q", "x", {.timeout = 50ms}));
    CHECK(end.what() == outcome::kind::timeout);
    CHECK(end.details().operation_fate == lv::fate::never_sent);
    background waits(executor, channel.publish("", "q", "x"));
    resume->fire();
    const outcome goes_on = co_await waits.join();
    CHECK(goes_on.ok());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("waiting: too many unconfirmed publishes; confirmations make room")
{
    const auto executor = co_await asio::this_coro::executor;
    constexpr std::uint64_t most = 65536;
    scripted_server server(executor);
    const auto confirm = std::make_shared<latch>(executor);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        co_await client.answer(frame(1, wire::confirm::select_ok{}));
        for (std::uint64_t n = 0; n < most; ++n) // method and header: empty bodies
            for (int i = 0; i < 2; ++i)
                static_cast<void>(co_await client.next());
        co_await confirm->wait();
        wire::basic::ack m;
        m.delivery_tag = most;
        m.multiple = true;
        co_await client.send(frame(1, m));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    co_await channel.select_confirms();
    for (std::uint64_t n = 0; n < most; ++n)
        co_await channel.publish("", "q", "");
    background waits(executor, channel.publish("", "q", "", {.timeout = 5s}));
    co_await lv::test::pause(executor, 1ms);
    CHECK_FALSE(waits.is_done());
    confirm->fire();
    const outcome goes_on = co_await waits.join();
    CAPTURE(goes_on);
    CHECK(goes_on.ok());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("waiting: a full backlog does not keep a confirmation from being read")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        static_cast<void>(co_await client.expect<wire::basic::qos>());
        const auto consume = co_await client.expect<wire::basic::consume>();
        wire::basic::consume_ok ok;
        const std::string tag(consume.as<wire::basic::consume>().consumer_tag);
        ok.consumer_tag = tag;
        co_await client.send(frame(1, wire::basic::qos_ok{}) + frame(1, ok));
        // More than the backlog takes, and less than the sockets do.
        for (std::uint64_t n = 1; n <= 8; ++n)
            co_await client.send(lv::test::delivery_frames(1, tag, n, std::string(10'000, 'x')));
        co_await client.answer(frame(1, wire::confirm::select_ok{}));
        for (int i = 0; i < 3; ++i)
            static_cast<void>(co_await client.next());
        wire::basic::ack m;
        m.delivery_tag = 1;
        co_await client.send(frame(1, m));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url(), {.backlog_high_water = 40'000});
    auto channel = co_await connection.open_channel();
    auto consumer = co_await channel.consume("q");
    co_await lv::test::pause(executor, 20ms); // the backlog fills
    const outcome end = co_await outcome_of(channel.publish_confirmed("", "q", "x", {.timeout = 3s}));
    CAPTURE(end);
    CHECK(end.ok());
    for (int i = 0; i < 8; ++i) {
        auto d = co_await consumer.next();
        REQUIRE(d);
        d->ack();
    }
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("waiting: a server falls silent; its heartbeats are missed in 2 to 3 intervals")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake(lv::test::tune_frame(0, 0, 1));
        static_cast<void>(co_await client.open_channel());
        co_await client.until_gone();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    CHECK(connection.heartbeat() == 1);
    auto channel = co_await connection.open_channel();
    const auto since = std::chrono::steady_clock::now();
    const outcome end = co_await outcome_of(channel.declare_queue("q"));
    const auto took = std::chrono::steady_clock::now() - since;
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
    CHECK(end.code() == lv::protocol_errc::heartbeat_timeout);
    CHECK(took > 1900ms);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("waiting: close is never answered; it ends at its deadline")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        co_await client.until_gone();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    background waits(executor, channel.declare_queue("q"));
    const outcome channel_end = co_await outcome_of(channel.close({.timeout = 50ms}));
    CHECK(channel_end.what() == outcome::kind::timeout);
    const outcome told = co_await waits.join();
    CHECK(told.code() == lv::errc::channel_closed);
    const outcome end = co_await outcome_of(connection.close({.timeout = 100ms}));
    CAPTURE(end);
    CHECK(end.ok());
    CHECK_FALSE(connection.is_open());
    const outcome again = co_await outcome_of(connection.close());
    CHECK(again.ok());
}

LEVERET_CORO_TEST_CASE("waiting: two closes at once")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        small_broker broker(client);
        co_await broker.serve();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    background first(executor, connection.close());
    background second(executor, connection.close());
    background third(executor, channel.close());
    for (auto* one : {&first, &second, &third}) {
        const outcome end = co_await one->join();
        CAPTURE(end);
        CHECK((end.ok() || end.code() == lv::errc::connection_closed));
    }
}

LEVERET_CORO_TEST_CASE("waiting: a publish that is half written when its coroutine is cancelled is sent whole")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto reads_again = std::make_shared<latch>(executor);
    const auto whole = std::make_shared<latch>(executor);
    std::string pattern(20'000'000, '\0');
    for (std::size_t i = 0; i < pattern.size(); ++i)
        pattern[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
    const auto expected = std::make_shared<std::string>(std::move(pattern));
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        static_cast<void>(co_await client.expect<wire::confirm::select>());
        co_await client.receive(); // and so has begun to be written
        co_await reads_again->wait();
        static_cast<void>(co_await client.expect<wire::basic::publish>());
        static_cast<void>(co_await client.next());
        std::string body;
        while (body.size() < expected->size()) {
            const auto f = co_await client.next();
            REQUIRE(f.view().type == wire::frame_type::body);
            body += f.view().payload;
        }
        const bool same = body == *expected;
        CHECK(same);
        whole->fire();
        wire::basic::ack m;
        m.delivery_tag = 1;
        co_await client.send(frame(1, wire::confirm::select_ok{}) + frame(1, m));
        static_cast<void>(co_await client.expect<wire::queue::declare>());
        wire::queue::declare_ok ok;
        ok.queue = "q";
        co_await client.send(frame(1, ok));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    background publish(executor, channel.publish_confirmed("", "q", *expected));
    co_await lv::test::pause(executor, 20ms); // the sockets are full: there is no telling from outside
    publish.cancel();
    const outcome end = co_await publish.join();
    CHECK(end.what() == outcome::kind::cancelled);
    CHECK(end.details().operation_fate == lv::fate::unknown);
    reads_again->fire();
    co_await whole->wait();
    static_cast<void>(co_await channel.declare_queue("q"));
    co_await connection.close();
}
