#pragma once

#include "leveret/core/error.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/transport/memory/connection.hpp"
#include "leveret/transport/memory/detail/broker_names.hpp"
#include "leveret/transport/memory/detail/hub.hpp"
#include "leveret/transport/memory/detail/hub_of.hpp"

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leveret::memory {

/// A broker in this process: virtual hosts, exchanges, queues and what waits in them, with RabbitMQ's semantics.
/// Two brokers see nothing of each other.
///
///     lv::memory::broker broker;
///     auto connection = co_await lv::memory::connect(broker);
///
/// A cheap handle; the broker and its messages live as long as a handle, a connection or a delivery of it. It
/// belongs to the executor of its connections, all of which must have the same; while it has none it may be
/// taken to another, which, if another thread runs it, must not begin before the first has been destroyed or has
/// run out of work and no handle or delivery of it is left. Thread safety: that executor.
///
/// One that has a name is reached by it from all of this process: `lv::connect("memory://demo")`. The name is free
/// again when the last handle is gone and the last connection closed. Names are given under a lock; what is reached
/// by one is the broker, with its thread safety.
class broker {
public:
    explicit broker(leveret::broker::options o = {}) : broker(io::asio_environment(), o) {}
    /// In an environment of the user's, for the time.
    template <class Environment>
        requires(!std::is_same_v<Environment, broker>) && io::environment<Environment>
    explicit broker(Environment e, leveret::broker::options o = {})
        : hub_(make(std::move(e), o))
    {
    }

    /// A new broker of that name, 1 to 255 bytes. Throws usage_error when another one has it.
    explicit broker(std::string_view name, leveret::broker::options o = {})
        : broker(io::asio_environment(), name, o)
    {
    }
    template <io::environment Environment>
    broker(Environment e, std::string_view name, leveret::broker::options o = {})
        : broker(detail::broker_names::of_process().add(name, [&] { return make(std::move(e), o); }))
    {
    }
    /// The broker that has this name, or a new one, made with these options, if none has.
    [[nodiscard]] static broker of_name(std::string_view name, leveret::broker::options o = {})
    {
        return of_name(io::asio_environment(), name, o);
    }
    template <io::environment Environment>
    [[nodiscard]] static broker of_name(Environment e, std::string_view name, leveret::broker::options o = {})
    {
        return broker(
            detail::broker_names::of_process().find_or_add(name, [&] { return make(std::move(e), o); }));
    }
    /// Empty if it has none.
    [[nodiscard]] std::string_view name() const noexcept
    {
        return named_ ? std::string_view(named_->name()) : std::string_view();
    }

    /// Adds a virtual host; "/" is there from the beginning. Throws usage_error beyond the limit.
    void add_virtual_host(std::string_view name)
    {
        const auto s = hub_->core.add_virtual_host(name);
        if (!s)
            throw usage_error(make_error_code(errc::limit_exceeded), s.error().text);
    }
    /// Bytes of the messages that it holds.
    [[nodiscard]] std::size_t memory() const noexcept { return hub_->core.memory(); }
    /// The core itself, for those who build upon it.
    [[nodiscard]] leveret::broker::broker& core() noexcept { return hub_->core; }

private:
    friend struct detail::connector;

    explicit broker(detail::named_broker_ptr named) : hub_(named->home()), named_(std::move(named)) {}

    template <class Environment>
    [[nodiscard]] static local_ptr<detail::hub> make(Environment e, leveret::broker::options o)
    {
        o.unix_time_at_origin = e.unix_time() - e.now().count_ns() / 1'000'000'000;
        o.seed = e.random();
        return local_ptr<detail::hub>(new detail::hub_of<Environment>(std::move(e), o));
    }
    local_ptr<detail::hub> hub_;
    detail::named_broker_ptr named_; ///< null without a name
};

/// Options of memory::connect.
struct connect_options {
    std::string_view virtual_host = "/";
    std::string_view user = "guest"; ///< the only one whose name user_id may have
};
static_assert(safe_options<connect_options>);

namespace detail {

struct connector {
    static asio::awaitable<connection> run(broker b, std::string virtual_host, std::string user)
    {
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        local_ptr<connection_core> core = b.hub_->make_connection(executor);
        core->name = b.named_;
        core->open(virtual_host, user);
        co_return connection(std::move(core));
    }
};

} // namespace detail

/// Connects to a broker, on the executor of the coroutine that awaits it. Throws connection_error (530) for a
/// virtual host that is not there, usage_error if the broker belongs to another executor.
[[nodiscard]] inline asio::awaitable<connection> connect(const broker& b, connect_options o = {})
{
    return detail::connector::run(b, std::string(o.virtual_host), std::string(o.user));
}

} // namespace leveret::memory
