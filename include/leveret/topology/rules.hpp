#pragma once

#include "leveret/routing/topic_algebra.hpp"
#include "leveret/topology/entry.hpp"
#include "leveret/topology/exchange.hpp"
#include "leveret/topology/rule.hpp"

#include <cstddef>
#include <string_view>

/// \file
/// Which rule a part of a topology breaks by itself. Rules of RabbitMQ are those of 3.10, which answers them with 403
/// or 406; some that it takes are refused, since they can't do what they say.

namespace leveret::topology_detail {

/// The longest name or key of AMQP 0-9-1, a short string.
inline constexpr std::size_t longest_name = 255;

[[nodiscard]] constexpr topology_rule rule_broken_by_name(std::string_view name) noexcept
{
    if (name.empty())
        return topology_rule::empty_name;
    if (name.size() > longest_name)
        return topology_rule::name_too_long;
    return name.starts_with("amq.") ? topology_rule::reserved_name : topology_rule::none;
}

[[nodiscard]] constexpr topology_rule rule_broken_by(argument_entries arguments) noexcept
{
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i].name.empty() || arguments[i].name.size() > longest_name)
            return topology_rule::argument_name_too_long;
        for (std::size_t j = 0; j < i; ++j)
            if (arguments[i].name == arguments[j].name)
                return topology_rule::argument_twice;
    }
    return topology_rule::none;
}

/// Arguments of queues that have options of their own, whose checks are not to be gone around.
struct named_argument {
    std::string_view name;
    topology_rule rule;
};
inline constexpr named_argument named_arguments[] = {
    {"x-message-ttl", topology_rule::argument_message_ttl},
    {"x-expires", topology_rule::argument_expires},
    {"x-max-length", topology_rule::argument_max_length},
    {"x-max-length-bytes", topology_rule::argument_max_length_bytes},
    {"x-overflow", topology_rule::argument_overflow},
    {"x-dead-letter-exchange", topology_rule::argument_dead_letter_exchange},
    {"x-dead-letter-routing-key", topology_rule::argument_dead_letter_routing_key},
    {"x-max-priority", topology_rule::argument_max_priority},
    {"x-single-active-consumer", topology_rule::argument_single_active_consumer},
    {"x-queue-type", topology_rule::argument_queue_type},
    {"x-delivery-limit", topology_rule::argument_delivery_limit},
};

[[nodiscard]] constexpr topology_rule rule_broken_by_queue_arguments(argument_entries arguments) noexcept
{
    for (const argument_entry& a : arguments)
        for (const named_argument& n : named_arguments)
            if (a.name == n.name)
                return n.rule;
    return rule_broken_by(arguments);
}
[[nodiscard]] constexpr topology_rule rule_broken_by_exchange_arguments(argument_entries arguments) noexcept
{
    for (const argument_entry& a : arguments)
        if (a.name == "alternate-exchange")
            return topology_rule::argument_alternate_exchange;
    return rule_broken_by(arguments);
}

[[nodiscard]] constexpr topology_rule rule_broken_by(const exchange_entry& e) noexcept
{
    if (e.broken != topology_rule::none)
        return e.broken;
    if (e.is_predeclared && !e.name.empty()) {
        const bool is_itself = e.kind == predeclared_kind(e.name) && !e.options.auto_delete &&
                               e.options.durable && !e.options.internal &&
                               !e.options.alternate_exchange && e.arguments.empty();
        return is_itself ? topology_rule::none : topology_rule::predeclared_exchange;
    }
    if (const topology_rule rule = rule_broken_by_name(e.name); rule != topology_rule::none)
        return rule;
    if (e.options.alternate_exchange && *e.options.alternate_exchange == e.name)
        return topology_rule::own_alternate_exchange;
    return rule_broken_by_exchange_arguments(e.arguments);
}

/// Of queue types, as RabbitMQ refuses them; but it takes reject-publish-dlx for a quorum queue, which does not
/// know it.
[[nodiscard]] constexpr topology_rule rule_broken_by_type(const queue_options& o) noexcept
{
    if (o.type != queue_type::quorum)
        return o.delivery_limit ? topology_rule::delivery_limit_without_quorum
                                : topology_rule::none;
    if (o.exclusive)
        return topology_rule::quorum_exclusive;
    if (o.auto_delete)
        return topology_rule::quorum_auto_delete;
    if (!o.durable)
        return topology_rule::quorum_not_durable;
    if (o.max_priority != 0)
        return topology_rule::quorum_priority;
    return o.overflow == overflow::reject_publish_dlx ? topology_rule::quorum_reject_publish_dlx
                                                      : topology_rule::none;
}

[[nodiscard]] constexpr topology_rule rule_broken_by(const queue_entry& q) noexcept
{
    if (q.broken != topology_rule::none)
        return q.broken;
    if (const topology_rule rule = rule_broken_by_name(q.name); rule != topology_rule::none)
        return rule;
    if (const topology_rule rule = rule_broken_by_type(q.options); rule != topology_rule::none)
        return rule;
    if (!q.options.dead_letter_exchange) {
        if (q.options.dead_letter_routing_key)
            return topology_rule::dead_letter_key_without_exchange;
        if (q.options.overflow == overflow::reject_publish_dlx)
            return topology_rule::reject_publish_dlx_without_exchange;
    }
    return rule_broken_by_queue_arguments(q.arguments);
}

[[nodiscard]] constexpr topology_rule rule_broken_by_pattern(std::string_view pattern) noexcept
{
    if (pattern.empty())
        return topology_rule::no_pattern_for_topic;
    switch (find_pattern_fault(pattern)) {
    case pattern_fault::none: return topology_rule::none;
    case pattern_fault::too_long: return topology_rule::key_too_long;
    case pattern_fault::empty_word: return topology_rule::pattern_with_empty_word;
    case pattern_fault::star_inside_word: return topology_rule::pattern_with_star_inside_word;
    case pattern_fault::hash_inside_word: return topology_rule::pattern_with_hash_inside_word;
    }
    return topology_rule::none;
}

[[nodiscard]] constexpr topology_rule rule_broken_by_key(const exchange_entry& source,
                                                         std::string_view key) noexcept
{
    if (key.size() > longest_name)
        return topology_rule::key_too_long;
    switch (source.kind) {
    case exchange_kind::direct:
        if (key.empty())
            return topology_rule::no_key_for_direct;
        for (routing::topic_words words(key); !words.at_end(); words.advance())
            if (words.word() == "*" || words.word() == "#")
                return topology_rule::wildcard_for_direct;
        return topology_rule::none;
    case exchange_kind::fanout:
        return key.empty() ? topology_rule::none : topology_rule::key_for_fanout;
    case exchange_kind::topic: return rule_broken_by_pattern(key);
    case exchange_kind::headers:
        return key.empty() ? topology_rule::none : topology_rule::key_for_headers;
    case exchange_kind::other: break;
    }
    return source.key_error(key).empty() ? topology_rule::none : topology_rule::refused_key;
}

/// Headers exchanges want headers and a good x-match, others don't look at them. A plugin's may want anything.
[[nodiscard]] constexpr topology_rule rule_broken_by_headers(exchange_kind kind,
                                                             argument_entries headers) noexcept
{
    if (kind == exchange_kind::other)
        return topology_rule::none;
    if (kind != exchange_kind::headers)
        return headers.empty() ? topology_rule::none : topology_rule::headers_elsewhere;
    std::size_t wanted = 0;
    for (const argument_entry& h : headers) {
        if (h.name != "x-match")
            ++wanted;
        else if (h.kind != constant_kind::text ||
                 (h.text != "all" && h.text != "any" && h.text != "all-with-x" &&
                  h.text != "any-with-x"))
            return topology_rule::x_match;
    }
    return wanted == 0 ? topology_rule::no_headers : topology_rule::none;
}

[[nodiscard]] constexpr topology_rule rule_broken_by(const binding_entry& b) noexcept
{
    if (const topology_rule rule = rule_broken_by_key(*b.source, b.key);
        rule != topology_rule::none)
        return rule;
    if (const topology_rule rule = rule_broken_by_headers(b.source->kind, b.arguments);
        rule != topology_rule::none)
        return rule;
    return rule_broken_by(b.arguments);
}

/// Whether a message with this key, and some headers, matches a binding with that one.
[[nodiscard]] constexpr bool may_match(const exchange_entry& source, std::string_view binding_key,
                                       std::string_view key) noexcept
{
    switch (source.kind) {
    case exchange_kind::direct: return binding_key == key;
    case exchange_kind::topic: return topic_matches(binding_key, key);
    case exchange_kind::fanout:
    case exchange_kind::headers: return true;
    case exchange_kind::other: break;
    }
    return source.matches(binding_key, key);
}

} // namespace leveret::topology_detail
