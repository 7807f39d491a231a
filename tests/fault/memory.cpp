// What a server sends can't make the client's memory grow beyond its limits, whatever it is.
#include "support/allocated.hpp"
#include "support/coro_test.hpp"
#include "support/outcome.hpp"
#include "support/scripted_server.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace lv = leveret;
namespace wire = leveret::wire;
using namespace std::chrono_literals;
using lv::test::allocation_watch;
using lv::test::body_frame;
using lv::test::delivery_frames;
using lv::test::frame;
using lv::test::header_frame;
using lv::test::outcome;
using lv::test::outcome_of;
using lv::test::scripted_server;
using lv::test::scripted_peer;

namespace {

constexpr std::size_t mib = 1024 * 1024;

/// Accepts a client and its channel 1 with a consumer `c`.
asio::awaitable<void> welcome(scripted_peer& client)
{
    co_await client.handshake();
    static_cast<void>(co_await client.open_channel());
    static_cast<void>(co_await client.expect<wire::basic::qos>());
    static_cast<void>(co_await client.expect<wire::basic::consume>());
    wire::basic::consume_ok ok;
    ok.consumer_tag = "c";
    co_await client.send(frame(1, wire::basic::qos_ok{}) + frame(1, ok));
}
std::string deliver(std::uint64_t tag)
{
    wire::basic::deliver m;
    m.consumer_tag = "c";
    m.delivery_tag = tag;
    return frame(1, m);
}

/// What a server sends in a flood: the bytes number `n`, or empty at its end.
using flood = std::function<std::string(std::uint64_t n)>;

struct flooded {
    std::size_t peak = 0;      ///< of memory that was allocated at any time
    std::uint64_t sent = 0;    ///< bytes that the client's socket took
    bool stalled = false;      ///< the client did not take more
};

/// Floods a client that has a consumer and does not call next, until all is sent, the client is gone, or
/// it has taken nothing for a while.
asio::awaitable<flooded> drown(flood bytes, lv::amqp::connect_options options = {})
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto result = std::make_shared<flooded>();
    const auto end = std::make_shared<lv::test::latch>(executor);
    const auto over = std::make_shared<lv::test::latch>(executor);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await welcome(client);
        const allocation_watch memory;
        try {
            for (std::uint64_t n = 0; !over->is_fired(); ++n) {
                const std::string next = bytes(n);
                if (next.empty())
                    break;
                co_await client.send(next);
                result->sent += next.size();
                result->peak = std::max(result->peak, memory.grown());
            }
        } catch (const lv::test::client_gone&) {
        }
        result->peak = std::max(result->peak, memory.grown());
        end->fire();
        co_await over->wait();
        client.close();
    });
    auto connection = co_await lv::amqp::connect(server.url(), options);
    auto channel = co_await connection.open_channel();
    auto consumer = co_await channel.consume("q", {.tag = "c"});
    for (std::uint64_t before = ~std::uint64_t{0}; !end->is_fired() && before != result->sent;) {
        before = result->sent;
        co_await lv::test::pause(executor, 500ms);
    }
    result->stalled = !end->is_fired();
    const flooded so_far = *result;
    over->fire();
    end->fire();
    co_return so_far;
}

} // namespace

LEVERET_CORO_TEST_CASE("memory: nothing is allocated for what is only announced")
{
    const auto executor = co_await asio::this_coro::executor;
    for (const std::uint64_t size : {std::uint64_t{100} * mib, std::uint64_t{1} << 63U}) {
        scripted_server server(executor);
        const auto sent = std::make_shared<lv::test::latch>(executor);
        server.play([=](scripted_peer& client) -> asio::awaitable<void> {
            co_await welcome(client);
            static_cast<void>(co_await client.open_channel());
            co_await client.send(deliver(1) + header_frame(1, size) + body_frame(1, "x"));
            // Whoever has answered this has read the above.
            co_await client.send(frame(2, wire::channel::flow{}));
            const auto f = co_await client.next();
            if (f.method() == wire::connection::close::id)
                co_await client.send(frame(0, wire::connection::close_ok{}));
            sent->fire();
            co_await client.until_closed();
        });
        auto connection = co_await lv::amqp::connect(server.url());
        auto channel = co_await connection.open_channel();
        auto consumer = co_await channel.consume("q", {.tag = "c"});
        const allocation_watch memory;
        const outcome second = co_await outcome_of(connection.open_channel());
        co_await sent->wait();
        static_cast<void>(second);
        CHECK(memory.grown() < mib);
        CHECK(connection.is_open() == (size < (std::uint64_t{1} << 63U)));
        co_await connection.close();
    }
}

LEVERET_CORO_TEST_CASE("memory: 100,000 empty body frames")
{
    const auto sent = co_await drown([](std::uint64_t n) -> std::string {
        if (n == 0)
            return deliver(1) + header_frame(1, 10);
        std::string frames;
        for (int i = 0; i < 1000; ++i)
            frames += body_frame(1, "");
        return n <= 100 ? frames : std::string();
    });
    CHECK_FALSE(sent.stalled);
    CHECK(sent.peak < 2 * mib);
}

LEVERET_CORO_TEST_CASE("memory: 600 MB of deliveries past the prefetch, which nobody takes" *
                       doctest::timeout(120))
{
    for (const std::size_t size : {std::size_t{100}, 100'000 * std::size_t{1}, 20 * mib}) {
        CAPTURE(size);
        std::uint64_t total = 0;
        const std::string body(size, 'x');
        const auto sent = co_await drown([&](std::uint64_t n) -> std::string {
            std::string frames;
            for (std::uint64_t tag = 1 + n * 50; frames.size() < 50 * size && tag <= (n + 1) * 50; ++tag) {
                frames += deliver(tag) + lv::test::content(1, body, {}, 131072 - 8);
                if (size >= mib) { // one by one
                    frames = deliver(n + 1) + lv::test::content(1, body, {}, 131072 - 8);
                    break;
                }
            }
            total += frames.size();
            return total > 600 * mib ? std::string() : frames;
        });
        CHECK(sent.stalled);
        // The backlog's limit, one message more, what bookkeeping costs, and the server's own bytes.
        CHECK(sent.peak < 64 * mib + 4 * size);
    }
}

LEVERET_CORO_TEST_CASE("memory: small deliveries that pin large reads")
{
    std::string padding;
    while (padding.size() < 64 * 1024)
        padding += wire::heartbeat_frame;
    std::uint64_t total = 0;
    const auto sent = co_await drown([&](std::uint64_t n) -> std::string {
        total += padding.size();
        return total > 200 * mib ? std::string() : delivery_frames(1, "c", n + 1, "x") + padding;
    });
    CAPTURE(sent.sent);
    CHECK(sent.peak < 64 * mib);
}

LEVERET_CORO_TEST_CASE("memory: delivery tags with gaps")
{
    const auto sent = co_await drown([&](std::uint64_t n) -> std::string {
        return n == 5000 ? std::string() : delivery_frames(1, "c", 1 + n * 60'000, "x");
    });
    CHECK(sent.peak < 8 * mib);
}

LEVERET_CORO_TEST_CASE("memory: returns that nobody reads")
{
    const std::string body(mib, 'x');
    const auto sent = co_await drown([&](std::uint64_t n) -> std::string {
        wire::basic::return_ m;
        m.reply_code = 312;
        m.routing_key = "q";
        return n == 300 ? std::string() : frame(1, m) + lv::test::content(1, body, {}, 131072 - 8);
    });
    CAPTURE(sent.sent);
    CHECK(sent.peak < 64 * mib);
}

LEVERET_CORO_TEST_CASE("memory: a server that makes us answer and does not read")
{
    std::string many;
    for (int i = 0; i < 5000; ++i)
        many += frame(1, wire::channel::flow{});
    std::uint64_t total = 0;
    const auto sent = co_await drown([&](std::uint64_t) -> std::string {
        total += many.size();
        return total > 150 * mib ? std::string() : many;
    });
    CHECK(sent.stalled);
    CHECK(sent.peak < 16 * mib);
}

LEVERET_CORO_TEST_CASE("memory: many channels with a half message each")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    constexpr std::uint16_t count = 500;
    const auto go = std::make_shared<lv::test::latch>(executor);
    const auto peak = std::make_shared<std::size_t>(0);
    server.play([=](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        for (int i = 0; i < count; ++i)
            static_cast<void>(co_await client.open_channel());
        co_await go->wait();
        const allocation_watch memory;
        const std::string part = std::string(100'000, 'x');
        for (int round = 0; round < 10; ++round) {
            for (std::uint16_t number = 1; number <= count; ++number) {
                wire::basic::return_ m;
                std::string bytes = body_frame(number, part);
                if (round == 0)
                    bytes = frame(number, m) + header_frame(number, 10 * mib) + bytes;
                co_await client.send(bytes);
            }
            *peak = std::max(*peak, memory.grown());
        }
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url(), {.max_unfinished = 64 * mib});
    std::vector<lv::amqp::channel> channels;
    for (int i = 0; i < count; ++i)
        channels.push_back(co_await connection.open_channel());
    go->fire();
    const outcome end = co_await outcome_of(channels[0].next_return());
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
    CHECK(end.code() == lv::protocol_errc::assembly_limit);
    CHECK(*peak < 96 * mib);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("memory: deliveries that are taken come through whole, all 100 MB of them")
{
    const auto executor = co_await asio::this_coro::executor;
    constexpr std::uint64_t count = 1000;
    const std::string body(100'000, 'x');
    scripted_server server(executor);
    server.play([body](scripted_peer& client) -> asio::awaitable<void> {
        co_await welcome(client);
        for (std::uint64_t tag = 1; tag <= count; ++tag)
            co_await client.send(deliver(tag) + lv::test::content(1, body, {}, 131072 - 8));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url(), {.backlog_high_water = mib});
    auto channel = co_await connection.open_channel();
    auto consumer = co_await channel.consume("q", {.tag = "c"});
    const allocation_watch memory;
    for (std::uint64_t tag = 1; tag <= count; ++tag) {
        auto d = co_await consumer.next();
        REQUIRE(d);
        REQUIRE(d->delivery_tag() == tag);
        REQUIRE(d->body() == body);
        d->ack();
    }
    CHECK(memory.grown() < 16 * mib);
    co_await connection.close();
}
