#pragma once

#include "leveret/broker/broker.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/error.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/server/detail/server_state.hpp"
#include "leveret/server/server_options.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::broker {

/// An AMQP 0-9-1 server with a broker of its own, on an executor: for teaching, for tests, for edge machines.
///
///     lv::broker::server server{context.get_executor()};
///     auto connection = co_await lv::amqp::connect("amqp://127.0.0.1:" + std::to_string(server.port()));
///
/// It listens from the beginning, on loopback and a free port unless told otherwise. Several in one process see
/// nothing of each other. Destroying it ends all of it at once; `stop` does so in good order.
///
/// Thread safety: the executor's, which must run one handler at a time (an io_context that one thread runs, or a
/// strand).
template <io::listening_environment Environment, std::derived_from<broker_core> Core = broker>
class basic_server {
public:
    /// Throws connection_error where it can't listen, with the system's error.
    explicit basic_server(const asio::any_io_executor& executor, server_options o = {})
        : basic_server(Environment(), executor, o)
    {
    }
    basic_server(Environment e, const asio::any_io_executor& executor, server_options o = {})
        : state_(new server_detail::server_state<Environment, Core>(std::move(e), executor, o))
    {
        if (const std::error_code ec = state_->listen(o.host, o.port)) {
            state_->cut_all();
            throw_no_listen(ec, o.host, o.port);
        }
    }
    basic_server(basic_server&&) noexcept = default;
    basic_server& operator=(basic_server&& o) noexcept
    {
        if (this != &o) {
            cut();
            state_ = std::move(o.state_);
        }
        return *this;
    }
    ~basic_server() { cut(); }

    /// The port of the first address that it listens on.
    [[nodiscard]] std::uint16_t port() const noexcept { return state_->port(); }
    /// Listens on one more address, by an environment with other streams if need be, such as TLS. Returns the port, which
    /// for 0 is any that is free. Throws connection_error where it can't, or when the server was stopped, and then nothing has
    /// changed.
    std::uint16_t listen(std::string_view host, std::uint16_t port, Environment e = {})
    {
        std::uint16_t bound = 0;
        if (const std::error_code ec = state_->listen(std::move(e), host, port, bound))
            throw_no_listen(ec, host, port);
        return bound;
    }
    [[nodiscard]] asio::any_io_executor get_executor() const noexcept { return state_->executor(); }
    [[nodiscard]] std::size_t connection_count() const noexcept { return state_->link_count(); }
    /// Bytes of the messages that it holds.
    [[nodiscard]] std::size_t memory() const noexcept { return state_->core_broker().memory(); }
    /// Adds a virtual host; "/" is there from the beginning. Throws usage_error beyond the limit.
    void add_virtual_host(std::string_view name)
    {
        if (const status s = state_->core_broker().add_virtual_host(name); !s)
            throw usage_error(make_error_code(errc::limit_exceeded), s.error().text);
    }

    /// Closes the connections of a user with 320 CONNECTION_FORCED, as RabbitMQ does when it is deleted: one that was removed
    /// from `users` may open and ask nothing more, but gets what it consumes until then.
    void close_connections_of(std::string_view user)
    {
        state_->end_connections_of(user, "user '" + std::string(user) + "' was deleted");
    }

    /// Takes no more connections, closes those that are there with 320 CONNECTION_FORCED, and completes when
    /// they are gone; those that take longer than `patience` are cut.
    ///
    /// Cancellation: stops waiting and cuts them. Lifetime: the server may go meanwhile, which cuts them too.
    [[nodiscard]] asio::awaitable<void> stop(duration patience = duration::seconds(5))
    {
        return run_stop(state_, patience);
    }

private:
    using state = server_detail::server_state<Environment, Core>;

    [[noreturn]] static void throw_no_listen(const std::error_code& ec, std::string_view host, std::uint16_t port)
    {
        throw connection_error(ec, "can't listen on " + std::string(host) + " port " + std::to_string(port) + ": " +
                                       ec.message());
    }
    static asio::awaitable<void> run_stop(local_ptr<state> s, duration patience)
    {
        s->shut_down("shutdown");
        co_await state::wait_until_empty(s, patience);
        s->cut_all();
    }
    void cut() noexcept
    {
        if (state_)
            state_->cut_all();
    }

    local_ptr<state> state_;
};

using server = basic_server<io::asio_environment>;

/// A server with other exchange types: `Core` is a basic_core with a list of the user's routing policies.
///
///     lv::broker::server_with<my_core> server{context.get_executor()};
template <std::derived_from<broker_core> Core>
using server_with = basic_server<io::asio_environment, Core>;

} // namespace leveret::broker
