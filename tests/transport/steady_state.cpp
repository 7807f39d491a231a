// Ten million messages allocate nothing for each of them, and take no more memory than one million.
//
// What is allocated is for each time that a coroutine must wait or the socket is read, for many messages
// at once: Asio keeps the memory of two coroutine frames and two handlers for the next ones, and where
// three frames are suspended in each other the third is allocated again; and a delivery that the end of
// a read block cuts in two is put together in a block of its own.
#include "transport/counted_malloc.hpp"
#include "transport/flood_server.hpp"

#include "support/allocated.hpp"
#include "support/coro_test.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace lv = leveret;
using namespace std::chrono_literals;
using leveret::test::allocations_of_this_thread;
using leveret::test::flood_server;

namespace {

#if defined(LEVERET_TEST_SANITIZED)
constexpr std::uint64_t million = 10'000;
constexpr std::uint64_t allowed_growth_kib = 32 * 1024; // the sanitizer's own
constexpr std::uint64_t messages_a_wait = 5;            // everything is slow: waits are short
#else
constexpr std::uint64_t million = 1'000'000;
constexpr std::uint64_t allowed_growth_kib = 1024;
constexpr std::uint64_t messages_a_wait = 20;
#endif

std::uint64_t peak_rss_kib()
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:"))
            return std::strtoull(line.c_str() + 6, nullptr, 10);
    return 0;
}

/// `run(n)` publishes or consumes n messages.
template <class Run>
asio::awaitable<void> measure(const Run& run, std::uint64_t few = million)
{
    const std::uint64_t many = 10 * few;
    co_await run(few / 5); // pools and buffers grow to their size
    const std::uint64_t start = allocations_of_this_thread();
    co_await run(few);
    const std::uint64_t after_few = allocations_of_this_thread();
    const std::uint64_t peak = peak_rss_kib();
    const std::uint64_t before_many = allocations_of_this_thread();
    co_await run(many);
    const std::uint64_t end = allocations_of_this_thread();
    const std::uint64_t peak_after = peak_rss_kib();
    const std::uint64_t growth = peak_after > peak ? peak_after - peak : 0;
    CHECK(peak != 0);
    CHECK_MESSAGE(after_few - start <= few / messages_a_wait, "in ", few, " messages");
    CHECK_MESSAGE(end - before_many <= many / messages_a_wait, "in ", many, " messages");
    CHECK_MESSAGE(growth <= allowed_growth_kib, "KiB in ", many, " messages");
}

template <class Body>
void run_for_long(Body body)
{
    lv::test::run_coro_test_case(body, 10 * lv::test::coro_time_limit());
}

struct connected {
    connected() = default;
    lv::amqp::connection connection;
    lv::amqp::channel channel;
};
asio::awaitable<connected> connect(const flood_server& server)
{
    connected c;
    c.connection = co_await lv::amqp::connect(server.url());
    c.channel = co_await c.connection.open_channel();
    co_return std::move(c);
}

} // namespace

TEST_CASE("the counter counts")
{
    const std::uint64_t before = allocations_of_this_thread();
    auto p = std::make_unique<int>(1);
    void* volatile q = std::malloc(10);
    std::free(q);
    CHECK(p != nullptr);
    CHECK(allocations_of_this_thread() == before + 2);
}

TEST_CASE("steady state: publish 16 bytes")
{
    flood_server server;
    run_for_long([&]() -> asio::awaitable<void> {
        auto c = co_await connect(server);
        const auto run = [&](std::uint64_t n) -> asio::awaitable<void> {
            for (; n > 0; --n)
                co_await c.channel.publish("exchange", "key", "0123456789abcdef");
        };
        co_await measure(run);
        co_await c.connection.close();
    });
    CHECK(server.published() == million / 5 + 11 * million);
}

TEST_CASE("steady state: publish a message of 1 KiB with properties")
{
    flood_server server;
    constexpr std::uint64_t few = million / 5;
    run_for_long([&]() -> asio::awaitable<void> {
        auto c = co_await connect(server);
        const auto m = lv::message(std::string(1024, 'x')).persistent().content_type("text/plain");
        const auto run = [&](std::uint64_t n) -> asio::awaitable<void> {
            for (; n > 0; --n)
                co_await c.channel.publish("", "queue", m);
        };
        co_await measure(run, few);
        co_await c.connection.close();
    });
    CHECK(server.published() == few / 5 + 11 * few);
}

TEST_CASE("steady state: a publisher with a window of 1000 confirms")
{
    flood_server server;
    run_for_long([&]() -> asio::awaitable<void> {
        auto c = co_await connect(server);
        lv::amqp::publisher out(c.channel, {.window = 1000});
        const auto run = [&](std::uint64_t n) -> asio::awaitable<void> {
            for (std::uint64_t i = 0; i < n; ++i)
                co_await out.publish("", "queue", "0123456789abcdef");
            const auto report = co_await out.flush();
            CHECK(report.confirmed() == n);
        };
        co_await measure(run);
        co_await c.connection.close();
    });
}

TEST_CASE("steady state: try_publish")
{
    flood_server server;
    run_for_long([&]() -> asio::awaitable<void> {
        auto c = co_await connect(server);
        const auto run = [&](std::uint64_t n) -> asio::awaitable<void> {
            while (n > 0) {
                if (c.channel.try_publish("", "queue", "0123456789abcdef"))
                    --n;
                else
                    co_await asio::post(asio::use_awaitable);
            }
        };
        co_await measure(run);
        co_await c.connection.close();
    });
    CHECK(server.published() == million / 5 + 11 * million);
}

TEST_CASE("steady state: consume without acknowledgement")
{
    flood_server server("0123456789abcdef");
    run_for_long([&]() -> asio::awaitable<void> {
        auto c = co_await connect(server);
        auto consumer = co_await c.channel.consume("source", {.no_ack = true});
        std::uint64_t got = 0;
        const auto run = [&](std::uint64_t n) -> asio::awaitable<void> {
            for (; n > 0; --n) {
                auto d = co_await consumer.next();
                got += d->body() == "0123456789abcdef";
            }
        };
        co_await measure(run);
        CHECK(got == million / 5 + 11 * million);
        co_await c.connection.close();
    });
}

TEST_CASE("steady state: consume and acknowledge each")
{
    flood_server server("0123456789abcdef");
    run_for_long([&]() -> asio::awaitable<void> {
        auto c = co_await connect(server);
        auto consumer = co_await c.channel.consume("source", {.prefetch = flood_server::window});
        std::uint64_t got = 0;
        const auto run = [&](std::uint64_t n) -> asio::awaitable<void> {
            for (; n > 0; --n) {
                auto d = co_await consumer.next();
                got += d->ack();
            }
        };
        co_await measure(run);
        CHECK(got == million / 5 + 11 * million);
        co_await c.connection.close();
    });
    CHECK(server.acked() >= million / 5 + 11 * million);
}

TEST_CASE("steady state: consume with six properties")
{
    const auto properties = lv::properties()
                                .content_type("application/json")
                                .delivery_mode(2)
                                .correlation_id("4711")
                                .reply_to("answers")
                                .message_id("0815")
                                .app_id("steady_state");
    flood_server server("0123456789abcdef", properties);
    run_for_long([&]() -> asio::awaitable<void> {
        auto c = co_await connect(server);
        auto consumer = co_await c.channel.consume("source", {.no_ack = true});
        std::uint64_t got = 0;
        const auto run = [&](std::uint64_t n) -> asio::awaitable<void> {
            for (; n > 0; --n) {
                auto d = co_await consumer.next();
                const auto p = d->properties();
                got += p.content_type() == "application/json" && p.correlation_id() == "4711" &&
                       p.app_id() == "steady_state" && d->routing_key() == "key";
            }
        };
        co_await measure(run);
        CHECK(got == million / 5 + 11 * million);
        co_await c.connection.close();
    });
}
