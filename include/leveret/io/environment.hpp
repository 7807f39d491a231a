#pragma once

#include "leveret/io/config.hpp"

#include "leveret/core/duration.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/buffer.hpp>
#include <asio/connect.hpp>
#include <asio/error.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <cerrno>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#if __has_include(<sys/random.h>)
#include <sys/random.h> // <random> costs a tenth of a second to compile
#else
#include <random>
#endif

namespace leveret::io {

/// Where time, connections and chance come from. Everything above takes them from here and names no
/// clock, timer, socket or resolver itself, so that the same code runs in a deterministic simulation.
/// An environment is a cheap copyable handle.
///
/// - `now()` is monotonic.
/// - `timer` is made from the environment and an executor. `wait_until(instant, handler)` calls the
///   handler with an error_code once: zero when the time has come, operation_aborted when `cancel()`
///   or another `wait_until` came first.
/// - `stream` is made the same way and models Asio's AsyncReadStream and AsyncWriteStream.
///   `async_open(host, port, handler)` resolves and connects to the first address that answers and
///   calls the handler with an error_code. `close()` ends every operation with an error, at any time.
/// - `unix_time()` is the time of day, in seconds since 1970.
/// - `random()` gives 64 bits.
template <class E>
concept environment =
    requires {
        typename E::timer; // first, as Asio asks it of types for which the rest would never be known
        typename E::stream;
    } &&
    std::copy_constructible<E> &&
    requires(E e, asio::any_io_executor x, instant t, void (*done)(std::error_code),
             void (*moved)(std::error_code, std::size_t), std::string_view host, std::uint16_t port) {
        { e.now() } -> std::same_as<instant>;
        { e.unix_time() } -> std::same_as<std::int64_t>;
        { e.random() } -> std::same_as<std::uint64_t>;
        requires requires(typename E::timer timer) {
            timer.wait_until(t, done);
            timer.cancel();
        };
        requires requires(typename E::stream stream) {
            stream.async_open(host, port, done);
            stream.async_read_some(asio::mutable_buffer(), moved);
            stream.async_write_some(asio::const_buffer(), moved);
            stream.close();
        };
        requires std::constructible_from<typename E::timer, E&, asio::any_io_executor>;
        requires std::constructible_from<typename E::stream, E&, asio::any_io_executor>;
    };

/// Who is at the other end of a stream that was accepted.
struct peer_address {
    std::string host; ///< as numbers
    std::uint16_t port = 0;
    bool is_loopback = false;
};

/// An environment that can also be connected to.
///
/// - `acceptor` is made from the environment and an executor. `listen(host, port)` takes an address as numbers
///   and a port, 0 for any that is free, and says how that went; `port()` is the one that it has.
///   `async_accept(stream, handler)` connects a fresh stream to the next peer and calls the handler with an
///   error_code. `close()` ends it with an error.
/// - `stream::peer()` says who is at the other end of an accepted stream.
template <class E>
concept listening_environment =
    environment<E> && requires(typename E::acceptor a, const typename E::acceptor& c, typename E::stream& s,
                               const typename E::stream& cs, void (*done)(std::error_code),
                               std::string_view host, std::uint16_t port) {
        { a.listen(host, port) } -> std::same_as<std::error_code>;
        { c.port() } -> std::same_as<std::uint16_t>;
        a.async_accept(s, done);
        a.close();
        { cs.peer() } -> std::same_as<peer_address>;
        requires std::constructible_from<typename E::acceptor, E&, asio::any_io_executor>;
    };

/// A stream that needs no memory while it waits for input. `async_wait_input(handler)` calls the handler with an
/// error_code when a read would give something, and `cancel()` ends the operations under way with
/// operation_aborted; what was not given to a read is there for the next.
template <class S>
concept waiting_stream = requires(S& s, void (*done)(std::error_code)) {
    s.async_wait_input(done);
    s.cancel();
};

/// The real world through Asio.
class asio_environment {
public:
    class timer {
    public:
        timer(asio_environment&, const asio::any_io_executor& executor) : timer_(executor) {}

        template <class Handler>
        void wait_until(instant t, Handler&& handler)
        {
            using clock = std::chrono::steady_clock;
            timer_.expires_at(clock::time_point(
                std::chrono::duration_cast<clock::duration>(std::chrono::nanoseconds(t.count_ns()))));
            timer_.async_wait(std::forward<Handler>(handler));
        }
        /// The overload with an error_code has gone from newer versions of Asio; none can fail.
        void cancel() noexcept { timer_.cancel(); }

    private:
        asio::steady_timer timer_;
    };

    class stream {
    public:
        stream(asio_environment&, const asio::any_io_executor& executor) : socket_(executor) {}
        stream(const stream&) = delete;
        stream& operator=(const stream&) = delete;
        ~stream() { close(); }

        template <class Handler>
        void async_open(std::string_view host, std::uint16_t port, Handler&& handler);

        template <class Buffers, class Handler>
        void async_read_some(const Buffers& buffers, Handler&& handler)
        {
            socket_.async_read_some(buffers, std::forward<Handler>(handler));
        }
        template <class Buffers, class Handler>
        void async_write_some(const Buffers& buffers, Handler&& handler)
        {
            socket_.async_write_some(buffers, std::forward<Handler>(handler));
        }
        template <class Handler>
        void async_wait_input(Handler&& handler)
        {
            socket_.async_wait(tcp::socket::wait_read, std::forward<Handler>(handler));
        }
        void cancel() noexcept
        {
            asio::error_code ignored;
            socket_.cancel(ignored);
        }
        void close() noexcept
        {
            if (opening_) {
                opening_->closed = true;
                opening_->resolver.cancel();
            }
            asio::error_code ignored;
            socket_.close(ignored);
        }
        /// Closes it at once: what the system was to send is dropped.
        void abort() noexcept
        {
            asio::error_code ignored;
            socket_.set_option(tcp::socket::linger(true, 0), ignored);
            close();
        }
        /// Of no use before a peer was accepted.
        [[nodiscard]] peer_address peer() const
        {
            asio::error_code none;
            const auto end = socket_.remote_endpoint(none);
            if (none)
                return {};
            auto address = end.address();
            if (address.is_v6() && address.to_v6().is_v4_mapped())
                address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
            return {address.to_string(), end.port(), address.is_loopback()};
        }

    private:
        friend class asio_environment;
        using tcp = asio::ip::tcp;
        struct opening {
            explicit opening(const asio::any_io_executor& executor) : resolver(executor) {}
            tcp::resolver resolver;
            bool closed = false;
        };

        tcp::socket socket_;
        std::shared_ptr<opening> opening_; // outlives a look-up that can't be stopped
    };

    class acceptor {
    public:
        acceptor(asio_environment&, const asio::any_io_executor& executor) : acceptor_(executor) {}

        [[nodiscard]] std::error_code listen(std::string_view host, std::uint16_t port)
        {
            asio::error_code ec;
            const auto address = asio::ip::make_address(std::string(host), ec);
            const tcp::endpoint at(address, port);
            if (!ec)
                acceptor_.open(at.protocol(), ec);
            if (!ec)
                acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
            if (!ec)
                acceptor_.bind(at, ec);
            if (!ec)
                acceptor_.listen(asio::socket_base::max_listen_connections, ec);
            return ec;
        }
        [[nodiscard]] std::uint16_t port() const noexcept
        {
            asio::error_code none;
            return acceptor_.local_endpoint(none).port();
        }
        template <class Handler>
        void async_accept(stream& into, Handler&& handler)
        {
            acceptor_.async_accept(into.socket_, [&into, h = std::forward<Handler>(handler)](
                                                     const asio::error_code& ec) mutable {
                asio::error_code ignored;
                if (!ec)
                    into.socket_.set_option(tcp::no_delay(true), ignored);
                std::move(h)(ec);
            });
        }
        void close() noexcept
        {
            asio::error_code ignored;
            acceptor_.close(ignored);
        }

    private:
        using tcp = asio::ip::tcp;
        tcp::acceptor acceptor_;
    };

    [[nodiscard]] instant now() const noexcept
    {
        return instant(std::chrono::duration_cast<std::chrono::nanoseconds>(
                           std::chrono::steady_clock::now().time_since_epoch())
                           .count());
    }
    [[nodiscard]] std::int64_t unix_time() const noexcept
    {
        return std::chrono::duration_cast<std::chrono::seconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
    }
    [[nodiscard]] std::uint64_t random() const
    {
        std::uint64_t value = 0;
#if __has_include(<sys/random.h>)
        if (::getentropy(&value, sizeof value) != 0)
            throw std::system_error(errno, std::system_category(), "getentropy");
#else
        std::random_device device;
        value = (std::uint64_t{device()} << 32U) | device();
#endif
        return value;
    }
};

template <class Handler>
void asio_environment::stream::async_open(std::string_view host, std::uint16_t port, Handler&& handler)
{
    opening_ = std::make_shared<opening>(socket_.get_executor());
    auto finish = [this, opening = opening_, handler = std::forward<Handler>(handler)](
                      const asio::error_code& ec, const auto&) mutable {
        if (opening->closed)
            return std::move(handler)(asio::error_code(asio::error::operation_aborted));
        if (!ec) {
            asio::error_code ignored;
            socket_.set_option(tcp::no_delay(true), ignored); // merging is done in our buffer
        }
        std::move(handler)(ec);
    };
    // An address needs no resolver, and so no resolver's thread.
    asio::error_code not_an_address;
    const auto address = asio::ip::make_address(std::string(host), not_an_address);
    if (!not_an_address) {
        const tcp::endpoint endpoint(address, port);
        socket_.async_connect(endpoint, [finish = std::move(finish)](const asio::error_code& ec) mutable {
            finish(ec, 0);
        });
        return;
    }
    opening_->resolver.async_resolve(
        std::string(host), std::to_string(port),
        [this, opening = opening_, finish = std::move(finish)](
            const asio::error_code& ec, const tcp::resolver::results_type& results) mutable {
            if (ec || opening->closed)
                return finish(ec, 0);
            asio::async_connect(socket_, results, std::move(finish));
        });
}

static_assert(listening_environment<asio_environment>);
static_assert(waiting_stream<asio_environment::stream>);

} // namespace leveret::io
