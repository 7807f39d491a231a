// Answers that are legal AMQP and yet not what was asked for, and how the channel goes on.
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
#include <string>
#include <string_view>

namespace lv = leveret;
namespace wire = leveret::wire;
using namespace std::chrono_literals;
using lv::test::delivery_frames;
using lv::test::frame;
using lv::test::outcome;
using lv::test::outcome_of;
using lv::test::scripted_server;
using lv::test::scripted_peer;
using lv::test::small_broker;

namespace {

std::string declare_ok(std::string_view name)
{
    wire::queue::declare_ok m;
    m.queue = name;
    return frame(1, m);
}
std::string consume_ok(std::string_view tag)
{
    wire::basic::consume_ok m;
    m.consumer_tag = tag;
    return frame(1, m);
}
/// Answers what a client asks when it consumes with the tag `c`.
asio::awaitable<void> start_consumer(scripted_peer& client)
{
    static_cast<void>(co_await client.expect<wire::basic::qos>());
    static_cast<void>(co_await client.expect<wire::basic::consume>());
    co_await client.send(frame(1, wire::basic::qos_ok{}) + consume_ok("c"));
}
asio::awaitable<void> cancel_by_server(scripted_peer& client)
{
    wire::basic::cancel m;
    m.consumer_tag = "c";
    m.no_wait = true;
    co_await client.send(frame(1, m));
}

} // namespace

LEVERET_CORO_TEST_CASE("answers: channel_max 1 and a second channel is wanted")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        small_broker broker(client);
        broker.tune = lv::test::tune_frame(1, 0, 0);
        co_await broker.serve();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    const outcome end = co_await outcome_of(connection.open_channel());
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::channel);
    CHECK(end.code() == lv::errc::no_free_channel);
    static_cast<void>(co_await channel.declare_queue("q"));
    co_await channel.close();
    auto again = co_await connection.open_channel();
    CHECK(again.number() == 1);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("answers: declare-ok with another name, and an empty one for the server's choice")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        co_await client.answer(declare_ok("another\x1b"));
        co_await client.answer(declare_ok(""));
        co_await client.answer(declare_ok("made-up"));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    const outcome other = co_await outcome_of(channel.declare_queue("q"));
    CAPTURE(other);
    CHECK(other.what() == outcome::kind::channel);
    CHECK(other.code() == lv::errc::queue_name);
    CHECK(other.words().find('\x1b') == std::string::npos);
    const outcome empty = co_await outcome_of(channel.declare_queue());
    CHECK(empty.code() == lv::errc::queue_name);
    const auto queue = co_await channel.declare_queue();
    CHECK(queue.name() == "made-up");
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("answers: the same consumer tag twice is not even sent")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        small_broker broker(client);
        co_await broker.serve();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    auto consumer = co_await channel.consume("q", {.tag = "c"});
    CHECK_THROWS_AS(static_cast<void>(channel.consume("q", {.tag = "c"})), lv::usage_error);
    co_await consumer.cancel();
    consumer = {};
    auto again = co_await channel.consume("q", {.tag = "c"});
    CHECK(again.tag() == "c");
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("answers: consume-ok for another tag")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        co_await client.answer(frame(1, wire::basic::qos_ok{}));
        co_await client.answer(consume_ok("another"));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    const outcome end = co_await outcome_of(channel.consume("q", {.tag = "c"}));
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
    CHECK(end.code() == lv::protocol_errc::unexpected_method);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("answers: cancelled by the server, after what had come before")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        co_await start_consumer(client);
        co_await client.send(delivery_frames(1, "c", 1, "last"));
        co_await cancel_by_server(client);
        for (;;) { // the channel goes on
            const auto f = co_await client.next();
            if (f.method() == wire::queue::declare::id)
                co_await client.send(declare_ok("q"));
            if (f.method() == wire::connection::close::id)
                co_await client.send(frame(0, wire::connection::close_ok{}));
        }
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    auto consumer = co_await channel.consume("q", {.tag = "c"});
    auto last = co_await consumer.next();
    REQUIRE(last);
    CHECK(last->body() == "last");
    for (int i = 0; i < 2; ++i) { // and it stays so
        const outcome end = co_await outcome_of(consumer.next());
        CAPTURE(end);
        CHECK(end.what() == outcome::kind::consumer);
        CHECK(end.code() == lv::errc::consumer_cancelled);
    }
    CHECK(last->ack());
    co_await consumer.cancel();
    static_cast<void>(co_await channel.declare_queue("q"));
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("answers: names and keys that are not UTF-8 are delivered as bytes")
{
    const std::string wild("\xff\0\xc3\n\x1b", 5);
    scripted_server server(co_await asio::this_coro::executor);
    server.play([wild](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        static_cast<void>(co_await client.expect<wire::basic::get>());
        wire::basic::get_ok m;
        m.delivery_tag = 1;
        m.exchange = wild;
        m.routing_key = wild;
        lv::properties p;
        p.content_type(wild).header(wild, wild);
        co_await client.send(frame(1, m) + lv::test::content(1, wild, p));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    auto message = co_await channel.get("q");
    REQUIRE(message);
    CHECK(message->exchange() == wild);
    CHECK(message->routing_key() == wild);
    CHECK(message->body() == wild);
    CHECK(message->properties().content_type() == wild);
    const lv::table headers = message->headers();
    const auto* value = headers.find_as<std::string>(wild);
    REQUIRE(value != nullptr);
    CHECK(*value == wild);
    message.reset();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("answers: a return for a publish that was not mandatory")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        static_cast<void>(co_await client.expect<wire::basic::publish>());
        co_await client.send(lv::test::return_frames(1, "q", "x"));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    co_await channel.publish("", "q", "x");
    const auto back = co_await channel.next_return();
    CHECK(back.reply_code() == lv::reply_code::no_route);
    CHECK(back.routing_key() == "q");
    CHECK(back.message().text() == "x");
    CHECK(connection.is_open());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("answers: a storm of nacks")
{
    constexpr std::uint64_t count = 1000;
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        co_await client.answer(frame(1, wire::confirm::select_ok{}));
        std::string storm;
        for (std::uint64_t n = count; n > 0; --n) { // from the last to the first
            static_cast<void>(co_await client.expect<wire::basic::publish>());
            static_cast<void>(co_await client.next());
            static_cast<void>(co_await client.next());
            wire::basic::nack m;
            m.delivery_tag = n;
            storm += frame(1, m);
        }
        co_await client.send(storm);
        wire::basic::nack again;
        again.delivery_tag = 1;
        co_await client.send(frame(1, again)); // once more than there was anything to refuse
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    lv::amqp::publisher out(channel);
    for (std::uint64_t i = 0; i < count; ++i)
        static_cast<void>(co_await out.publish("", "q", "x"));
    const auto report = co_await out.flush();
    CHECK(report.failures().size() == count);
    CHECK(report.confirmed() == 0);
    for (const auto& f : report.failures())
        CHECK(f.result().is_rejected());
    const outcome end = co_await outcome_of(channel.next_return());
    CHECK(end.code() == lv::protocol_errc::unexpected_method);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("answers: deliveries after our close of the channel are ignored")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        co_await start_consumer(client);
        static_cast<void>(co_await client.expect<wire::channel::close>());
        for (std::uint64_t tag = 1; tag <= 100; ++tag)
            co_await client.send(delivery_frames(1, "c", tag, "late"));
        co_await client.send(frame(1, wire::channel::close_ok{}));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    auto consumer = co_await channel.consume("q", {.tag = "c"});
    co_await channel.close();
    CHECK(connection.is_open());
    CHECK_FALSE(consumer.try_next());
    const outcome end = co_await outcome_of(consumer.next());
    CHECK(end.what() == outcome::kind::channel);
    CHECK(end.code() == lv::errc::channel_closed);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("answers: a channel error ends that channel and no other")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        small_broker broker(client);
        broker.on_method = [&](const lv::test::owned_frame& f) {
            if (f.method() == wire::queue::purge::id)
                broker.instead = lv::test::channel_close_frame(
                    f.channel(), 404, "NOT_FOUND - no queue 'gone' in vhost '/'");
        };
        co_await broker.serve();
    });
    const auto executor = co_await asio::this_coro::executor;
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    auto consumer = co_await channel.consume("q");
    auto waits_on = co_await other.consume("q");
    lv::test::background waiting(executor, consumer.next());
    lv::test::background elsewhere(executor, waits_on.next());
    const outcome end = co_await outcome_of(channel.purge_queue("gone"));
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::channel);
    CHECK(end.code() == lv::reply_code::not_found);
    CHECK(end.details().operation_fate == lv::fate::refused);
    CHECK(end.details().channel == 1);
    const outcome told = co_await waiting.join();
    CHECK(told.what() == outcome::kind::channel);
    CHECK(told.code() == lv::reply_code::not_found);
    const outcome late = co_await outcome_of(channel.publish("", "q", "x"));
    CHECK(late.what() == outcome::kind::channel);
    CHECK(late.details().operation_fate == lv::fate::never_sent);
    CHECK_FALSE(elsewhere.is_done());
    static_cast<void>(co_await other.declare_queue("q"));
    co_await connection.close();
    const outcome over = co_await elsewhere.join();
    CHECK(over.what() == outcome::kind::connection);
}
