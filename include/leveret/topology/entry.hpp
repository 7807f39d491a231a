#pragma once

#include "leveret/core/fixed_string.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/table.hpp"
#include "leveret/topology/rule.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// \file
/// The parts of a topology as plain values. Types such as `exchange<"stocks", topic>` only carry one of these, and
/// what is checked, routed, drawn and declared is written once over arrays of them: constexpr functions over
/// values cost a compiler a small part of what recursion over types would.

namespace leveret {

/// As the value of a header: the header must be there, with whatever value.
struct any_value_t {};
inline constexpr any_value_t any_value{};

namespace topology_detail {

enum class constant_kind : std::uint8_t { nothing, boolean, int32, int64, text };

} // namespace topology_detail

/// A value of an argument or header as a template argument: a text, a number or a bool.
template <std::size_t N>
struct constant_value {
    consteval constant_value(const char (&v)[N + 1]) noexcept // NOLINT: a literal becomes one
        : kind(topology_detail::constant_kind::text)
    {
        for (std::size_t i = 0; i <= N; ++i)
            text[i] = v[i];
    }
    consteval constant_value(std::same_as<bool> auto v) noexcept // NOLINT
        : kind(topology_detail::constant_kind::boolean), number(v)
    {
    }
    consteval constant_value(std::signed_integral auto v) noexcept // NOLINT
        : kind(sizeof v > 4 ? topology_detail::constant_kind::int64
                            : topology_detail::constant_kind::int32),
          number(v)
    {
    }
    consteval constant_value(any_value_t) noexcept {} // NOLINT

    topology_detail::constant_kind kind = topology_detail::constant_kind::nothing;
    std::int64_t number = 0;
    char text[N + 1] = {};
};
template <std::size_t N>
constant_value(const char (&)[N]) -> constant_value<N - 1>;
template <class T>
    requires std::signed_integral<T> || std::same_as<T, bool> || std::same_as<T, any_value_t>
constant_value(T) -> constant_value<0>;

namespace topology_detail {

/// A hash for constant expressions (FNV-1a); `text_hash` loads words by memcpy, which they can't.
[[nodiscard]] constexpr std::uint64_t constant_hash(std::string_view text,
                                                    std::uint64_t h = 0xcbf29ce484222325U) noexcept
{
    for (const char c : text)
        h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return (h ^ 0xffU) * 0x100000001b3U; // an end, so that "a", "bc" is not "ab", "c"
}

/// An x-argument of a queue or exchange, an argument of a binding, a header to match.
struct argument_entry {
    std::string_view name;
    constant_kind kind = constant_kind::nothing;
    std::int64_t number = 0;
    std::string_view text;

    friend constexpr bool operator==(const argument_entry&, const argument_entry&) = default;
};
using argument_entries = std::span<const argument_entry>;

[[nodiscard]] constexpr bool same_arguments(argument_entries a, argument_entries b) noexcept
{
    if (a.size() != b.size())
        return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!(a[i] == b[i]))
            return false;
    return true;
}

[[nodiscard]] inline field_value to_field_value(const argument_entry& a)
{
    switch (a.kind) {
    case constant_kind::boolean: return a.number != 0;
    case constant_kind::int32: return static_cast<std::int32_t>(a.number);
    case constant_kind::int64: return a.number;
    case constant_kind::text: return a.text;
    case constant_kind::nothing: break;
    }
    return {};
}
[[nodiscard]] inline table to_table(argument_entries arguments)
{
    table t;
    for (const argument_entry& a : arguments)
        t.set(a.name, to_field_value(a));
    return t;
}

/// The types of exchange whose rules are known here; `other` is a policy of the user's or of a plugin.
enum class exchange_kind : std::uint8_t { direct, fanout, topic, headers, other };

[[nodiscard]] constexpr exchange_kind kind_of(std::string_view type) noexcept
{
    if (type == exchange_type::direct)
        return exchange_kind::direct;
    if (type == exchange_type::fanout)
        return exchange_kind::fanout;
    if (type == exchange_type::topic)
        return exchange_kind::topic;
    return type == exchange_type::headers ? exchange_kind::headers : exchange_kind::other;
}

[[nodiscard]] constexpr bool may_be_any_key(std::string_view, std::string_view) noexcept
{
    return true;
}
[[nodiscard]] constexpr std::string_view nothing_wrong(std::string_view) noexcept { return {}; }

struct exchange_entry {
    std::string_view name, type;
    std::uint64_t hash = 0; ///< of the name
    exchange_kind kind = exchange_kind::other;
    exchange_options options = {}; ///< without `arguments`, which are below
    argument_entries arguments = {};
    bool unbound_ok = false;
    bool is_predeclared = false;
    bool (*matches)(std::string_view,
                    std::string_view) = may_be_any_key; ///< the policy's own if it has one
    std::string_view (*key_error)(std::string_view) = nothing_wrong; ///< the same
    std::uint32_t seen = 0;                     ///< options, to find those given twice
    topology_rule broken = topology_rule::none; ///< by the options by themselves
};

struct queue_entry {
    std::string_view name;
    std::uint64_t hash = 0;
    queue_options options = {};
    argument_entries arguments = {};
    std::uint32_t seen = 0;
    topology_rule broken = topology_rule::none;
};

struct binding_entry {
    std::string_view destination, key;
    const exchange_entry* source = nullptr;
    const exchange_entry* to_exchange = nullptr;
    const queue_entry* to_queue = nullptr;
    bool leads_to_exchange = false; ///< to `to_exchange`, or else to a queue
    bool has_queue_type = false;    ///< the queue was given as a type, `to_queue`
    argument_entries arguments = {};
    std::uint64_t destination_hash = 0;
    std::uint64_t hash = 0; ///< of everything that makes a binding this one
};

[[nodiscard]] constexpr bool same_exchange(const exchange_entry& a,
                                           const exchange_entry& b) noexcept
{
    return a.name == b.name && a.type == b.type && a.options.durable == b.options.durable &&
           a.options.auto_delete == b.options.auto_delete &&
           a.options.internal == b.options.internal &&
           a.options.alternate_exchange == b.options.alternate_exchange &&
           a.unbound_ok == b.unbound_ok && same_arguments(a.arguments, b.arguments);
}

[[nodiscard]] constexpr bool same_queue(const queue_entry& a, const queue_entry& b) noexcept
{
    const queue_options& x = a.options;
    const queue_options& y = b.options;
    return a.name == b.name && x.durable == y.durable && x.exclusive == y.exclusive &&
           x.auto_delete == y.auto_delete && x.message_ttl == y.message_ttl &&
           x.expires == y.expires && x.max_length == y.max_length &&
           x.max_length_bytes == y.max_length_bytes && x.overflow == y.overflow &&
           x.dead_letter_exchange == y.dead_letter_exchange &&
           x.dead_letter_routing_key == y.dead_letter_routing_key &&
           x.max_priority == y.max_priority &&
           x.single_active_consumer == y.single_active_consumer && x.type == y.type &&
           x.delivery_limit == y.delivery_limit && same_arguments(a.arguments, b.arguments);
}

[[nodiscard]] constexpr bool same_binding(const binding_entry& a, const binding_entry& b) noexcept
{
    return a.leads_to_exchange == b.leads_to_exchange && a.destination == b.destination &&
           a.key == b.key && a.source->name == b.source->name &&
           same_arguments(a.arguments, b.arguments);
}

} // namespace topology_detail

} // namespace leveret
