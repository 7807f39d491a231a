// Servers that do what a test wants, on a loopback socket in the io_context of the test:
//
//     scripted_server server(co_await asio::this_coro::executor);
//     server.play([](scripted_peer& client) -> asio::awaitable<void> {
//         co_await client.handshake();
//         co_await client.send(raw_frame(99, 0, ""));
//         co_await client.until_closed();
//     });
//     const auto end = co_await outcome_of(lv::amqp::connect(server.url()));
//
// A script ends quietly when its client goes away; whatever else it throws fails the test.
#pragma once

#include "support/amqp_frames.hpp"

#include <leveret/io/config.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::test {

/// The client closed its socket, or broke it.
struct client_gone {};

/// A frame with its bytes.
class owned_frame {
public:
    owned_frame() = default;
    explicit owned_frame(const sent_frame& f) : payload_(f.payload), frame_(f) {}

    [[nodiscard]] sent_frame view() const noexcept
    {
        sent_frame f = frame_;
        f.payload = payload_;
        return f;
    }
    [[nodiscard]] std::uint16_t channel() const noexcept { return frame_.channel; }
    [[nodiscard]] wire::method_number method() const noexcept { return view().method(); }
    /// Texts of the result are views into this frame.
    template <wire::method Method>
    [[nodiscard]] Method as() const noexcept
    {
        return view().as<Method>();
    }
    [[nodiscard]] std::string text() const { return text_of(view()); }

private:
    std::string payload_;
    sent_frame frame_;
};

/// One client, as its server sees it.
class scripted_peer {
public:
    explicit scripted_peer(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}

    [[nodiscard]] asio::ip::tcp::socket& socket() noexcept { return socket_; }
    /// All that was received and not yet looked at.
    [[nodiscard]] std::string& input() noexcept { return input_; }

    asio::awaitable<void> send(std::string bytes)
    {
        asio::error_code ec;
        co_await asio::async_write(socket_, asio::buffer(bytes),
                                   asio::redirect_error(asio::use_awaitable, ec));
        if (ec)
            throw client_gone();
    }
    /// Waits for more input.
    asio::awaitable<void> receive()
    {
        asio::error_code ec;
        const std::size_t n = co_await socket_.async_read_some(
            asio::buffer(chunk_), asio::redirect_error(asio::use_awaitable, ec));
        if (ec)
            throw client_gone();
        input_.append(chunk_, n);
    }
    /// The next frame that is no heartbeat.
    asio::awaitable<owned_frame> next()
    {
        for (;;) {
            sent_frame f;
            const std::size_t n = front_frame(input_, f);
            if (n == 0) {
                co_await receive();
                continue;
            }
            owned_frame taken(f);
            input_.erase(0, n);
            if (f.is_protocol_header || f.type != wire::frame_type::heartbeat)
                co_return taken;
        }
    }
    /// The next frame, which must be this method's.
    template <wire::method Method>
    asio::awaitable<owned_frame> expect()
    {
        owned_frame f = co_await next();
        if (f.method() != Method::id)
            throw std::runtime_error("the server expected " + std::string(Method::name) + " and got " +
                                     f.text());
        co_return f;
    }
    /// Waits for the client's next method, whatever it is, and sends this.
    asio::awaitable<void> answer(std::string bytes)
    {
        static_cast<void>(co_await next());
        co_await send(std::move(bytes));
    }
    asio::awaitable<void> handshake(std::string tune = tune_frame())
    {
        co_await answer(start_frame()); // to the protocol header
        static_cast<void>(co_await expect<wire::connection::start_ok>());
        co_await send(std::move(tune));
        static_cast<void>(co_await expect<wire::connection::tune_ok>());
        static_cast<void>(co_await expect<wire::connection::open>());
        co_await send(frame(0, wire::connection::open_ok{}));
    }
    /// Opens the channel that the client asks for and returns its number.
    asio::awaitable<std::uint16_t> open_channel()
    {
        const owned_frame open = co_await expect<wire::channel::open>();
        co_await send(frame(open.channel(), wire::channel::open_ok{}));
        co_return open.channel();
    }
    /// Reads and drops whatever comes until the client closes its socket. Answers connection.close.
    asio::awaitable<void> until_closed()
    {
        for (;;) {
            const owned_frame f = co_await next();
            if (f.method() == wire::connection::close::id)
                co_await send(frame(0, wire::connection::close_ok{}));
        }
    }
    /// The same without an answer.
    asio::awaitable<void> until_gone()
    {
        for (;;) {
            input_.clear();
            co_await receive();
        }
    }
    /// Tells the client that nothing more comes; what it sends can still be read.
    void end_output()
    {
        asio::error_code ignored;
        socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    }
    void close()
    {
        asio::error_code ignored;
        socket_.close(ignored);
    }

private:
    asio::ip::tcp::socket socket_;
    std::string input_;
    char chunk_[16 * 1024];
};

class scripted_server {
public:
    using tcp = asio::ip::tcp;

    explicit scripted_server(const asio::any_io_executor& executor)
        : acceptor_(std::make_shared<tcp::acceptor>(
              executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)))
    {
    }
    scripted_server(const scripted_server&) = delete;
    scripted_server& operator=(const scripted_server&) = delete;
    ~scripted_server()
    {
        asio::error_code ignored;
        acceptor_->close(ignored);
    }

    [[nodiscard]] std::string url(std::string_view tail = "/") const
    {
        return "amqp://guest:guest@127.0.0.1:" + std::to_string(acceptor_->local_endpoint().port()) +
               std::string(tail);
    }
    /// Serves this many clients, one after the other, with `script(scripted_peer&)`.
    template <class Script>
    void play(Script script, int clients = 1)
    {
        asio::co_spawn(acceptor_->get_executor(), serve(acceptor_, std::move(script), clients),
                       [](std::exception_ptr thrown) {
                           if (thrown)
                               std::rethrow_exception(thrown);
                       });
    }

private:
    template <class Script>
    static asio::awaitable<void> serve(std::shared_ptr<tcp::acceptor> acceptor, Script script, int clients)
    {
        for (; clients > 0; --clients) {
            asio::error_code ec;
            tcp::socket socket = co_await acceptor->async_accept(
                asio::redirect_error(asio::use_awaitable, ec));
            if (ec) // the test is over
                co_return;
            socket.set_option(tcp::no_delay(true));
            auto peer = std::make_unique<scripted_peer>(std::move(socket));
            try {
                co_await script(*peer);
            } catch (const client_gone&) {
            }
        }
    }

    std::shared_ptr<tcp::acceptor> acceptor_;
};

/// Lets a coroutine wait until another one says so. May be fired before or after.
/// Who waits keeps what is needed for that: the latch may go when it has been fired.
class latch {
public:
    explicit latch(const asio::any_io_executor& executor) : state_(std::make_shared<state>(executor)) {}
    void fire()
    {
        state_->is_fired = true;
        state_->timer.cancel();
    }
    [[nodiscard]] bool is_fired() const noexcept { return state_->is_fired; }
    asio::awaitable<void> wait() { return wait_for(state_); }

private:
    struct state {
        explicit state(const asio::any_io_executor& executor)
            : timer(executor, asio::steady_timer::time_point::max())
        {
        }
        asio::steady_timer timer;
        bool is_fired = false;
    };
    static asio::awaitable<void> wait_for(std::shared_ptr<state> s)
    {
        asio::error_code ignored;
        while (!s->is_fired)
            co_await s->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }

    std::shared_ptr<state> state_;
};

/// For what is about time itself; never to wait for something that could be waited for.
inline asio::awaitable<void> pause(asio::any_io_executor executor, std::chrono::milliseconds d)
{
    asio::steady_timer timer(executor, d);
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace leveret::test
