#pragma once

#include "leveret/routing/topic_algebra.hpp"
#include "leveret/topology/entry.hpp"
#include "leveret/topology/exchange.hpp"
#include "leveret/topology/rule.hpp"
#include "leveret/topology/rules.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace leveret::topology_detail {

/// A part of a topology, whichever it is.
struct part {
    enum class kind : std::uint8_t { exchange, queue, binding };

    constexpr explicit part(const exchange_entry& e) noexcept : what(kind::exchange), exchange(&e)
    {
    }
    constexpr explicit part(const queue_entry& e) noexcept : what(kind::queue), queue(&e) {}
    constexpr explicit part(const binding_entry& e) noexcept : what(kind::binding), binding(&e) {}

    /// Which of the pointers is set; with UBSan g++ 12 does not compare an address with nullptr when compiling.
    kind what;
    const exchange_entry* exchange = nullptr;
    const queue_entry* queue = nullptr;
    const binding_entry* binding = nullptr;
};
using part_list = std::span<const part>;

/// Indices of up to N entries by their hash: what looks up names must not cost a comparison with every name, since
/// a compiler counts the steps of a constant expression (clang: about a million).
template <std::size_t N>
class hash_slots {
public:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    /// The index for which `is_it(index)`, or none.
    template <class Equal>
    [[nodiscard]] constexpr std::size_t find(std::uint64_t hash, Equal is_it) const noexcept
    {
        for (std::size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask)
            if (is_it(std::size_t{slots_[at]} - 1))
                return std::size_t{slots_[at]} - 1;
        return none;
    }
    constexpr void insert(std::uint64_t hash, std::size_t index) noexcept
    {
        std::size_t at = hash & mask;
        while (slots_[at] != 0)
            at = (at + 1) & mask;
        slots_[at] = static_cast<std::uint16_t>(index + 1);
    }

private:
    static constexpr std::size_t mask = std::bit_ceil(2 * N + 2) - 1;
    std::array<std::uint16_t, mask + 1> slots_{};
};

/// What run-time code sees of a topology, of whatever size.
struct topology_view {
    std::span<const exchange_entry* const>
        exchanges; ///< predeclared ones that are bound are among them
    std::span<const queue_entry* const> queues;
    std::span<const binding_entry* const> bindings;
};

/// A topology put together: every name resolved, the bindings of an exchange side by side.
template <std::size_t Exchanges, std::size_t Queues, std::size_t Bindings>
class plan {
public:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    /// The predeclared ones that a binding may name without their being parts.
    static constexpr std::size_t exchange_room = Exchanges + 8;

    constexpr explicit plan(part_list parts) noexcept
    {
        for (std::size_t i = 0; i < parts.size() && broken_ == topology_rule::none; ++i) {
            if (parts[i].what == part::kind::exchange)
                blame(i, add_exchange(*parts[i].exchange));
            else if (parts[i].what == part::kind::queue)
                blame(i, add_queue(*parts[i].queue));
        }
        for (std::size_t i = 0; i < parts.size() && broken_ == topology_rule::none; ++i) {
            if (parts[i].what == part::kind::exchange)
                blame(i, check_alternate(*parts[i].exchange));
            else if (parts[i].what == part::kind::queue)
                blame(i, check_dead_letters(*parts[i].queue));
            else
                blame(i, add_binding(*parts[i].binding));
        }
        sort_bindings();
    }

    /// The first rule that is broken, and by which part.
    [[nodiscard]] constexpr topology_rule broken() const noexcept { return broken_; }
    [[nodiscard]] constexpr std::size_t offender() const noexcept { return offender_; }

    [[nodiscard]] constexpr topology_view view() const noexcept
    {
        return {{exchanges_.data(), exchange_count_},
                {queues_.data(), queue_count_},
                {bindings_.data(), binding_count_}};
    }
    [[nodiscard]] constexpr std::size_t find_exchange(std::string_view name,
                                                      std::uint64_t hash) const noexcept
    {
        return exchange_names_.find(hash,
                                    [&](std::size_t i) { return exchanges_[i]->name == name; });
    }
    [[nodiscard]] constexpr std::size_t find_queue(std::string_view name,
                                                   std::uint64_t hash) const noexcept
    {
        return queue_names_.find(hash, [&](std::size_t i) { return queues_[i]->name == name; });
    }
    /// Whether a message that is published to the exchange may reach a queue, by way of other exchanges, too. Headers,
    /// and policies that don't say which keys they match, may match.
    [[nodiscard]] constexpr bool routes(std::size_t exchange, std::string_view key) const noexcept
    {
        std::array<bool, exchange_room> visited{};
        return routes(exchange, key, visited);
    }

private:
    constexpr void blame(std::size_t part, topology_rule rule) noexcept
    {
        broken_ = rule;
        offender_ = part;
    }
    [[nodiscard]] constexpr topology_rule add_exchange(const exchange_entry& e) noexcept
    {
        if (const topology_rule rule = rule_broken_by(e); rule != topology_rule::none)
            return rule;
        const std::size_t known = find_exchange(e.name, e.hash);
        if (known != none)
            return same_exchange(e, *exchanges_[known]) ? topology_rule::none
                                                        : topology_rule::exchange_declared_twice;
        exchange_names_.insert(e.hash, exchange_count_);
        exchanges_[exchange_count_++] = &e;
        return topology_rule::none;
    }
    [[nodiscard]] constexpr topology_rule add_queue(const queue_entry& q) noexcept
    {
        if (const topology_rule rule = rule_broken_by(q); rule != topology_rule::none)
            return rule;
        const std::size_t known = find_queue(q.name, q.hash);
        if (known != none)
            return same_queue(q, *queues_[known]) ? topology_rule::none
                                                  : topology_rule::queue_declared_twice;
        queue_names_.insert(q.hash, queue_count_);
        queues_[queue_count_++] = &q;
        return topology_rule::none;
    }
    [[nodiscard]] constexpr bool is_there(std::string_view exchange) const noexcept
    {
        return (!exchange.empty() && predeclared_kind(exchange) != exchange_kind::other) ||
               find_exchange(exchange, constant_hash(exchange)) != none;
    }
    [[nodiscard]] constexpr topology_rule check_alternate(const exchange_entry& e) const noexcept
    {
        const auto& other = e.options.alternate_exchange;
        return !other || is_there(*other) ? topology_rule::none
                                          : topology_rule::unknown_alternate_exchange;
    }
    [[nodiscard]] constexpr topology_rule check_dead_letters(const queue_entry& q) const noexcept
    {
        const auto& other = q.options.dead_letter_exchange;
        return !other || other->empty() || is_there(*other)
                   ? topology_rule::none
                   : topology_rule::unknown_dead_letter_exchange;
    }
    /// One that a binding names. `rule` becomes why it may not.
    [[nodiscard]] constexpr std::size_t resolve(const exchange_entry& e,
                                                topology_rule& rule) noexcept
    {
        std::size_t known = find_exchange(e.name, e.hash);
        if (e.name.empty()) {
            rule = topology_rule::binding_of_default_exchange;
        } else if (known == none && e.is_predeclared) {
            rule = add_exchange(e);
            known = exchange_count_ - 1;
        } else if (known != none && !same_exchange(e, *exchanges_[known])) {
            rule = topology_rule::exchange_has_changed;
        }
        return known;
    }
    [[nodiscard]] constexpr topology_rule add_binding(const binding_entry& b) noexcept
    {
        topology_rule rule = topology_rule::none;
        const std::size_t source = resolve(*b.source, rule);
        if (rule != topology_rule::none || source == none)
            return rule != topology_rule::none ? rule : topology_rule::unknown_exchange;
        std::size_t destination = none;
        if (b.leads_to_exchange) {
            destination = resolve(*b.to_exchange, rule);
            if (rule != topology_rule::none || destination == none)
                return rule != topology_rule::none ? rule : topology_rule::unknown_destination;
        } else {
            destination = find_queue(b.destination, b.destination_hash);
            if (destination == none)
                return topology_rule::unknown_queue;
            if (b.has_queue_type && !same_queue(*b.to_queue, *queues_[destination]))
                return topology_rule::queue_has_changed;
        }
        rule = rule_broken_by(b);
        if (rule != topology_rule::none)
            return rule;
        if (known_bindings_.find(
                b.hash, [&](std::size_t i) { return same_binding(b, *bindings_[i]); }) != none)
            return topology_rule::binding_twice;
        known_bindings_.insert(b.hash, binding_count_);
        bindings_[binding_count_] = &b;
        sources_[binding_count_] = static_cast<std::uint16_t>(source);
        destinations_[binding_count_++] = static_cast<std::uint16_t>(destination);
        return topology_rule::none;
    }
    /// By exchange: those of exchange x are order_[first_[x]] up to order_[first_[x + 1]].
    constexpr void sort_bindings() noexcept
    {
        for (std::size_t i = 0; i < binding_count_; ++i)
            ++first_[sources_[i] + 1U];
        for (std::size_t x = 0; x < exchange_room; ++x)
            first_[x + 1] = static_cast<std::uint16_t>(first_[x + 1] + first_[x]);
        std::array<std::uint16_t, exchange_room + 1> next = first_;
        for (std::size_t i = 0; i < binding_count_; ++i)
            order_[next[sources_[i]]++] = static_cast<std::uint16_t>(i);
    }

    [[nodiscard]] constexpr bool routes(std::size_t x, std::string_view key,
                                        std::array<bool, exchange_room>& visited) const noexcept
    {
        if (visited[x])
            return false;
        visited[x] = true;
        bool matched = false;
        for (std::size_t i = first_[x]; i < first_[x + 1]; ++i) {
            const binding_entry& b = *bindings_[order_[i]];
            if (!may_match(*exchanges_[x], b.key, key))
                continue;
            matched = true;
            if (!b.leads_to_exchange || routes(destinations_[order_[i]], key, visited))
                return true;
        }
        const auto& alternate = exchanges_[x]->options.alternate_exchange;
        if (matched || !alternate)
            return false;
        const std::size_t other = find_exchange(*alternate, constant_hash(*alternate));
        return other != none && routes(other, key, visited);
    }

    std::array<const exchange_entry*, exchange_room> exchanges_{};
    std::array<const queue_entry*, Queues + 1> queues_{};
    std::array<const binding_entry*, Bindings + 1> bindings_{};
    std::array<std::uint16_t, Bindings + 1> sources_{}, destinations_{}, order_{};
    std::array<std::uint16_t, exchange_room + 1> first_{};
    std::size_t exchange_count_ = 0, queue_count_ = 0, binding_count_ = 0;
    hash_slots<exchange_room> exchange_names_;
    hash_slots<Queues> queue_names_;
    hash_slots<Bindings> known_bindings_;
    topology_rule broken_ = topology_rule::none;
    std::size_t offender_ = 0;
};

} // namespace leveret::topology_detail
