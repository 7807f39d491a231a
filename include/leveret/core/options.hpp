// The options of operations: trivially destructible aggregates, so that a line such as
// `co_await channel.declare_queue("tasks", {.durable = true})` is safe with g++ 12, which destroys
// other aggregates in such a line twice. Texts in them are views: they live to the end of the call.
#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/table.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace leveret {

/// How long operations that wait for the broker's answer wait unless told otherwise.
inline constexpr duration default_timeout = duration::seconds(30);

/// A table that belongs to the caller, named in options: `{.arguments = my_table}`. Must be a named
/// object, for a temporary could die before it is read.
class table_ref {
public:
    constexpr table_ref() noexcept = default;
    constexpr table_ref(const table& t) noexcept : table_(&t) {} // NOLINT: implicit on purpose
    table_ref(const table&&) = delete;

    [[nodiscard]] constexpr const table* get() const noexcept { return table_; }

private:
    const table* table_ = nullptr;
};

/// What a queue does with a message when it is full (RabbitMQ: x-overflow).
enum class overflow : std::uint8_t { by_default, drop_head, reject_publish, reject_publish_dlx };

/// RabbitMQ's x-queue-type.
enum class queue_type : std::uint8_t { by_default, classic, quorum, stream };

/// The kind of exchange, by the name that the broker knows. Any text is possible, for plugins.
namespace exchange_type {
inline constexpr std::string_view direct = "direct";
inline constexpr std::string_view fanout = "fanout";
inline constexpr std::string_view topic = "topic";
inline constexpr std::string_view headers = "headers";
} // namespace exchange_type

/// Options of declare_queue. The members after `auto_delete` become RabbitMQ's x-arguments.
struct queue_options {
    bool passive = false;     ///< only check that it exists
    bool durable = false;     ///< survives a restart of the broker
    bool exclusive = false;   ///< this connection's own; deleted with it
    bool auto_delete = false; ///< deleted when its last consumer is gone
    bool no_wait = false;     ///< don't wait for the answer; an error closes the channel later
    duration message_ttl = duration::never(); ///< x-message-ttl, in whole milliseconds
    duration expires = duration::never();     ///< x-expires, in whole milliseconds
    std::optional<std::int64_t> max_length = {};
    std::optional<std::int64_t> max_length_bytes = {};
    leveret::overflow overflow = leveret::overflow::by_default;
    std::optional<std::string_view> dead_letter_exchange = {}; ///< "" is the default exchange
    std::optional<std::string_view> dead_letter_routing_key = {};
    std::uint8_t max_priority = 0; ///< x-max-priority when above 0
    bool single_active_consumer = false;
    queue_type type = queue_type::by_default;
    std::optional<std::int64_t> delivery_limit = {}; ///< x-delivery-limit, quorum queues
    table_ref arguments = {};                        ///< further arguments; they win over the above
    duration timeout = default_timeout;
};

/// Options of declare_exchange.
struct exchange_options {
    bool passive = false;     ///< only check that it exists
    bool durable = false;     ///< survives a restart of the broker
    bool auto_delete = false; ///< deleted when its last binding is gone
    bool internal = false;    ///< reached by bindings from other exchanges only
    bool no_wait = false;
    std::optional<std::string_view> alternate_exchange = {}; ///< gets what this one can't route
    table_ref arguments = {};
    duration timeout = default_timeout;
};

/// Options of bind and unbind, of queues and of exchanges.
struct bind_options {
    bool no_wait = false; ///< not for unbinding a queue, where AMQP has no such bit
    table_ref arguments = {};
    duration timeout = default_timeout;
};

/// Options of delete_queue.
struct delete_queue_options {
    bool if_unused = false; ///< refuse with 406 while it has consumers
    bool if_empty = false;  ///< refuse with 406 while it has messages
    bool no_wait = false;
    duration timeout = default_timeout;
};

/// Options of delete_exchange.
struct delete_exchange_options {
    bool if_unused = false; ///< refuse with 406 while something is bound to it
    bool no_wait = false;
    duration timeout = default_timeout;
};

/// Options of operations that have no other.
struct call_options {
    duration timeout = default_timeout;
};

/// Options of consume.
struct consume_options {
    /// Deliveries that may wait for acknowledgement at once, 0 for no limit; by default what set_prefetch
    /// said, or 100. Sent as basic.qos of this consumer (RabbitMQ: global=false means per consumer) before
    /// it starts, and undoes a `set_prefetch` of the whole channel that came before.
    std::optional<std::uint16_t> prefetch = {};
    bool no_ack = false;    ///< the broker forgets a message when it is sent; nothing is acknowledged
    bool exclusive = false; ///< refuse with 403 if the queue has another consumer
    bool no_local = false;  ///< RabbitMQ ignores it
    std::string_view tag = {};             ///< the consumer's name; made up here when empty
    std::optional<std::int32_t> priority = {}; ///< x-priority (RabbitMQ)
    table_ref arguments = {};
    duration timeout = default_timeout;
};

/// Options of get.
struct get_options {
    bool no_ack = false;
    duration timeout = default_timeout;
};

/// Options of publish.
struct publish_options {
    bool mandatory = false; ///< return the message if it reaches no queue: see channel::next_return
    bool immediate = false; ///< AMQP's flag; RabbitMQ closes the connection with 540
    duration timeout = default_timeout; ///< for waiting until there is room, or while blocked
};

/// Options of publish_confirmed. `mandatory` is on, so that "unroutable" is noticed.
struct confirmed_publish_options {
    bool mandatory = true;
    bool immediate = false;
    duration timeout = default_timeout; ///< for the broker's confirmation, room included
};

/// Options of consumer::next and channel::next_return.
struct next_options {
    duration timeout = duration::never(); ///< a queue may stay empty for as long as it likes
};

/// How far an acknowledgement reaches.
struct ack_options {
    bool multiple = false; ///< this delivery and all earlier ones of its channel that are not settled
};

/// How a delivery is given back.
struct nack_options {
    bool multiple = false;
    bool requeue = true; ///< back to its place in the queue; otherwise dropped or dead-lettered
};

/// Options of a publisher.
struct publisher_options {
    std::size_t window = 1000;                   ///< messages in flight, 1 to 65,536
    std::size_t window_bytes = 16 * 1024 * 1024; ///< bodies in flight; one larger message still goes
    bool mandatory = true;                       ///< notice messages that reach no queue
    duration timeout = default_timeout;          ///< for room in the window, and for flush
};

template <class T>
concept safe_options = std::is_aggregate_v<T> && std::is_trivially_destructible_v<T>;
static_assert(safe_options<queue_options> && safe_options<exchange_options> &&
              safe_options<bind_options> && safe_options<delete_queue_options> &&
              safe_options<delete_exchange_options> && safe_options<call_options> &&
              safe_options<consume_options> && safe_options<get_options> &&
              safe_options<publish_options> && safe_options<confirmed_publish_options> &&
              safe_options<next_options> && safe_options<ack_options> && safe_options<nack_options> &&
              safe_options<publisher_options>);

} // namespace leveret
