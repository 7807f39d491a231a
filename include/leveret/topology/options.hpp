#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/fixed_string.hpp"
#include "leveret/topology/entry.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// \file
/// The options of `exchange` and `queue` as types. An option that does not fit (a delivery limit of an exchange)
/// doesn't compile once the exchange or queue is in a topology.

namespace leveret {

namespace topology_detail {

enum option_bit : std::uint32_t {
    durable_bit = 1U << 0U,
    auto_delete_bit = 1U << 1U,
    exclusive_bit = 1U << 2U,
    internal_bit = 1U << 3U,
    alternate_exchange_bit = 1U << 4U,
    unbound_ok_bit = 1U << 5U,
    message_ttl_bit = 1U << 6U,
    expires_bit = 1U << 7U,
    max_length_bit = 1U << 8U,
    max_length_bytes_bit = 1U << 9U,
    overflow_bit = 1U << 10U,
    dead_letter_exchange_bit = 1U << 11U,
    dead_letter_routing_key_bit = 1U << 12U,
    max_priority_bit = 1U << 13U,
    single_active_consumer_bit = 1U << 14U,
    type_bit = 1U << 15U,
    delivery_limit_bit = 1U << 16U,
};

/// Keeps the first rule that the options of an entry break.
template <class Entry>
constexpr void demand(Entry& e, bool holds, topology_rule rule) noexcept
{
    if (!holds && e.broken == topology_rule::none)
        e.broken = rule;
}
template <class Entry>
constexpr void see(Entry& e, option_bit bit) noexcept
{
    demand(e, (e.seen & bit) == 0, topology_rule::option_twice);
    e.seen |= bit;
}
/// Times are at most ten years (RabbitMQ: rabbit_misc:check_expiry).
constexpr void demand_time(queue_entry& e, std::int64_t ms) noexcept
{
    demand(e, ms >= 0, topology_rule::negative_value);
    demand(e, ms <= 315'360'000'000, topology_rule::time_too_long);
}

} // namespace topology_detail

// Of exchanges and queues.

/// Survives a restart of the broker.
struct durable {
    static constexpr void apply(auto& e) noexcept
    {
        see(e, topology_detail::durable_bit);
        e.options.durable = true;
    }
};
/// A queue is deleted when its last consumer is gone, an exchange when its last binding is.
struct auto_delete {
    static constexpr void apply(auto& e) noexcept
    {
        see(e, topology_detail::auto_delete_bit);
        e.options.auto_delete = true;
    }
};
/// Any other argument: `argument<"x-queue-mode", "lazy">`, `argument<"x-hash-on", ...>`. Of a binding, too.
template <fixed_string Name, constant_value Value>
struct argument {
    static constexpr topology_detail::argument_entry entry{
        Name.view(), Value.kind, Value.number, std::string_view(Value.text, sizeof Value.text - 1)};
};

// Of exchanges.

/// Reached by bindings from other exchanges only.
struct internal {
    static constexpr void apply(topology_detail::exchange_entry& e) noexcept
    {
        see(e, topology_detail::internal_bit);
        e.options.internal = true;
    }
};
/// Gets what the exchange can't route. It must be in the topology, or be a predeclared exchange.
template <fixed_string Name>
struct alternate_exchange {
    static constexpr void apply(topology_detail::exchange_entry& e) noexcept
    {
        see(e, topology_detail::alternate_exchange_bit);
        e.options.alternate_exchange = Name.view();
    }
};
/// Publishing keys that no binding of the topology routes is meant: others bind queues of theirs.
struct unbound_ok {
    static constexpr void apply(topology_detail::exchange_entry& e) noexcept
    {
        see(e, topology_detail::unbound_ok_bit);
        e.unbound_ok = true;
    }
};

// Of queues.

/// This connection's own; deleted with it.
struct exclusive {
    static constexpr void apply(topology_detail::queue_entry& e) noexcept
    {
        see(e, topology_detail::exclusive_bit);
        e.options.exclusive = true;
    }
};
/// x-message-ttl, in milliseconds: 0 drops what no consumer takes at once.
template <std::int64_t Milliseconds>
struct message_ttl {
    static constexpr void apply(topology_detail::queue_entry& e) noexcept
    {
        see(e, topology_detail::message_ttl_bit);
        demand_time(e, Milliseconds);
        e.options.message_ttl = duration::milliseconds(Milliseconds);
    }
};
/// x-expires, in milliseconds: the queue is deleted when it was not used for so long.
template <std::int64_t Milliseconds>
struct expires {
    static constexpr void apply(topology_detail::queue_entry& e) noexcept
    {
        see(e, topology_detail::expires_bit);
        demand(e, Milliseconds != 0, topology_rule::zero_expires);
        demand_time(e, Milliseconds);
        e.options.expires = duration::milliseconds(Milliseconds);
    }
};
template <std::int64_t Messages>
struct max_length {
    static constexpr void apply(topology_detail::queue_entry& e) noexcept
    {
        see(e, topology_detail::max_length_bit);
        demand(e, Messages >= 0, topology_rule::negative_value);
        e.options.max_length = Messages;
    }
};
template <std::int64_t Bytes>
struct max_length_bytes {
    static constexpr void apply(topology_detail::queue_entry& e) noexcept
    {
        see(e, topology_detail::max_length_bytes_bit);
        demand(e, Bytes >= 0, topology_rule::negative_value);
        e.options.max_length_bytes = Bytes;
    }
};

namespace topology_detail {

template <overflow What>
struct overflow_option {
    static constexpr void apply(queue_entry& e) noexcept
    {
        see(e, overflow_bit);
        e.options.overflow = What;
    }
};
template <queue_type What>
struct type_option {
    static constexpr void apply(queue_entry& e) noexcept
    {
        see(e, type_bit);
        e.options.type = What;
    }
};

} // namespace topology_detail

// What a full queue does (x-overflow).
struct drop_head : topology_detail::overflow_option<overflow::drop_head> {};
struct reject_publish : topology_detail::overflow_option<overflow::reject_publish> {};
struct reject_publish_dlx : topology_detail::overflow_option<overflow::reject_publish_dlx> {};

// The type of a queue (x-queue-type).
struct classic : topology_detail::type_option<queue_type::classic> {};
struct quorum : topology_detail::type_option<queue_type::quorum> {};

/// Gets what expired, was rejected or had no room. It must be in the topology, be predeclared, or be "", the
/// default exchange.
template <fixed_string Name>
struct dead_letter_exchange {
    static constexpr void apply(topology_detail::queue_entry& e) noexcept
    {
        see(e, topology_detail::dead_letter_exchange_bit);
        e.options.dead_letter_exchange = Name.view();
    }
};
template <fixed_string Key>
struct dead_letter_routing_key {
    static constexpr void apply(topology_detail::queue_entry& e) noexcept
    {
        see(e, topology_detail::dead_letter_routing_key_bit);
        e.options.dead_letter_routing_key = Key.view();
    }
};
/// x-max-priority, 1 to 255.
template <int Highest>
struct max_priority {
    static constexpr void apply(topology_detail::queue_entry& e) noexcept
    {
        see(e, topology_detail::max_priority_bit);
        demand(e, Highest >= 1 && Highest <= 255, topology_rule::priority_out_of_range);
        e.options.max_priority = static_cast<std::uint8_t>(Highest);
    }
};
struct single_active_consumer {
    static constexpr void apply(topology_detail::queue_entry& e) noexcept
    {
        see(e, topology_detail::single_active_consumer_bit);
        e.options.single_active_consumer = true;
    }
};
/// x-delivery-limit of a quorum queue.
template <std::int64_t Times>
struct delivery_limit {
    static constexpr void apply(topology_detail::queue_entry& e) noexcept
    {
        see(e, topology_detail::delivery_limit_bit);
        demand(e, Times >= 0, topology_rule::negative_value);
        e.options.delivery_limit = Times;
    }
};

namespace topology_detail {

template <class Option>
concept is_argument = requires { Option::entry.kind; };

template <class Option, std::size_t N>
constexpr void collect_argument(std::array<argument_entry, N>& to, std::size_t& i) noexcept
{
    if constexpr (is_argument<Option>)
        to[i++] = Option::entry;
}
template <class... Options>
[[nodiscard]] constexpr auto collect_arguments() noexcept
{
    std::array<argument_entry, (std::size_t{0} + ... + std::size_t{is_argument<Options>})> result{};
    std::size_t i = 0;
    (collect_argument<Options>(result, i), ...);
    return result;
}
template <class... Options>
inline constexpr auto collected_arguments = collect_arguments<Options...>();

/// The options that are arguments. Without any, as most are, nothing of the above is instantiated.
template <class... Options>
[[nodiscard]] constexpr argument_entries list_arguments() noexcept
{
    if constexpr ((false || ... || is_argument<Options>))
        return collected_arguments<Options...>;
    else
        return {};
}

template <class Option, class Entry>
constexpr void apply_option(Entry& e, topology_rule otherwise) noexcept
{
    if constexpr (requires { Option::apply(e); })
        Option::apply(e);
    else if constexpr (!is_argument<Option>)
        demand(e, false, otherwise);
}

} // namespace topology_detail

} // namespace leveret
