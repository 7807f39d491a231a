// Answers that come when nobody waits for them any more: what they started is undone, and the channel
// goes on as if nothing had been.
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
#include <optional>
#include <string>
#include <utility>

namespace lv = leveret;
namespace wire = leveret::wire;
using namespace std::chrono_literals;
using lv::test::background;
using lv::test::delivery_frames;
using lv::test::frame;
using lv::test::latch;
using lv::test::outcome;
using lv::test::outcome_of;
using lv::test::scripted_server;
using lv::test::scripted_peer;
using lv::test::small_broker;

namespace {

std::string consume_ok(std::string_view tag)
{
    wire::basic::consume_ok m;
    m.consumer_tag = tag;
    return frame(1, m);
}
std::string cancel_ok(std::string_view tag)
{
    wire::basic::cancel_ok m;
    m.consumer_tag = tag;
    return frame(1, m);
}
std::string declare_ok(std::string_view name)
{
    wire::queue::declare_ok m;
    m.queue = name;
    return frame(1, m);
}

} // namespace

LEVERET_CORO_TEST_CASE("late: a consumer starts after its time, and is cancelled again")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto given_up = std::make_shared<latch>(executor);
    const auto undone = std::make_shared<latch>(executor);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        static_cast<void>(co_await client.expect<wire::basic::qos>());
        static_cast<void>(co_await client.expect<wire::basic::consume>());
        co_await given_up->wait();
        co_await client.send(frame(1, wire::basic::qos_ok{}) + consume_ok("c") +
                             delivery_frames(1, "c", 1, "for nobody") +
                             delivery_frames(1, "c", 2, "for nobody"));
        int requeued = 0;
        bool cancelled = false;
        while (requeued < 2 || !cancelled) {
            const auto f = co_await client.next();
            if (f.method() == wire::basic::cancel::id) {
                cancelled = true;
                co_await client.send(delivery_frames(1, "c", 3, "crosses the cancel") + cancel_ok("c"));
            }
            if (f.method() == wire::basic::nack::id) {
                const auto m = f.as<wire::basic::nack>();
                CHECK(m.requeue);
                requeued = static_cast<int>(m.delivery_tag);
            }
        }
        undone->fire();
        for (;;) {
            const auto f = co_await client.next();
            if (f.method() == wire::queue::declare::id)
                co_await client.send(declare_ok("q"));
            if (f.method() == wire::connection::close::id)
                co_await client.send(frame(0, wire::connection::close_ok{}));
        }
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    const outcome end = co_await outcome_of(channel.consume("q", {.tag = "c", .timeout = 50ms}));
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::timeout);
    CHECK(end.details().operation_fate == lv::fate::unknown);
    given_up->fire();
    co_await undone->wait();
    static_cast<void>(co_await channel.declare_queue("q"));
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("late: a message that was asked for goes back")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto given_up = std::make_shared<latch>(executor);
    const auto undone = std::make_shared<latch>(executor);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        static_cast<void>(co_await client.expect<wire::basic::get>());
        co_await given_up->wait();
        co_await client.send(lv::test::get_ok_frames(1, 1, std::string(10'000, 'x')));
        const auto f = co_await client.expect<wire::basic::nack>();
        CHECK(f.as<wire::basic::nack>().delivery_tag == 1);
        CHECK(f.as<wire::basic::nack>().requeue);
        undone->fire();
        static_cast<void>(co_await client.expect<wire::basic::get>());
        co_await client.send(lv::test::get_ok_frames(1, 2, "again"));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    const outcome end = co_await outcome_of(channel.get("q", {.timeout = 50ms}));
    CHECK(end.what() == outcome::kind::timeout);
    given_up->fire();
    co_await undone->wait();
    auto again = co_await channel.get("q");
    REQUIRE(again);
    CHECK(again->body() == "again");
    CHECK(again->ack());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("late: a channel is opened after its time, and its number is used again")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto given_up = std::make_shared<latch>(executor);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake(lv::test::tune_frame(1, 0, 0));
        static_cast<void>(co_await client.expect<wire::channel::open>());
        co_await given_up->wait();
        static_cast<void>(co_await client.expect<wire::channel::close>());
        co_await client.send(frame(1, wire::channel::open_ok{}) + frame(1, wire::channel::close_ok{}));
        const std::uint16_t number = co_await client.open_channel();
        CHECK(number == 1);
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    const outcome end = co_await outcome_of(connection.open_channel({.timeout = 50ms}));
    CHECK(end.what() == outcome::kind::timeout);
    const outcome none = co_await outcome_of(connection.open_channel());
    CHECK(none.code() == lv::errc::no_free_channel); // the server may still use it
    given_up->fire();
    for (;;) { // free once the server has answered
        const outcome o = co_await outcome_of(connection.open_channel());
        if (o.ok())
            break;
        REQUIRE(o.code() == lv::errc::no_free_channel);
        co_await lv::test::pause(executor, 1ms);
    }
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("late: a consumer's cancel is given up and its handle dropped, deliveries cross")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto given_up = std::make_shared<latch>(executor);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        static_cast<void>(co_await client.expect<wire::basic::qos>());
        static_cast<void>(co_await client.expect<wire::basic::consume>());
        co_await client.send(frame(1, wire::basic::qos_ok{}) + consume_ok("c"));
        static_cast<void>(co_await client.expect<wire::basic::cancel>());
        co_await given_up->wait();
        co_await client.send(delivery_frames(1, "c", 1, "crosses the cancel") + cancel_ok("c"));
        bool given_back = false, asked = false;
        while (!given_back || !asked) { // in either order
            const auto f = co_await client.next();
            given_back = given_back || f.method() == wire::basic::nack::id;
            asked = asked || f.method() == wire::queue::declare::id;
        }
        co_await client.send(declare_ok("q"));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    {
        auto consumer = co_await channel.consume("q", {.tag = "c"});
        const outcome end = co_await outcome_of(consumer.cancel({.timeout = 50ms}));
        CHECK(end.what() == outcome::kind::timeout);
    }
    given_up->fire();
    // The server answers this when it has had the crossing delivery back.
    const outcome end = co_await outcome_of(channel.declare_queue("q"));
    CAPTURE(end);
    CHECK(end.ok());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("late: a consumer is dropped without a word, and its messages go back")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        small_broker broker(client);
        broker.deliveries = 10;
        co_await broker.serve();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    for (int i = 0; i < 100; ++i) {
        auto consumer = co_await channel.consume("q", {.tag = "c"});
        auto first = co_await consumer.next();
        REQUIRE(first);
        if (i % 2 == 0)
            CHECK(first->ack());
    }
    static_cast<void>(co_await channel.declare_queue("q"));
    CHECK(connection.is_open());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("late: a confirmation that nobody waits for any more")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto given_up = std::make_shared<latch>(executor);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        co_await client.answer(frame(1, wire::confirm::select_ok{}));
        for (int i = 0; i < 3; ++i)
            static_cast<void>(co_await client.next());
        co_await given_up->wait();
        wire::basic::ack m;
        m.delivery_tag = 1;
        co_await client.send(frame(1, m));
        for (int i = 0; i < 3; ++i)
            static_cast<void>(co_await client.next());
        m.delivery_tag = 2;
        co_await client.send(frame(1, m));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    const outcome end = co_await outcome_of(channel.publish_confirmed("", "q", "x", {.timeout = 50ms}));
    CHECK(end.what() == outcome::kind::timeout);
    CHECK(end.details().operation_fate == lv::fate::unknown);
    given_up->fire();
    const auto second = co_await channel.publish_confirmed("", "q", "y");
    CHECK(second.is_confirmed());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("late: a new consumer has the tag of one that is leaving, and gets its own messages only")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto requeued = std::make_shared<std::string>();
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        static_cast<void>(co_await client.expect<wire::basic::qos>());
        static_cast<void>(co_await client.expect<wire::basic::consume>());
        co_await client.send(frame(1, wire::basic::qos_ok{}) + consume_ok("c"));
        static_cast<void>(co_await client.expect<wire::basic::cancel>());
        static_cast<void>(co_await client.expect<wire::basic::consume>());
        co_await client.send(delivery_frames(1, "c", 1, "old") + cancel_ok("c") + consume_ok("c") +
                             delivery_frames(1, "c", 2, "new"));
        for (;;) {
            const auto f = co_await client.next();
            if (f.method() == wire::basic::nack::id) {
                const auto m = f.as<wire::basic::nack>();
                *requeued += std::to_string(m.delivery_tag) + (m.requeue ? " again;" : " gone;");
            }
            if (f.method() == wire::connection::close::id)
                co_await client.send(frame(0, wire::connection::close_ok{}));
        }
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    {
        const auto old = co_await channel.consume("q", {.tag = "c"});
        CHECK(old.tag() == "c");
    }
    auto consumer = co_await channel.consume("q", {.tag = "c"});
    auto d = co_await consumer.next();
    REQUIRE(d);
    CHECK(d->body() == "new");
    CHECK(d->ack());
    co_await connection.close();
    CHECK(*requeued == "1 again;");
}

LEVERET_CORO_TEST_CASE("late: a message that was asked for crosses recover, and can't be settled")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto settled = std::make_shared<int>(0);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        static_cast<void>(co_await client.expect<wire::basic::get>());
        static_cast<void>(co_await client.expect<wire::basic::recover>());
        co_await client.send(lv::test::get_ok_frames(1, 1, "comes again") +
                             frame(1, wire::basic::recover_ok{}));
        for (;;) {
            const auto f = co_await client.next();
            *settled += f.method() == wire::basic::ack::id || f.method() == wire::basic::nack::id;
            if (f.method() == wire::basic::get::id)
                co_await client.send(lv::test::get_ok_frames(1, 2, "comes again"));
            if (f.method() == wire::connection::close::id)
                co_await client.send(frame(0, wire::connection::close_ok{}));
        }
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    std::optional<lv::amqp::delivery> first;
    background getting(executor, [](lv::amqp::channel& c, auto& out) -> asio::awaitable<void> {
        out = co_await c.get("q");
    }(channel, first));
    co_await lv::test::pause(executor, 1ms); // it has been sent
    co_await channel.recover();
    const outcome got = co_await getting.join();
    CHECK(got.ok());
    REQUIRE(first);
    CHECK(first->body() == "comes again");
    CHECK_FALSE(first->ack());
    auto again = co_await channel.get("q");
    REQUIRE(again);
    CHECK(again->ack());
    co_await connection.close();
    CHECK(*settled == 1);
}

LEVERET_CORO_TEST_CASE("late: an answer to get with an impossible tag ends the connection, and the get with it")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        static_cast<void>(co_await client.expect<wire::basic::get>());
        co_await client.send(lv::test::get_ok_frames(1, 0, "x"));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    const outcome end = co_await outcome_of(channel.get("q", {.timeout = lv::duration::never()}));
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
    CHECK(end.code() == lv::protocol_errc::unexpected_method);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("late: the tag of a consumer that timed out is free when the broker knows that it goes")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto given_up = std::make_shared<latch>(executor);
    const auto order = std::make_shared<std::string>();
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        static_cast<void>(co_await client.expect<wire::basic::qos>());
        static_cast<void>(co_await client.expect<wire::basic::consume>());
        co_await given_up->wait();
        co_await client.send(frame(1, wire::basic::qos_ok{}) + consume_ok("x"));
        for (;;) {
            const auto f = co_await client.next();
            if (f.method() == wire::queue::declare::id) {
                co_await client.send(declare_ok("q"));
            } else if (f.method() == wire::basic::cancel::id) {
                *order += "cancel ";
                co_await client.send(cancel_ok("x"));
            } else if (f.method() == wire::basic::consume::id) {
                *order += "consume ";
                co_await client.send(consume_ok("x") + delivery_frames(1, "x", 1, "for the second"));
            } else if (f.method() == wire::connection::close::id) {
                co_await client.send(frame(0, wire::connection::close_ok{}));
            }
        }
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    const outcome end = co_await outcome_of(channel.consume("q", {.tag = "x", .timeout = 20ms}));
    CHECK(end.what() == outcome::kind::timeout);
    CHECK_THROWS_AS(static_cast<void>(channel.consume("q", {.tag = "x"})), lv::usage_error);
    given_up->fire();
    static_cast<void>(co_await channel.declare_queue("q")); // answered after consume-ok
    auto consumer = co_await channel.consume("q", {.tag = "x"});
    auto d = co_await consumer.next();
    REQUIRE(d);
    CHECK(d->body() == "for the second");
    CHECK(d->ack());
    CHECK(*order == "cancel consume ");
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("late: a consumer that goes is cancelled before its messages are given back")
{
    scripted_server server(co_await asio::this_coro::executor);
    const auto order = std::make_shared<std::string>();
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        small_broker broker(client);
        broker.deliveries = 3;
        broker.on_method = [&](const lv::test::owned_frame& f) {
            if (f.method() == wire::basic::cancel::id)
                *order += "cancel;";
            if (f.method() == wire::basic::nack::id)
                *order += "nack;";
        };
        co_await broker.serve();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    {
        auto consumer = co_await channel.consume("q");
        auto first = co_await consumer.next();
        REQUIRE(first);
        CHECK(first->ack());
    }
    static_cast<void>(co_await channel.declare_queue("q"));
    CHECK(*order == "cancel;nack;");
    co_await connection.close();
}
