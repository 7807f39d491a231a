#pragma once

#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/core/queue_info.hpp"
#include "leveret/core/returned_message.hpp"
#include "leveret/transport/detail/arguments.hpp"
#include "leveret/transport/memory/consumer.hpp"
#include "leveret/transport/memory/delivery.hpp"
#include "leveret/transport/memory/detail/publishing.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace leveret {
template <class Traits>
class basic_publisher;
}

namespace leveret::memory {

using leveret::queue_info;
using leveret::returned_message;

namespace detail {
struct publishing;
}
using publisher = basic_publisher<detail::publishing>; // transport/memory/publisher.hpp

/// A channel of a broker in this process: each operation as amqp::channel's of the same name, with the same
/// errors in the same words. Where the broker has the same executor its answer is there at once, so that nothing but
/// waiting for deliveries, returns and room suspends, and timeouts of other operations have no meaning.
///
/// A cheap handle; copies are the same channel, which ends when the last handle, consumer and unsettled delivery
/// of it is gone. Thread safety: belongs to its connection's executor.
class channel {
public:
    using publisher_type = publisher;

    channel() noexcept = default;

    [[nodiscard]] std::uint16_t number() const noexcept { return core_ ? core_->number : std::uint16_t{0}; }
    [[nodiscard]] bool is_open() const noexcept { return core_ && core_->is_open(); }
    [[nodiscard]] asio::any_io_executor get_executor() const { return core().connection->executor(); }

    // Exchanges.

    [[nodiscard]] asio::awaitable<void> declare_exchange(std::string_view name, std::string_view type,
                                                         exchange_options o = {});
    [[nodiscard]] asio::awaitable<void> delete_exchange(std::string_view name, delete_exchange_options o = {});
    [[nodiscard]] asio::awaitable<void> bind_exchange(std::string_view destination, std::string_view source,
                                                      std::string_view routing_key = {}, bind_options o = {});
    [[nodiscard]] asio::awaitable<void> unbind_exchange(std::string_view destination, std::string_view source,
                                                        std::string_view routing_key = {}, bind_options o = {});

    // Queues.

    [[nodiscard]] asio::awaitable<queue_info> declare_queue(std::string_view name = {}, queue_options o = {});
    [[nodiscard]] asio::awaitable<std::uint32_t> delete_queue(std::string_view name,
                                                              delete_queue_options o = {});
    [[nodiscard]] asio::awaitable<std::uint32_t> purge_queue(std::string_view name, call_options o = {});
    [[nodiscard]] asio::awaitable<void> bind_queue(std::string_view queue, std::string_view exchange,
                                                   std::string_view routing_key = {}, bind_options o = {});
    [[nodiscard]] asio::awaitable<void> unbind_queue(std::string_view queue, std::string_view exchange,
                                                     std::string_view routing_key = {}, bind_options o = {});

    // Publishing.

    /// Suspends only while the broker has the connection blocked, or, where its home is another executor, thousands of
    /// publishes are on their way there. With the home's executor the message is in its queues, and where consumers wait at
    /// them, when this completes; from another one it is on its way, at the end of this turn of the event loop at the latest.
    /// What the broker has against it ends the channel and is told by the next operation, as over a socket.
    [[nodiscard]] asio::awaitable<void> publish(std::string_view exchange, std::string_view routing_key,
                                                std::string_view body, publish_options o = {})
    {
        return detail::submit(prepare({exchange, routing_key, o.mandatory, o.immediate}, nullptr, payload(body)),
                              o.timeout);
    }
    [[nodiscard]] asio::awaitable<void> publish(std::string_view exchange, std::string_view routing_key,
                                                std::span<const std::byte> body, publish_options o = {})
    {
        return publish(exchange, routing_key, as_text(body), o);
    }
    /// The message's body is shared, not copied.
    [[nodiscard]] asio::awaitable<void> publish(std::string_view exchange, std::string_view routing_key,
                                                const message& m, publish_options o = {})
    {
        return detail::submit(
            prepare({exchange, routing_key, o.mandatory, o.immediate}, &m.properties(), m.body()), o.timeout);
    }
    /// Publishes at once, where `publish` would not suspend; false, and nothing published, where it would.
    bool try_publish(std::string_view exchange, std::string_view routing_key, const message& m,
                     publish_options o = {})
    {
        return try_submit({exchange, routing_key, o.mandatory, o.immediate}, &m.properties(), m.body());
    }
    bool try_publish(std::string_view exchange, std::string_view routing_key, std::string_view body,
                     publish_options o = {})
    {
        return try_submit({exchange, routing_key, o.mandatory, o.immediate}, nullptr, payload(body));
    }
    bool try_publish(std::string_view exchange, std::string_view routing_key, std::span<const std::byte> body,
                     publish_options o = {})
    {
        return try_publish(exchange, routing_key, as_text(body), o);
    }
    [[nodiscard]] asio::awaitable<publish_result> publish_confirmed(std::string_view exchange,
                                                                    std::string_view routing_key,
                                                                    std::string_view body,
                                                                    confirmed_publish_options o = {})
    {
        return detail::submit_confirmed(
            prepare({exchange, routing_key, o.mandatory, o.immediate}, nullptr, payload(body)), o.timeout);
    }
    [[nodiscard]] asio::awaitable<publish_result> publish_confirmed(std::string_view exchange,
                                                                    std::string_view routing_key,
                                                                    std::span<const std::byte> body,
                                                                    confirmed_publish_options o = {})
    {
        return publish_confirmed(exchange, routing_key, as_text(body), o);
    }
    [[nodiscard]] asio::awaitable<publish_result> publish_confirmed(std::string_view exchange,
                                                                    std::string_view routing_key,
                                                                    const message& m,
                                                                    confirmed_publish_options o = {})
    {
        return detail::submit_confirmed(
            prepare({exchange, routing_key, o.mandatory, o.immediate}, &m.properties(), m.body()), o.timeout);
    }
    [[nodiscard]] asio::awaitable<void> select_confirms(call_options o = {});
    [[nodiscard]] asio::awaitable<returned_message> next_return(next_options o = {})
    {
        return returned(shared_core(), o.timeout);
    }
    [[nodiscard]] std::uint64_t lost_returns() const noexcept { return core_ ? core_->lost_returns : 0; }

    // Consuming.

    [[nodiscard]] asio::awaitable<consumer> consume(std::string_view queue, consume_options o = {});
    [[nodiscard]] asio::awaitable<std::optional<delivery>> get(std::string_view queue, get_options o = {});
    bool ack(std::uint64_t delivery_tag, ack_options o = {})
    {
        return core_ && core_->settle(delivery_tag, engine::settlement::ack, o.multiple);
    }
    bool nack(std::uint64_t delivery_tag, nack_options o = {})
    {
        return core_ && core_->settle(delivery_tag,
                                      o.requeue ? engine::settlement::requeue : engine::settlement::discard,
                                      o.multiple);
    }
    bool reject(std::uint64_t delivery_tag)
    {
        return core_ && core_->settle(delivery_tag, engine::settlement::discard, false);
    }
    [[nodiscard]] asio::awaitable<void> set_prefetch(std::uint16_t count, bool global = false,
                                                     call_options o = {});
    [[nodiscard]] asio::awaitable<void> recover(bool requeue = true, call_options o = {});

    // Transactions.

    [[nodiscard]] asio::awaitable<void> select_transactions(call_options o = {});
    [[nodiscard]] asio::awaitable<void> commit(call_options o = {});
    [[nodiscard]] asio::awaitable<void> rollback(call_options o = {});

    /// As RabbitMQ: `active` = true is fine, false ends the connection with 540.
    [[nodiscard]] asio::awaitable<void> flow(bool active, call_options o = {});
    [[nodiscard]] bool flow_active() const noexcept { return is_open(); }

    [[nodiscard]] asio::awaitable<void> close(call_options o = {}) { return closed(core_, o.timeout); }

private:
    friend class connection;
    friend struct detail::publishing;
    using core_ptr = local_ptr<detail::channel_core>;
    explicit channel(core_ptr core) noexcept : core_(std::move(core)) {}

    [[nodiscard]] const core_ptr& shared_core() const
    {
        if (!core_)
            throw_invalid_argument("a channel that was moved from, or never opened");
        return core_;
    }
    [[nodiscard]] detail::channel_core& core() const { return *shared_core(); }
    [[nodiscard]] static std::string_view as_text(std::span<const std::byte> b) noexcept
    {
        return {reinterpret_cast<const char*>(b.data()), b.size()};
    }
    [[nodiscard]] detail::pending_publish prepare(const detail::publish_target& target,
                                                  const leveret::properties* properties, payload body)
    {
        return detail::prepare_publish(shared_core(), target, properties, std::move(body));
    }
    bool try_submit(const detail::publish_target& target, const leveret::properties* properties, payload body);

    /// Asks the broker something whose answer is yes or no: `a(at_broker&)`.
    template <class Ask>
    [[nodiscard]] asio::awaitable<void> ask(wire::method_number cause, Ask a, duration timeout, bool no_wait = false)
    {
        return no_wait ? told(shared_core(), cause, std::move(a), timeout)
                       : answered(shared_core(), cause, std::move(a), timeout);
    }
    template <class Ask>
    static asio::awaitable<void> answered(core_ptr core, wire::method_number cause, Ask a, duration timeout)
    {
        const auto nothing = [](detail::channel_core&, leveret::broker::status&) {};
        return detail::asked<void>(std::move(core), cause, std::move(a), nothing, timeout);
    }
    template <class Ask>
    static asio::awaitable<void> told(core_ptr core, wire::method_number cause, Ask a, duration timeout)
    {
        if (core->connection->must_yield())
            co_await detail::yield(core->connection->executor());
        if (core->connection->may_only_tell())
            detail::tell_only(*core, cause, std::move(a));
        else
            co_await answered(core, cause, std::move(a), timeout);
    }
    static asio::awaitable<returned_message> returned(core_ptr core, duration timeout);
    static asio::awaitable<void> prefetched(core_ptr core, std::uint16_t count, bool global, duration timeout);
    static asio::awaitable<void> recovered(core_ptr core, bool requeue, duration timeout);
    static asio::awaitable<consumer> consumed(local_ptr<detail::consumer_core> made, std::string queue,
                                              table arguments, consume_options o);
    static asio::awaitable<void> closed(core_ptr core, duration timeout);

    core_ptr core_;
};

} // namespace leveret::memory

#include "leveret/transport/memory/detail/channel_operations.hpp" // IWYU pragma: export
