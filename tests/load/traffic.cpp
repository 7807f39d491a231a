// Few connections with messages: round trips, and those who do not read what they are sent.
#include "load/peer.hpp"

#include <asio/this_coro.hpp>

#include <cstdio>

namespace leveret::load {

namespace {

/// Heartbeats on a socket that nobody reads, until it breaks: the time until then.
asio::awaitable<double> beat_until_cut(peer& p, clock::time_point since, double most)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (seconds_since(since) < most) {
        asio::error_code ec;
        p.socket().write_some(asio::buffer(wire::heartbeat_frame), ec);
        if (ec && ec != asio::error::would_block)
            co_return seconds_since(since);
        timer.expires_after(std::chrono::milliseconds(50));
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_return -1;
}

struct latency_state {
    std::vector<std::uint64_t> times;
    bool over = false;
};

asio::awaitable<void> measure(settings s, latency_state& state)
{
    peer p(co_await asio::this_coro::executor);
    co_await p.connect(s.port, 0);
    co_await p.open();
    co_await p.ask<wire::queue::declare_ok>(
        1, wire::queue::declare{.queue = "latency", .exclusive = true});
    co_await p.ask<wire::basic::consume_ok>(
        1, wire::basic::consume{.queue = "latency", .no_ack = true});
    const std::string message = published("latency", "0123456789abcdef");
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (!state.over) {
        const auto begin = clock::now();
        co_await p.send(message);
        for (;;) {
            const test::sent_frame f = co_await p.next();
            if (f.type == wire::frame_type::body)
                break;
        }
        state.times.push_back(static_cast<std::uint64_t>(seconds_since(begin) * 1e6));
        timer.expires_after(std::chrono::microseconds(s.of("pause", 1000)));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

} // namespace

asio::awaitable<void> run_latency(settings s)
{
    latency_state state;
    asio::co_spawn(co_await asio::this_coro::executor, measure(s, state),
                   [&](std::exception_ptr e) {
                       if (e)
                           std::rethrow_exception(e); // out of run(): the program ends with it
                   });
    for (;;) {
        const bool more = co_await wait_for_line();
        auto& t = state.times;
        std::printf("{\"round_trips\": %zu, \"p50_us\": %lu, \"p99_us\": %lu, \"max_us\": %lu}\n",
                    t.size(), percentile(t, 0.5), percentile(t, 0.99), percentile(t, 1));
        std::fflush(stdout);
        t.clear();
        if (!more)
            break;
    }
    state.over = true;
}

asio::awaitable<void> run_deaf(settings s)
{
    const auto executor = co_await asio::this_coro::executor;
    peer deaf(executor), publisher(executor);
    co_await deaf.connect(s.port, 1);
    co_await deaf.open(1); // heartbeats of a second: it says them, and is not silent
    co_await deaf.ask<wire::queue::declare_ok>(
        1, wire::queue::declare{.queue = "deaf", .auto_delete = true});
    co_await deaf.ask<wire::basic::consume_ok>(
        1, wire::basic::consume{.queue = "deaf", .no_ack = true});
    deaf.socket().non_blocking(true);
    const auto since = clock::now();
    double cut = -1;
    bool over = false;
    asio::co_spawn(executor, beat_until_cut(deaf, since, static_cast<double>(s.of("patience", 30))),
                   [&](std::exception_ptr, double t) {
                       cut = t;
                       over = true;
                   });

    co_await publisher.connect(s.port, 2);
    co_await publisher.open();
    co_await publisher.ask<wire::confirm::select_ok>(1, wire::confirm::select{});
    const std::string message = published("deaf", std::string(s.of("size", 10'000), 'x'));
    const std::uint64_t count = s.of("count", 1000);
    std::uint64_t confirmed = 0;
    double longest = 0;
    for (std::uint64_t sent = 0; confirmed < count;) {
        if (sent < count && sent - confirmed < 100) {
            co_await publisher.send(message);
            ++sent;
            continue;
        }
        const auto begin = clock::now();
        const test::sent_frame f = co_await publisher.next();
        longest = std::max(longest, seconds_since(begin));
        if (f.method() == wire::basic::ack::id)
            confirmed = f.as<wire::basic::ack>().delivery_tag;
        else if (f.method() != wire::connection::blocked::id &&
                 f.method() != wire::connection::unblocked::id)
            throw std::runtime_error("the publisher got " + test::text_of(f));
    }
    std::printf("{\"confirmed\": %lu, \"seconds\": %.3f, \"longest_wait\": %.3f}\n", confirmed,
                seconds_since(since), longest);
    std::fflush(stdout);
    asio::steady_timer timer(executor);
    while (!over) {
        timer.expires_after(std::chrono::milliseconds(20));
        co_await timer.async_wait(asio::use_awaitable);
    }
    std::printf("{\"cut\": %.3f}\n", cut);
    std::fflush(stdout);
    static_cast<void>(co_await wait_for_line());
}

asio::awaitable<void> run_returns(settings s)
{
    peer p(co_await asio::this_coro::executor);
    co_await p.connect(s.port, 1);
    co_await p.open();
    const auto since = clock::now();
    const std::string message = published("nowhere", std::string(s.of("size", 10'000), 'x'), true);
    std::uint64_t sent = 0;
    try {
        while (sent < s.of("count", 100'000)) {
            co_await p.send(message);
            ++sent;
        }
    } catch (const std::system_error&) {
    }
    std::printf("{\"sent\": %lu, \"seconds\": %.3f}\n", sent, seconds_since(since));
}

} // namespace leveret::load
