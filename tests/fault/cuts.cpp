// The socket ends after every number of bytes that a server could have sent: each time what waits is
// told, and nothing is left behind.
#include "support/coro_test.hpp"
#include "support/outcome.hpp"
#include "support/scripted_server.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace lv = leveret;
namespace wire = leveret::wire;
using lv::test::frame;
using lv::test::outcome;
using lv::test::outcome_of;
using lv::test::scripted_server;
using lv::test::scripted_peer;

namespace {

/// How the socket ends.
enum class cut { end_of_stream, reset };

asio::awaitable<void> end(scripted_peer& client, cut how)
{
    if (how == cut::reset) {
        client.socket().set_option(asio::socket_base::linger(true, 0));
        client.close();
        co_return;
    }
    client.end_output();
    co_await client.until_gone();
}

/// Everything a client does with such a server; each part of it must end.
asio::awaitable<void> live(std::string url)
{
    outcome end;
    lv::amqp::connection connection;
    {
        auto connecting = [](lv::amqp::connection& c, std::string u) -> asio::awaitable<void> {
            c = co_await lv::amqp::connect(u);
        };
        end = co_await outcome_of(connecting(connection, url));
    }
    if (end.ok()) {
        auto work = [](lv::amqp::connection& c) -> asio::awaitable<void> {
            auto channel = co_await c.open_channel();
            static_cast<void>(co_await channel.declare_queue("q"));
            auto consumer = co_await channel.consume("q", {.tag = "c"});
            auto first = co_await consumer.next();
            REQUIRE(first);
            CHECK(first->body() == "hello");
            CHECK(first->properties().correlation_id() == "id");
            auto second = co_await channel.get("q");
            REQUIRE(second);
            CHECK(second->body() == "again");
        };
        end = co_await outcome_of(work(connection));
        if (!end.ok()) {
            const outcome late = co_await outcome_of(connection.open_channel());
            CHECK(late.what() == outcome::kind::connection);
        }
        const outcome closed = co_await outcome_of(connection.close());
        CHECK(closed.ok());
    }
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
}

/// The server answers each of the client's frames with its part, until it has said so many bytes.
asio::awaitable<void> cut_everywhere(cut how)
{
    const auto executor = co_await asio::this_coro::executor;
    wire::queue::declare_ok declared;
    declared.queue = "q";
    wire::basic::consume_ok consuming;
    consuming.consumer_tag = "c";
    lv::properties p;
    p.correlation_id("id").header("key", "value");
    const std::vector<std::string> parts = {
        lv::test::start_frame(),
        lv::test::tune_frame(),
        {},
        frame(0, wire::connection::open_ok{}),
        frame(1, wire::channel::open_ok{}),
        frame(1, declared),
        frame(1, wire::basic::qos_ok{}),
        frame(1, consuming) + lv::test::delivery_frames(1, "c", 1, "hello", p),
        lv::test::get_ok_frames(1, 2, "again"),
    };
    std::size_t total = 0;
    for (const std::string& part : parts)
        total += part.size();
    for (std::size_t n = 0; n < total; ++n) {
        CAPTURE(n);
        scripted_server server(executor);
        server.play([=](scripted_peer& client) -> asio::awaitable<void> {
            std::size_t left = n;
            for (const std::string& part : parts) {
                static_cast<void>(co_await client.next());
                co_await client.send(part.substr(0, left));
                if (left < part.size())
                    break;
                left -= part.size();
            }
            co_await end(client, how);
        });
        co_await live(server.url());
    }
}

} // namespace

LEVERET_CORO_TEST_CASE("cuts: the end of the stream after every byte" * doctest::timeout(120))
{
    co_await cut_everywhere(cut::end_of_stream);
}

LEVERET_CORO_TEST_CASE("cuts: a reset after every byte" * doctest::timeout(120))
{
    co_await cut_everywhere(cut::reset);
}
