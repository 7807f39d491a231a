#pragma once

#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/transport/amqp/consumer.hpp"
#include "leveret/transport/amqp/delivery.hpp"
#include "leveret/transport/detail/arguments.hpp"
#include "leveret/transport/amqp/detail/ask.hpp"
#include "leveret/transport/amqp/detail/channel_core.hpp"
#include "leveret/transport/amqp/detail/publishing.hpp"
#include "leveret/core/queue_info.hpp"
#include "leveret/core/returned_message.hpp"

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

namespace leveret::amqp {

using leveret::ack_options;
using leveret::nack_options;
using leveret::next_options;
using leveret::queue_info;
using leveret::returned_message;

namespace detail {
struct publishing;
}
using publisher = basic_publisher<detail::publishing>; // transport/amqp/publisher.hpp

/// A channel: declares, publishes, consumes. A cheap handle; copies are the same channel, which closes
/// in the background when the last handle, consumer and unsettled delivery of it is gone.
///
/// Every awaitable here does its work when it is awaited, needs nothing of its arguments after the call,
/// and unless it says otherwise throws
/// - channel_error when the broker closes the channel (`diagnostics()` has its code and text, such as
///   404 for a queue that is not there), or when it was closed before;
/// - connection_error when the connection ends;
/// - timeout_error when the broker did not answer in time (30 s by default);
/// - operation_cancelled on cancellation, which leaves the channel usable: the answer is read and
///   dropped when it comes;
/// - usage_error, at once, for arguments that AMQP can't carry.
///
/// One that is default-constructed or moved from belongs to no connection: its operations throw usage_error.
///
/// Thread safety: belongs to its connection's executor.
class channel {
public:
    using publisher_type = publisher;

    channel() noexcept = default;

    /// Its number on the connection, from 1; 0 of an empty handle.
    [[nodiscard]] std::uint16_t number() const noexcept { return core_ ? core_->number() : std::uint16_t{0}; }
    [[nodiscard]] bool is_open() const noexcept { return core_ && core_->is_open(); }
    [[nodiscard]] asio::any_io_executor get_executor() const { return core().connection->executor(); }

    // Exchanges.

    /// Creates an exchange, or checks that one with these properties exists (exchange.declare). 406 if it
    /// exists with other properties, 403 for reserved names ("amq."), 404 for `passive` if it is not there;
    /// an unknown type ends the connection with 503 (RabbitMQ 4: the channel with 406).
    [[nodiscard]] asio::awaitable<void> declare_exchange(std::string_view name, std::string_view type,
                                                         exchange_options o = {})
    {
        const std::string arguments =
            detail::encode_arguments(detail::exchange_arguments(o), "exchange.declare");
        wire::exchange::declare m;
        m.exchange = name;
        m.type = type;
        m.passive = o.passive;
        m.durable = o.durable;
        m.auto_delete = o.auto_delete;
        m.internal = o.internal;
        m.no_wait = o.no_wait;
        m.arguments = {arguments};
        return ask(m, wire::exchange::declare_ok::id, o.timeout);
    }
    /// Deletes an exchange (exchange.delete). One that is not there is no error with RabbitMQ; 406 if it is in use
    /// and `if_unused` is set.
    [[nodiscard]] asio::awaitable<void> delete_exchange(std::string_view name,
                                                        delete_exchange_options o = {})
    {
        wire::exchange::delete_ m;
        m.exchange = name;
        m.if_unused = o.if_unused;
        m.no_wait = o.no_wait;
        return ask(m, wire::exchange::delete_ok::id, o.timeout);
    }
    /// Lets messages flow from exchange `source` to exchange `destination` (RabbitMQ extension).
    [[nodiscard]] asio::awaitable<void> bind_exchange(std::string_view destination,
                                                      std::string_view source,
                                                      std::string_view routing_key = {},
                                                      bind_options o = {})
    {
        const std::string arguments = detail::bind_arguments(o, "exchange.bind");
        wire::exchange::bind m;
        m.destination = destination;
        m.source = source;
        m.routing_key = routing_key;
        m.no_wait = o.no_wait;
        m.arguments = {arguments};
        return ask(m, wire::exchange::bind_ok::id, o.timeout);
    }
    /// Undoes bind_exchange with the same arguments.
    [[nodiscard]] asio::awaitable<void> unbind_exchange(std::string_view destination,
                                                        std::string_view source,
                                                        std::string_view routing_key = {},
                                                        bind_options o = {})
    {
        const std::string arguments = detail::bind_arguments(o, "exchange.unbind");
        wire::exchange::unbind m;
        m.destination = destination;
        m.source = source;
        m.routing_key = routing_key;
        m.no_wait = o.no_wait;
        m.arguments = {arguments};
        return ask(m, wire::exchange::unbind_ok::id, o.timeout);
    }

    // Queues.

    /// Creates a queue, or checks that one with these properties exists (queue.declare). With an empty
    /// name the broker makes one up: see the result. 406 if it exists with other properties, 405 if it is
    /// another connection's exclusive queue, 404 for `passive` if it is not there.
    [[nodiscard]] asio::awaitable<queue_info> declare_queue(std::string_view name = {},
                                                            queue_options o = {})
    {
        const std::string arguments =
            detail::encode_arguments(detail::queue_arguments(o), "queue.declare");
        wire::queue::declare m;
        m.queue = name;
        m.passive = o.passive;
        m.durable = o.durable;
        m.exclusive = o.exclusive;
        m.auto_delete = o.auto_delete;
        m.no_wait = o.no_wait;
        m.arguments = {arguments};
        auto request = detail::encode_request(core(), m, wire::queue::declare_ok::id, o.timeout);
        return declared(core_, std::move(request), std::string(name));
    }
    /// Deletes a queue and returns how many messages went with it (queue.delete); 0 with `no_wait`. 406 if it
    /// has consumers or messages and `if_unused` or `if_empty` is set; one that is not there is no error.
    [[nodiscard]] asio::awaitable<std::uint32_t> delete_queue(std::string_view name,
                                                              delete_queue_options o = {})
    {
        wire::queue::delete_ m;
        m.queue = name;
        m.if_unused = o.if_unused;
        m.if_empty = o.if_empty;
        m.no_wait = o.no_wait;
        auto request = detail::encode_request(core(), m, wire::queue::delete_ok::id, o.timeout);
        return detail::ask_count(core_, std::move(request));
    }
    /// Removes all messages that are ready and returns how many (queue.purge).
    [[nodiscard]] asio::awaitable<std::uint32_t> purge_queue(std::string_view name, call_options o = {})
    {
        wire::queue::purge m;
        m.queue = name;
        auto request = detail::encode_request(core(), m, wire::queue::purge_ok::id, o.timeout);
        return detail::ask_count(core_, std::move(request));
    }
    /// Lets messages from an exchange into a queue (queue.bind). What the key means depends on the exchange. 404
    /// if one of the two is not there.
    [[nodiscard]] asio::awaitable<void> bind_queue(std::string_view queue, std::string_view exchange,
                                                   std::string_view routing_key = {},
                                                   bind_options o = {})
    {
        const std::string arguments = detail::bind_arguments(o, "queue.bind");
        wire::queue::bind m;
        m.queue = queue;
        m.exchange = exchange;
        m.routing_key = routing_key;
        m.no_wait = o.no_wait;
        m.arguments = {arguments};
        return ask(m, wire::queue::bind_ok::id, o.timeout);
    }
    /// Undoes bind_queue with the same arguments (queue.unbind); no error if there is no such binding.
    [[nodiscard]] asio::awaitable<void> unbind_queue(std::string_view queue, std::string_view exchange,
                                                     std::string_view routing_key = {},
                                                     bind_options o = {})
    {
        const std::string arguments = detail::bind_arguments(o, "queue.unbind");
        wire::queue::unbind m;
        m.queue = queue;
        m.exchange = exchange;
        m.routing_key = routing_key;
        m.arguments = {arguments};
        return ask(m, wire::queue::unbind_ok::id, o.timeout);
    }

    // Publishing.

    /// Puts a message into the output buffer, and suspends only while that is full (512 KiB by default),
    /// while the broker has the connection blocked or the channel's flow stopped. Completes when the
    /// message is in the buffer; that the broker has it, only publish_confirmed tells. Cancellation: a
    /// message is sent whole or not at all.
    [[nodiscard]] asio::awaitable<void> publish(std::string_view exchange, std::string_view routing_key,
                                                std::string_view body, publish_options o = {})
    {
        return detail::submit(detail::prepare_publish(shared_core(),
                                                      {exchange, routing_key, o.mandatory, o.immediate},
                                                      nullptr, body, nullptr),
                              o.timeout);
    }
    [[nodiscard]] asio::awaitable<void> publish(std::string_view exchange, std::string_view routing_key,
                                                std::span<const std::byte> body, publish_options o = {})
    {
        return publish(exchange, routing_key, as_text(body), o);
    }
    /// The message's body is shared, not copied, if it is large.
    [[nodiscard]] asio::awaitable<void> publish(std::string_view exchange, std::string_view routing_key,
                                                const message& m, publish_options o = {})
    {
        return detail::submit(detail::prepare_publish(shared_core(),
                                                      {exchange, routing_key, o.mandatory, o.immediate},
                                                      &m.properties(), m.text(), &m.body()),
                              o.timeout);
    }
    /// Publishes at once if there is room, without waiting; false, and nothing sent, if not. Throws
    /// usage_error, channel_error and connection_error as publish does.
    bool try_publish(std::string_view exchange, std::string_view routing_key, const message& m,
                     publish_options o = {})
    {
        const detail::publish_target target{exchange, routing_key, o.mandatory, o.immediate};
        return try_submit(target, &m.properties(), m.text(), &m.body());
    }
    /// The same for a body alone.
    bool try_publish(std::string_view exchange, std::string_view routing_key, std::string_view body,
                     publish_options o = {})
    {
        const detail::publish_target target{exchange, routing_key, o.mandatory, o.immediate};
        return try_submit(target, nullptr, body, nullptr);
    }
    bool try_publish(std::string_view exchange, std::string_view routing_key,
                     std::span<const std::byte> body, publish_options o = {})
    {
        return try_publish(exchange, routing_key, as_text(body), o);
    }

    /// Publishes and waits for what becomes of it: confirmed, rejected, or unroutable with the broker's
    /// reply code and text. The first use puts the channel into confirm mode (RabbitMQ extension). Throws
    /// when the channel or connection ended or the deadline passed before the outcome was known. For many
    /// messages in flight see `publisher`.
    [[nodiscard]] asio::awaitable<publish_result> publish_confirmed(std::string_view exchange,
                                                                    std::string_view routing_key,
                                                                    std::string_view body,
                                                                    confirmed_publish_options o = {})
    {
        return detail::submit_confirmed(
            detail::prepare_publish(shared_core(), {exchange, routing_key, o.mandatory, o.immediate}, nullptr,
                                    body, nullptr),
            o.timeout);
    }
    [[nodiscard]] asio::awaitable<publish_result> publish_confirmed(std::string_view exchange,
                                                                    std::string_view routing_key,
                                                                    const message& m,
                                                                    confirmed_publish_options o = {})
    {
        return detail::submit_confirmed(
            detail::prepare_publish(shared_core(), {exchange, routing_key, o.mandatory, o.immediate},
                                    &m.properties(), m.text(), &m.body()),
            o.timeout);
    }
    [[nodiscard]] asio::awaitable<publish_result> publish_confirmed(std::string_view exchange,
                                                                    std::string_view routing_key,
                                                                    std::span<const std::byte> body,
                                                                    confirmed_publish_options o = {})
    {
        return publish_confirmed(exchange, routing_key, as_text(body), o);
    }
    /// Puts the channel into confirm mode (confirm.select) before anything is published.
    [[nodiscard]] asio::awaitable<void> select_confirms(call_options o = {})
    {
        return ask(wire::confirm::select{}, wire::confirm::select_ok::id, o.timeout);
    }
    /// The next message that was published as mandatory with `publish` and came back. Waits without limit
    /// unless told otherwise. At most 1,024, and 16 MiB of bodies, are kept; older ones
    /// are dropped and counted.
    [[nodiscard]] asio::awaitable<returned_message> next_return(next_options o = {})
    {
        return returned(shared_core(), o.timeout);
    }
    /// How many returned messages were dropped because nobody took them.
    [[nodiscard]] std::uint64_t lost_returns() const noexcept { return core_ ? core_->lost_returns : 0; }

    // Consuming.

    /// Starts a stream of deliveries. With `prefetch` (100 by default) the broker sends no more than that
    /// many before some are settled; it is sent as basic.qos first and applies to this consumer.
    [[nodiscard]] asio::awaitable<consumer> consume(std::string_view queue, consume_options o = {});

    /// Takes one message if there is one (basic.get). Costs a round trip for each: to read a queue, consume.
    [[nodiscard]] asio::awaitable<std::optional<delivery>> get(std::string_view queue, get_options o = {})
    {
        wire::basic::get m;
        m.queue = queue;
        m.no_ack = o.no_ack;
        auto request = detail::encode_request(core(), m, wire::basic::get_ok::id, o.timeout);
        return got(core_, std::move(request));
    }
    /// Settles deliveries by tag, after delivery::release. Without effect for tags that are not open.
    bool ack(std::uint64_t delivery_tag, ack_options o = {})
    {
        return settle(delivery_tag, engine::settlement::ack, o.multiple);
    }
    /// Gives back by tag (basic.nack, RabbitMQ extension): as ack.
    bool nack(std::uint64_t delivery_tag, nack_options o = {})
    {
        return settle(delivery_tag,
                      o.requeue ? engine::settlement::requeue : engine::settlement::discard, o.multiple);
    }
    /// Refuses by tag: as ack.
    bool reject(std::uint64_t delivery_tag)
    {
        return settle(delivery_tag, engine::settlement::discard, false);
    }
    /// Sets the prefetch of consumers that start later, or with `global` of the whole channel
    /// (RabbitMQ's reading of basic.qos). 0 is no limit.
    [[nodiscard]] asio::awaitable<void> set_prefetch(std::uint16_t count, bool global = false,
                                                     call_options o = {})
    {
        wire::basic::qos m;
        m.prefetch_count = count;
        m.global = global;
        auto request = detail::encode_request(core(), m, wire::basic::qos_ok::id, o.timeout);
        return prefetch_set(core_, std::move(request), count, global);
    }
    /// Makes the broker deliver everything again that is not settled (basic.recover). RabbitMQ knows
    /// `requeue` = true only and closes the connection with 540 otherwise. Deliveries that are held can't
    /// be settled any more.
    [[nodiscard]] asio::awaitable<void> recover(bool requeue = true, call_options o = {})
    {
        wire::basic::recover m;
        m.requeue = requeue;
        auto request = detail::encode_request(core(), m, wire::basic::recover_ok::id, o.timeout);
        return recovered(core_, std::move(request));
    }

    // Transactions (class tx): publishes and settlements take effect together at commit.

    /// Puts the channel into transaction mode (tx.select), which excludes confirms: 406 if those are on.
    [[nodiscard]] asio::awaitable<void> select_transactions(call_options o = {})
    {
        return ask(wire::tx::select{}, wire::tx::select_ok::id, o.timeout);
    }
    /// Makes what was published and settled since the last commit or rollback happen (tx.commit). 406 without
    /// select_transactions. When it throws timeout_error or connection_error its outcome is unknown.
    [[nodiscard]] asio::awaitable<void> commit(call_options o = {})
    {
        return ask(wire::tx::commit{}, wire::tx::commit_ok::id, o.timeout);
    }
    /// Forgets it instead (tx.rollback). Deliveries that were settled since are open again for the broker, which
    /// delivers them again only after recover or when the channel ends. 406 without select_transactions.
    [[nodiscard]] asio::awaitable<void> rollback(call_options o = {})
    {
        return ask(wire::tx::rollback{}, wire::tx::rollback_ok::id, o.timeout);
    }

    /// Asks the broker to pause or resume deliveries (channel.flow). RabbitMQ knows `active` = true only
    /// and closes the connection with 540 otherwise: use prefetch.
    [[nodiscard]] asio::awaitable<void> flow(bool active, call_options o = {})
    {
        wire::channel::flow m;
        m.active = active;
        return ask(m, wire::channel::flow_ok::id, o.timeout);
    }
    /// False while the broker asks not to be sent messages on this channel.
    [[nodiscard]] bool flow_active() const noexcept { return core_ && core_->flow_active(); }

    /// Closes the channel and waits for the broker's answer. Everything that waits on it fails with
    /// channel_error. Closing a channel that has ended is no error.
    [[nodiscard]] asio::awaitable<void> close(call_options o = {}) { return closed(core_, o.timeout); }

private:
    friend class connection;
    friend struct detail::publishing;
    explicit channel(local_ptr<detail::channel_core> core) noexcept : core_(std::move(core)) {}

    [[nodiscard]] const local_ptr<detail::channel_core>& shared_core() const
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
    template <wire::method Request>
    [[nodiscard]] asio::awaitable<void> ask(const Request& m, wire::method_number answer, duration timeout)
    {
        auto request = detail::encode_request(core(), m, answer, timeout);
        return detail::ask_nothing(core_, std::move(request));
    }
    bool settle(std::uint64_t tag, engine::settlement how, bool multiple);
    bool try_submit(const detail::publish_target& target, const leveret::properties* properties,
                    std::string_view body, const payload* shared);

    using core_ptr = local_ptr<detail::channel_core>;
    static asio::awaitable<queue_info> declared(core_ptr core, detail::encoded_request request,
                                                std::string name);
    static asio::awaitable<consumer> consuming(core_ptr core, local_ptr<detail::consumer_core> consumer,
                                               detail::encoded_request request,
                                               std::optional<std::uint16_t> prefetch);
    static asio::awaitable<void> prefetch_set(core_ptr core, detail::encoded_request request,
                                              std::uint16_t count, bool global);
    static asio::awaitable<std::optional<delivery>> got(core_ptr core, detail::encoded_request request);
    static asio::awaitable<returned_message> returned(core_ptr core, duration timeout);
    static asio::awaitable<void> recovered(core_ptr core, detail::encoded_request request);
    static asio::awaitable<void> closed(core_ptr core, duration timeout);

    core_ptr core_;
};

} // namespace leveret::amqp

#include "leveret/transport/amqp/detail/channel_operations.hpp" // IWYU pragma: export
