// A connection of the load generator: frames in and out over a socket, nothing that a well-behaved client would
// insist on. One thread, one executor.
#pragma once

#include "support/amqp_frames.hpp"
#include "support/server_peer.hpp"
#include <leveret/io/config.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace leveret::load {

using asio::ip::tcp;
using clock = std::chrono::steady_clock;

inline double seconds_since(clock::time_point t)
{
    return std::chrono::duration<double>(clock::now() - t).count();
}

/// Whole numbers by name, as the command line has them.
class settings {
public:
    std::uint16_t port = 0;
    std::map<std::string, std::uint64_t, std::less<>> numbers;

    [[nodiscard]] std::uint64_t of(std::string_view name, std::uint64_t otherwise = 0) const
    {
        const auto at = numbers.find(name);
        return at == numbers.end() ? otherwise : at->second;
    }
};

/// The value below which `share` of all lie, in microseconds.
[[nodiscard]] inline std::uint64_t percentile(std::vector<std::uint64_t>& all, double share)
{
    if (all.empty())
        return 0;
    std::sort(all.begin(), all.end());
    return all[std::min(all.size() - 1,
                        static_cast<std::size_t>(share * static_cast<double>(all.size())))];
}

class peer {
public:
    explicit peer(const asio::any_io_executor& x) : socket_(x) {}

    [[nodiscard]] tcp::socket& socket() noexcept { return socket_; }

    /// From one of eight addresses of this machine, so that ports suffice.
    asio::awaitable<void> connect(std::uint16_t port, std::size_t number)
    {
        const auto from =
            static_cast<std::uint32_t>(number % 8) + asio::ip::address_v4::loopback().to_uint() + 1;
        socket_.open(tcp::v4());
        const int on = 1; // the port is chosen with the peer's in mind
        ::setsockopt(socket_.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        socket_.bind(tcp::endpoint(asio::ip::address_v4(from), 0));
        const tcp::endpoint to(asio::ip::address_v4::loopback(), port);
        co_await socket_.async_connect(to, asio::use_awaitable);
        socket_.set_option(tcp::no_delay(true));
    }
    asio::awaitable<void> send(std::string bytes)
    {
        co_await asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable);
    }
    /// The next frame that is no heartbeat; its views are valid until the next call. Throws std::system_error
    /// at the end.
    asio::awaitable<test::sent_frame> next()
    {
        for (;;) {
            test::sent_frame f;
            const std::size_t n = test::front_frame(std::string_view(in_).substr(used_), f);
            if (n != 0) {
                used_ += n;
                if (f.type != wire::frame_type::heartbeat)
                    co_return f;
                continue;
            }
            in_.erase(0, used_);
            used_ = 0;
            const std::size_t had = in_.size();
            in_.resize(had + room_);
            std::size_t got = 0;
            std::exception_ptr failure;
            try {
                got = co_await socket_.async_read_some(asio::buffer(in_.data() + had, room_),
                                                       asio::use_awaitable);
            } catch (...) {
                failure = std::current_exception();
            }
            in_.resize(had + got);
            if (failure)
                std::rethrow_exception(failure);
        }
    }
    template <wire::method Method>
    asio::awaitable<void> expect()
    {
        const test::sent_frame f = co_await next();
        if (f.method() != Method::id)
            throw std::runtime_error("expected " + std::string(Method::name) + ", got " +
                                     test::text_of(f));
    }
    template <wire::method Answer, wire::method Method>
    asio::awaitable<void> ask(std::uint16_t channel, const Method& m)
    {
        std::string bytes = test::frame(channel, m); // m must not be looked at behind a co_await
        co_await send(std::move(bytes));
        co_await expect<Answer>();
    }
    /// Up to connection.tune, which was read.
    asio::awaitable<void> log_in(std::string_view password = "guest")
    {
        std::string response("\0guest\0", 7);
        response += password;
        co_await send(std::string(wire::protocol_header));
        co_await expect<wire::connection::start>();
        std::string ok =
            test::server_peer::start_ok(test::server_peer::capable(), "PLAIN", response);
        co_await send(std::move(ok));
        co_await expect<wire::connection::tune>();
    }
    /// The handshake, and channel 1.
    asio::awaitable<void> open(std::uint16_t heartbeat = 0)
    {
        co_await log_in();
        std::string bytes = test::server_peer::tune_ok(2047, 131072, heartbeat);
        bytes += test::frame(0, wire::connection::open{});
        co_await send(std::move(bytes));
        co_await expect<wire::connection::open_ok>();
        std::string channel = test::frame(1, wire::channel::open{});
        co_await send(std::move(channel));
        co_await expect<wire::channel::open_ok>();
    }
    /// In good order.
    asio::awaitable<void> close()
    {
        std::string bytes = test::frame(0, wire::connection::close{.reply_code = 200});
        co_await send(std::move(bytes));
        for (;;) {
            const test::sent_frame f = co_await next();
            if (f.method() == wire::connection::close_ok::id)
                break;
        }
        socket_.close();
    }
    /// Gives up what it read into, until it reads again, in small pieces.
    void settle()
    {
        in_ = {};
        used_ = 0;
        room_ = 256;
    }

private:
    tcp::socket socket_;
    std::string in_;
    std::size_t used_ = 0;
    std::size_t room_ = 4096;
};

[[nodiscard]] inline std::string published(std::string_view key, std::string_view body,
                                           bool mandatory = false)
{
    wire::basic::publish m;
    m.routing_key = key;
    m.mandatory = mandatory;
    return test::frame(1, m) + test::content(1, body, {}, 131072 - 8);
}

/// Waits for a line, or the end, of standard input.
asio::awaitable<bool> wait_for_line();

// What it can do: see main.cpp.
asio::awaitable<void> run_idle(settings s);
asio::awaitable<void> run_churn(settings s);
asio::awaitable<void> run_slow(settings s);
asio::awaitable<void> run_latency(settings s);
asio::awaitable<void> run_deaf(settings s);
asio::awaitable<void> run_returns(settings s);

} // namespace leveret::load
