// Servers that do not read any more: what is on its way to the socket stays there, and yet every end of
// the connection comes in time.
#include "support/coro_test.hpp"
#include "support/outcome.hpp"
#include "support/scripted_server.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace lv = leveret;
namespace wire = leveret::wire;
using namespace std::chrono_literals;
using lv::test::frame;
using lv::test::outcome_of;
using lv::test::scripted_server;
using lv::test::scripted_peer;

namespace {

/// Publishes until the socket takes no more.
asio::awaitable<void> publish_until_stuck(lv::amqp::channel channel)
{
    const lv::message m(std::string(64 * 1024, 'x'));
    for (;;)
        co_await channel.publish("", "q", m, {.timeout = 200ms});
}

double seconds_since(std::chrono::steady_clock::time_point then)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

} // namespace

LEVERET_CORO_TEST_CASE("a server that does not read: close ends at its deadline")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    lv::test::latch over(executor);
    server.play([&](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        co_await client.open_channel();
        co_await over.wait();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    const auto stuck = co_await outcome_of(publish_until_stuck(channel));
    CHECK(stuck.what() == lv::test::outcome::kind::timeout);
    const auto began = std::chrono::steady_clock::now();
    const auto closed = co_await outcome_of(connection.close({.timeout = 300ms}));
    over.fire();
    CHECK(closed.ok());
    CHECK(seconds_since(began) < 2);
}

LEVERET_CORO_TEST_CASE("a server that does not read: it closes, and our answer does not get through")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    lv::test::latch stuck(executor);
    lv::test::latch over(executor);
    server.play([&](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        co_await client.open_channel();
        co_await stuck.wait();
        wire::connection::close m;
        m.reply_code = 320;
        m.reply_text = "CONNECTION_FORCED";
        co_await client.send(frame(0, m));
        co_await over.wait();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    static_cast<void>(co_await outcome_of(publish_until_stuck(channel)));
    stuck.fire();
    const auto began = std::chrono::steady_clock::now();
    const auto refused = co_await outcome_of(channel.publish("", "q", "x"));
    CHECK(refused.details().code == 320);
    co_await connection.close({.timeout = 300ms});
    over.fire();
    CHECK(seconds_since(began) < 8);
}

LEVERET_CORO_TEST_CASE("a server that does not read nor send: over when its heartbeats are missing")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    lv::test::latch over(executor);
    server.play([&](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        co_await client.open_channel();
        co_await over.wait();
    });
    auto connection = co_await lv::amqp::connect(server.url(), {.heartbeat = 1s});
    auto channel = co_await connection.open_channel();
    static_cast<void>(co_await outcome_of(publish_until_stuck(channel)));
    const auto began = std::chrono::steady_clock::now();
    const auto ended = co_await outcome_of(channel.publish("", "q", "x", {.timeout = 20s}));
    CHECK(ended.what() == lv::test::outcome::kind::connection);
    co_await connection.close();
    over.fire();
    CHECK(seconds_since(began) < 4);
}
