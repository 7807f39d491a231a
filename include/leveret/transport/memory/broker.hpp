#pragma once

#include "leveret/broker/broker.hpp"
#include "leveret/core/error.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/transport/memory/connection.hpp"
#include "leveret/transport/memory/detail/broker_names.hpp"
#include "leveret/transport/memory/detail/hub.hpp"
#include "leveret/transport/memory/detail/hub_of.hpp"

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
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
/// A cheap handle; the broker and its messages live as long as a handle, a connection or a delivery of it.
///
/// The broker's home is the executor of its first connection, until no connection, channel or delivery is left there:
/// the broker works there, and connections of that executor use it without a lock. Connections of other executors,
/// in other threads, reach it through mailboxes, in the order of each channel; the home's context must run as long as
/// they use it, and connections there and elsewhere keep it running. When it is destroyed they fail, and the broker
/// takes no connection until what its home left behind (connections, channels, deliveries) is gone.
///
/// One that has a name is reached by it from all of this process: `lv::connect("memory://demo")`. The name is free
/// again when the last handle is gone and the last connection closed. Names are given under a lock.
///
/// Thread safety: handles may be copied and connected to by any thread. What else they do belongs to the home, or to
/// the time before the first connection.
class broker {
public:
    explicit broker(leveret::broker::options o = {}) : broker(io::asio_environment(), o) {}
    /// In an environment of the user's, for the time.
    template <class Environment>
        requires(!std::is_same_v<Environment, broker>) && io::environment<Environment>
    explicit broker(Environment e, leveret::broker::options o = {})
        : hub_(make<leveret::broker::broker>(std::move(e), o))
    {
    }
    /// With other exchange types: `Core` is a leveret::broker::basic_core with a list of the user's routing policies.
    template <class Core, class Environment = io::asio_environment>
        requires std::derived_from<Core, leveret::broker::broker_core> && io::environment<Environment>
    [[nodiscard]] static broker with(leveret::broker::options o = {}, Environment e = {})
    {
        return broker(make<Core>(std::move(e), o));
    }

    /// A new broker of that name, 1 to 255 bytes. Throws usage_error when another one has it.
    explicit broker(std::string_view name, leveret::broker::options o = {})
        : broker(io::asio_environment(), name, o)
    {
    }
    template <io::environment Environment>
    broker(Environment e, std::string_view name, leveret::broker::options o = {})
        : broker(detail::broker_names::of_process().add(name, [&] { return make<leveret::broker::broker>(std::move(e), o); }))
    {
    }
    /// The same with other exchange types.
    template <class Core, class Environment = io::asio_environment>
        requires std::derived_from<Core, leveret::broker::broker_core> && io::environment<Environment>
    [[nodiscard]] static broker with(std::string_view name, leveret::broker::options o = {}, Environment e = {})
    {
        return broker(detail::broker_names::of_process().add(name, [&] { return make<Core>(std::move(e), o); }));
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
            detail::broker_names::of_process().find_or_add(name, [&] { return make<leveret::broker::broker>(std::move(e), o); }));
    }
    /// Empty if it has none.
    [[nodiscard]] std::string_view name() const noexcept
    {
        return named_ ? std::string_view(named_->name()) : std::string_view();
    }

    /// Adds a virtual host; "/" is there from the beginning. Throws usage_error beyond the limit.
    void add_virtual_host(std::string_view name)
    {
        const auto s = core().add_virtual_host(name);
        if (!s)
            throw usage_error(make_error_code(errc::limit_exceeded), s.error().text);
    }
    /// Bytes of the messages that it holds.
    [[nodiscard]] std::size_t memory() const noexcept { return hub_->core().memory(); }
    /// The core itself, for those who build upon it.
    [[nodiscard]] leveret::broker::broker_core& core() noexcept { return hub_->core(); }

private:
    friend struct detail::connector;

    explicit broker(std::shared_ptr<detail::hub> h) noexcept : hub_(std::move(h)) {}
    explicit broker(detail::named_broker_ptr named) : hub_(named->home()), named_(std::move(named)) {}

    template <class Core, class Environment>
    [[nodiscard]] static std::shared_ptr<detail::hub> make(Environment e, leveret::broker::options o)
    {
        o.unix_time_at_origin = e.unix_time() - e.now().count_ns() / 1'000'000'000;
        o.seed = e.random();
        return std::make_shared<detail::hub_of<Environment, Core>>(std::move(e), o);
    }
    std::shared_ptr<detail::hub> hub_;
    detail::named_broker_ptr named_; ///< null without a name
};

/// Options of memory::connect.
struct connect_options {
    std::string_view virtual_host = "/";
    std::string_view user = "guest"; ///< the only one whose name user_id may have
    duration timeout = default_timeout; ///< for a broker whose home is another executor
};
static_assert(safe_options<connect_options>);

namespace detail {

struct connector {
    static asio::awaitable<connection> run(broker b, std::string virtual_host, std::string user, duration timeout)
    {
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        local_ptr<connection_core> core = b.hub_->make_connection(executor);
        core->name = b.named_;
        while (!core->is_open()) {
            if (core->enter()) {
                core->open(virtual_host, user);
                break;
            }
            if (b.hub_->is_home_gone())
                throw_failure(engine::failure::of_system(asio::error::operation_aborted,
                                                         "the execution context that was the broker's home was "
                                                         "destroyed, and handles that it left behind are still held"),
                              "connection.open", fate::never_sent);
            // The home may have been given up just now: then it is for us to take.
            auto end = std::make_unique<far_end>(*core, b.hub_);
            if (auto way = b.hub_->enter_from_elsewhere(executor)) {
                end->join(std::move(way));
                auto joined = join_far(core, std::move(end), std::move(virtual_host), std::move(user), timeout);
                co_await std::move(joined);
                break;
            }
        }
        co_return connection(std::move(core));
    }
};

} // namespace detail

/// Connects to a broker, on the executor of the coroutine that awaits it. Throws connection_error (530) for a
/// virtual host that is not there, or if the broker's home was destroyed and something of it is still held;
/// timeout_error if its home is another executor that does not run.
[[nodiscard]] inline asio::awaitable<connection> connect(const broker& b, connect_options o = {})
{
    return detail::connector::run(b, std::string(o.virtual_host), std::string(o.user), o.timeout);
}

} // namespace leveret::memory
