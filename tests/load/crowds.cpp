// Many connections that do next to nothing: idle ones, short-lived ones, and those that never get anywhere.
#include "load/peer.hpp"

#include <asio/this_coro.hpp>

#include <cstdio>
#include <memory>

namespace leveret::load {

namespace {

/// Things that run at once and are waited for together.
class crew {
public:
    explicit crew(asio::any_io_executor x) : executor_(x), done_(x) {}

    void start(asio::awaitable<void> work)
    {
        ++running_;
        asio::co_spawn(executor_, std::move(work), [this](std::exception_ptr e) {
            if (e && failures_++ < 3) {
                try {
                    std::rethrow_exception(e);
                } catch (const std::exception& x) {
                    std::fprintf(stderr, "leveret-load: %s\n", x.what());
                }
            }
            if (--running_ == 0)
                done_.cancel();
        });
    }
    asio::awaitable<void> wait()
    {
        while (running_ != 0) {
            done_.expires_after(std::chrono::seconds(1));
            try {
                co_await done_.async_wait(asio::use_awaitable);
            } catch (const std::system_error&) {
            }
        }
    }
    [[nodiscard]] std::size_t running() const noexcept { return running_; }
    [[nodiscard]] std::size_t failures() const noexcept { return failures_; }

private:
    asio::any_io_executor executor_;
    asio::steady_timer done_;
    std::size_t running_ = 0;
    std::size_t failures_ = 0;
};

struct idle_crowd {
    settings s;
    std::vector<std::unique_ptr<peer>> peers;
    std::size_t next = 0;
    std::size_t opened = 0;
    std::size_t lost = 0;
    bool is_closing = false;
};

/// Sends a message to itself, so that both directions of the connection were used.
asio::awaitable<void> work(peer& p, std::size_t bytes)
{
    wire::queue::declare declare;
    declare.exclusive = true;
    co_await p.ask<wire::queue::declare_ok>(1, declare);
    wire::basic::consume consume;
    consume.no_ack = true;
    co_await p.ask<wire::basic::consume_ok>(1, consume);
    // To the server-named queue: there is one, and its name is of no interest.
    wire::queue::bind bind;
    const std::string key = std::to_string(reinterpret_cast<std::uintptr_t>(&p));
    bind.exchange = "amq.direct";
    bind.routing_key = key;
    co_await p.ask<wire::queue::bind_ok>(1, bind);
    wire::basic::publish publish;
    publish.exchange = "amq.direct";
    publish.routing_key = key;
    std::string message = test::frame(1, publish);
    message += test::content(1, std::string(bytes, 'x'), {}, 131072 - 8);
    co_await p.send(std::move(message));
    for (std::size_t got = 0; got < bytes;) {
        const test::sent_frame f = co_await p.next();
        if (f.type == wire::frame_type::body)
            got += f.payload.size();
    }
}

/// The first frames of a message that never ends.
std::string half_message(std::size_t bytes)
{
    std::string out = test::frame(1, wire::basic::publish{.routing_key = "nowhere"});
    out += test::header_frame(1, 2 * bytes);
    for (std::size_t sent = 0; sent < bytes; sent += 16'000)
        out += test::body_frame(1, std::string(std::min<std::size_t>(16'000, bytes - sent), 'x'));
    return out;
}

asio::awaitable<void> watch(idle_crowd& all, peer& p)
{
    try {
        for (;;) {
            const test::sent_frame f = co_await p.next();
            if (f.method() != wire::connection::close::id)
                continue;
            std::string ok = test::frame(0, wire::connection::close_ok{});
            co_await p.send(std::move(ok));
        }
    } catch (const std::exception&) {
    }
    if (!all.is_closing)
        ++all.lost;
}

asio::awaitable<void> open_some(idle_crowd& all, crew& watchers)
{
    while (all.next < all.peers.size()) {
        const std::size_t i = all.next++;
        auto made = std::make_unique<peer>(co_await asio::this_coro::executor);
        peer& p = *made;
        all.peers[i] = std::move(made);
        co_await p.connect(all.s.port, i);
        co_await p.open(static_cast<std::uint16_t>(all.s.of("heartbeat")));
        if (const auto bytes = all.s.of("work"); bytes != 0)
            co_await work(p, bytes);
        if (const auto bytes = all.s.of("half"); bytes != 0) {
            std::string message = half_message(bytes);
            co_await p.send(std::move(message));
        }
        p.settle();
        ++all.opened;
        watchers.start(watch(all, p));
    }
}

asio::awaitable<void> keep_beating(idle_crowd& all)
{
    const auto beat = all.s.of("heartbeat");
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (std::size_t at = 0; beat != 0 && !all.is_closing;) {
        // A share of them every 10 ms, so that all had their turn twice in the agreed time.
        timer.expires_after(std::chrono::milliseconds(10));
        co_await timer.async_wait(asio::use_awaitable);
        for (std::size_t n = all.peers.size() * 20 / (beat * 1000) + 1; n != 0; --n) {
            peer* p = all.peers[at++ % all.peers.size()].get();
            asio::error_code ignored;
            if (p != nullptr && p->socket().is_open())
                p->socket().write_some(asio::buffer(wire::heartbeat_frame), ignored);
        }
    }
}

asio::awaitable<void> churn_once(settings s, std::size_t number, std::vector<std::uint64_t>& times,
                                 std::size_t& refused)
{
    const auto begin = clock::now();
    peer p(co_await asio::this_coro::executor);
    co_await p.connect(s.port, number);
    if (s.of("wrong-password") != 0) {
        bool told = false;
        try {
            co_await p.log_in("wrong");
        } catch (const std::runtime_error& e) {
            told = std::string_view(e.what()).find("reply-code=403") != std::string_view::npos;
        }
        if (!told)
            throw std::runtime_error("a wrong password was not answered with 403");
        ++refused;
        std::string ok = test::frame(0, wire::connection::close_ok{});
        co_await p.send(std::move(ok));
    } else {
        co_await p.open();
        co_await p.close();
    }
    times.push_back(static_cast<std::uint64_t>(seconds_since(begin) * 1e6));
}

/// One that never finishes its handshake. Of three, one says nothing, one lets the server wait for the header and
/// start-ok, and one is slow after the login.
asio::awaitable<void> slow_one(settings s, std::size_t number, std::vector<std::uint64_t>& times)
{
    peer p(co_await asio::this_coro::executor);
    const auto begin = clock::now();
    co_await p.connect(s.port, number);
    std::string bytes;
    if (number % 3 == 1) {
        bytes = std::string(wire::protocol_header);
        bytes += test::server_peer::start_ok(test::server_peer::capable());
    } else if (number % 3 == 2) {
        co_await p.log_in();
        bytes = test::server_peer::tune_ok();
        bytes += test::frame(0, wire::connection::open{});
    }
    asio::steady_timer timer(co_await asio::this_coro::executor);
    crew drip(co_await asio::this_coro::executor);
    bool over = false;
    const auto write_slowly = [&]() -> asio::awaitable<void> {
        for (const char& byte : bytes) {
            timer.expires_after(std::chrono::milliseconds(s.of("interval", 500)));
            asio::error_code ignored;
            try {
                co_await timer.async_wait(asio::use_awaitable);
            } catch (const std::system_error&) {
            }
            if (over)
                break;
            p.socket().write_some(asio::buffer(&byte, 1), ignored);
        }
    };
    drip.start(write_slowly());
    try {
        for (;;)
            static_cast<void>(co_await p.next());
    } catch (const std::system_error&) {
    }
    times.push_back(static_cast<std::uint64_t>(seconds_since(begin) * 1e6));
    over = true;
    timer.cancel();
    co_await drip.wait();
}

} // namespace

asio::awaitable<void> run_idle(settings s)
{
    const auto executor = co_await asio::this_coro::executor;
    idle_crowd all;
    all.s = s;
    all.peers.resize(s.of("connections", 100));
    crew watchers(executor), openers(executor), beats(executor);
    const auto begin = clock::now();
    for (std::size_t i = 0; i < s.of("at-once", 64); ++i)
        openers.start(open_some(all, watchers));
    co_await openers.wait();
    std::printf("{\"opened\": %zu, \"seconds\": %.3f}\n", all.opened, seconds_since(begin));
    std::fflush(stdout);
    beats.start(keep_beating(all));
    static_cast<void>(co_await wait_for_line());
    std::printf("{\"lost\": %zu}\n", all.lost);
    std::fflush(stdout);
    all.is_closing = true;
    for (auto& p : all.peers) {
        if (p == nullptr || !p->socket().is_open())
            continue;
        asio::error_code ignored;
        if (s.of("abrupt") == 0) { // what the answer is does not matter here
            const std::string bytes = test::frame(0, wire::connection::close{.reply_code = 200});
            p->socket().write_some(asio::buffer(bytes), ignored);
        } else {
            p->socket().close(ignored);
        }
    }
    co_await watchers.wait();
    co_await beats.wait();
}

asio::awaitable<void> run_churn(settings s)
{
    const auto executor = co_await asio::this_coro::executor;
    const double rate = static_cast<double>(s.of("rate", 100));
    const std::size_t total = static_cast<std::size_t>(rate) * s.of("seconds", 1);
    std::vector<std::uint64_t> times;
    times.reserve(total);
    std::size_t refused = 0;
    std::size_t most = 0;
    crew all(executor);
    asio::steady_timer timer(executor);
    const auto begin = clock::now();
    for (std::size_t started = 0; started < total;) {
        const auto due = std::min(total, static_cast<std::size_t>(seconds_since(begin) * rate) + 1);
        // Where the machine can't, the rate falls and the number open at once stays bounded.
        for (; started < due && all.running() < s.of("most", 2000); ++started)
            all.start(churn_once(s, started, times, refused));
        most = std::max(most, all.running());
        timer.expires_after(std::chrono::milliseconds(2));
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_await all.wait();
    const double took = seconds_since(begin);
    std::printf(
        "{\"done\": %zu, \"failed\": %zu, \"refused\": %zu, \"seconds\": %.3f, \"rate\": %.0f, "
        "\"at_once\": %zu, \"p50_us\": %lu, \"p99_us\": %lu}\n",
        times.size(), all.failures(), refused, took, static_cast<double>(times.size()) / took, most,
        percentile(times, 0.5), percentile(times, 0.99));
}

asio::awaitable<void> run_slow(settings s)
{
    std::vector<std::uint64_t> times;
    crew all(co_await asio::this_coro::executor);
    for (std::size_t i = 0; i < s.of("connections", 100); ++i)
        all.start(slow_one(s, i, times));
    co_await all.wait();
    std::printf("{\"ended\": %zu, \"failed\": %zu, \"first_us\": %lu, \"last_us\": %lu}\n",
                times.size(), all.failures(), percentile(times, 0), percentile(times, 1));
}

} // namespace leveret::load
