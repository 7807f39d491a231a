#pragma once

#include "leveret/core/fixed_string.hpp"
#include "leveret/routing/direct.hpp"
#include "leveret/routing/fanout.hpp"
#include "leveret/routing/headers.hpp"
#include "leveret/routing/topic.hpp"
#include "leveret/topology/entry.hpp"
#include "leveret/topology/options.hpp"

#include <concepts>
#include <string_view>

namespace leveret {

namespace topology_detail {

[[nodiscard]] constexpr exchange_kind predeclared_kind(std::string_view name) noexcept
{
    if (name.empty() || name == "amq.direct")
        return exchange_kind::direct;
    if (name == "amq.fanout")
        return exchange_kind::fanout;
    if (name == "amq.topic")
        return exchange_kind::topic;
    return name == "amq.headers" || name == "amq.match" ? exchange_kind::headers
                                                        : exchange_kind::other;
}

template <class Policy>
constexpr void take_policy(exchange_entry& e) noexcept
{
    e.type = Policy::name;
    e.kind = kind_of(e.type);
    if (e.kind != exchange_kind::other)
        return;
    if constexpr (requires(std::string_view t) {
                      { Policy::matches(t, t) } -> std::same_as<bool>;
                  })
        e.matches = [](std::string_view binding_key, std::string_view key) {
            return Policy::matches(binding_key, key);
        };
    if constexpr (requires(std::string_view t) {
                      { Policy::key_error(t) } -> std::convertible_to<std::string_view>;
                  })
        e.key_error = [](std::string_view binding_key) {
            return std::string_view(Policy::key_error(binding_key));
        };
}

template <class Policy, class... Options>
[[nodiscard]] constexpr exchange_entry make_exchange(std::string_view name) noexcept
{
    exchange_entry e;
    e.name = name;
    e.hash = constant_hash(name);
    take_policy<Policy>(e);
    (apply_option<Options>(e, topology_rule::not_an_exchange_option), ...);
    e.arguments = list_arguments<Options...>();
    e.is_predeclared = name.empty() || (predeclared_kind(name) != exchange_kind::other);
    return e;
}

} // namespace topology_detail

/// An exchange of a topology: its name, its type, and options such as `durable` or `alternate_exchange<"rest">`.
///
///     using stocks = lv::exchange<"stocks", lv::topic, lv::durable>;
///
/// The type is a routing policy; a user's own needs no more than a `name` here. It may have two functions that can
/// run in constant expressions: `matches(binding_key, key)` says which keys a binding routes (without it, any), and
/// `key_error(binding_key)` what is wrong with a binding's key, empty if nothing.
template <fixed_string Name, class Policy, class... Options>
    requires requires {
        { Policy::name } -> std::convertible_to<std::string_view>;
    }
struct exchange {
    static constexpr std::string_view name = Name.view();
    static constexpr topology_detail::exchange_entry entry =
        topology_detail::make_exchange<Policy, Options...>(Name.view());
    using policy = Policy;
};

/// What each message published to it names: a queue. Every queue is bound to it by its name.
using default_exchange = exchange<"", direct, durable>;

// The exchanges that a virtual host of RabbitMQ has from the beginning. A topology need not list them.
using amq_direct = exchange<"amq.direct", direct, durable>;
using amq_fanout = exchange<"amq.fanout", fanout, durable>;
using amq_topic = exchange<"amq.topic", topic, durable>;
using amq_headers = exchange<"amq.headers", headers, durable>;
using amq_match = exchange<"amq.match", headers, durable>;

} // namespace leveret
