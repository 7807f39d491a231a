#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/payload.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/core/table.hpp"
#include "leveret/routing/key.hpp"
#include "leveret/topology/plan.hpp"
#include "leveret/topology/topology.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

/// \file
/// Publishing to an exchange of a topology. With a key that is known when compiling, a message that could reach no queue
/// does not compile. Without, the exchange's type decides what is told beside the message:
///
///     co_await lv::publish<desk, stocks, "usd.nyse">(channel, quote);            // any type of exchange
///     co_await lv::publish<desk, news>(channel, body);                           // fanout: nothing
///     co_await lv::publish<desk, jobs>(channel, name_of_job, body);              // direct: a key of a binding
///     co_await lv::publish<desk, stocks>(channel, lv::key{"usd", market}, body); // topic: words
///     co_await lv::publish<desk, documents>(channel, headers, body);             // headers: a table of them
///
/// `publish_confirmed` does the same as the channel's, which waits for the broker's answer.

namespace leveret {

namespace topology_detail {

template <a_topology T, class Exchange>
inline constexpr std::size_t index_of =
    plan_of<T>.find_exchange(Exchange::entry.name, Exchange::entry.hash);

/// Why a message can't be published to the exchange, whatever its key.
template <a_topology T, class Exchange>
[[nodiscard]] consteval topology_rule rule_broken_by_publishing() noexcept
{
    const exchange_entry& e = Exchange::entry;
    if (e.options.internal)
        return topology_rule::publish_to_internal_exchange;
    const std::size_t x = index_of<T, Exchange>;
    if (x == plan_of<T>.none)
        return e.is_predeclared ? topology_rule::none : topology_rule::publish_to_unknown_exchange;
    return same_exchange(e, *view_of<T>().exchanges[x])
               ? topology_rule::none
               : topology_rule::publish_to_unknown_exchange;
}
template <a_topology T, class Exchange>
inline constexpr topology_rule publishing_rule = rule_broken_by_publishing<T, Exchange>();

/// Whether a message may reach a queue of the topology, or need not.
template <a_topology T, class Exchange>
[[nodiscard]] constexpr bool is_routed(std::string_view key) noexcept
{
    if (Exchange::entry.unbound_ok)
        return true;
    if (Exchange::entry.name.empty())
        return plan_of<T>.find_queue(key, constant_hash(key)) != plan_of<T>.none;
    constexpr std::size_t x = index_of<T, Exchange>;
    return x != plan_of<T>.none && plan_of<T>.routes(x, key);
}

template <a_topology T, class Exchange, fixed_string Key>
[[nodiscard]] consteval topology_rule rule_broken_by_key() noexcept
{
    if (publishing_rule<T, Exchange> != topology_rule::none)
        return publishing_rule<T, Exchange>;
    if (Key.size() > longest_name)
        return topology_rule::publish_key_too_long;
    return is_routed<T, Exchange>(Key.view()) ? topology_rule::none
                                              : topology_rule::publish_is_unbound;
}

/// What `check` names as the offender.
template <class Exchange, fixed_string Key>
struct publish_to;

/// Holds if the constant key can be published to the exchange.
template <a_topology T, class Exchange, fixed_string Key>
[[nodiscard]] consteval bool key_holds() noexcept
{
    if constexpr (constexpr topology_rule broken = rule_broken_by_key<T, Exchange, Key>();
                  broken != topology_rule::none)
        return check<broken, publish_to<Exchange, Key>>::holds;
    return true;
}
/// Fanout and headers route without a key: nothing bound, nothing routed.
template <a_topology T, class Exchange>
[[nodiscard]] consteval bool needs_some_binding() noexcept
{
    constexpr exchange_kind kind = Exchange::entry.kind;
    const bool is_keyless = kind == exchange_kind::fanout || kind == exchange_kind::headers;
    return is_keyless && !is_routed<T, Exchange>(std::string_view());
}
/// Holds if something can be published to the exchange.
template <a_topology T, class Exchange>
[[nodiscard]] consteval bool exchange_holds() noexcept
{
    if constexpr (publishing_rule<T, Exchange> != topology_rule::none)
        return check<publishing_rule<T, Exchange>, Exchange>::holds;
    else if constexpr (needs_some_binding<T, Exchange>())
        return check<topology_rule::publish_is_unbound, Exchange>::holds;
    return true;
}

/// A message's body (a `payload` is shared, not copied), or a message.
template <class M>
concept publishable = std::same_as<M, message> || std::same_as<M, payload> || std::convertible_to<const M&, std::string_view> ||
                      std::convertible_to<const M&, std::span<const std::byte>>;

/// What the channel's publish takes.
template <class M>
[[nodiscard]] decltype(auto) as_published(const M& m)
{
    if constexpr (std::same_as<M, payload>)
        return message(m);
    else
        return (m);
}

[[nodiscard]] inline message with_headers(const message& m, const table& headers)
{
    message result = m;
    for (const auto& [name, value] : headers)
        result.header(name, value);
    return result;
}
template <class Body>
[[nodiscard]] message with_headers(const Body& body, const table& headers)
{
    message result(body);
    result.headers(headers);
    return result;
}

/// The routing key of what is told beside a message that is published to this type of exchange.
template <a_topology T, class Exchange, class Route>
[[nodiscard]] std::string_view routing_key_of(const Route& route)
{
    constexpr exchange_kind kind = Exchange::entry.kind;
    static_assert(kind != exchange_kind::fanout,
                  "leveret: publish: a fanout exchange takes no key");
    if constexpr (kind == exchange_kind::headers) {
        static_assert(std::same_as<Route, table>,
                      "leveret: publish: a headers exchange takes a table of headers");
        return {};
    } else if constexpr (kind == exchange_kind::topic) {
        static_assert(std::same_as<Route, key>,
                      "leveret: publish: a topic exchange takes words: lv::key{...}");
        return route.view();
    } else {
        static_assert(std::convertible_to<const Route&, std::string_view>,
                      "leveret: publish: this type of exchange takes a key");
        const std::string_view text = route;
        if (!is_routed<T, Exchange>(text))
            throw_invalid_argument("publish: no binding of the topology routes the key '" +
                                   escaped(text) + "' from the exchange '" +
                                   escaped(Exchange::name) + "'");
        return text;
    }
}

template <a_topology T, class Exchange>
[[nodiscard]] constexpr bool needs_no_key() noexcept
{
    static_assert(Exchange::entry.kind == exchange_kind::fanout,
                  "leveret: publish: only a fanout exchange does without a key, words or headers");
    return exchange_holds<T, Exchange>();
}

} // namespace topology_detail

/// Publishes with a key that is known when compiling. Does not compile unless a binding of the topology, or a chain of
/// bindings by way of other exchanges, or an alternate exchange, brings the key from the exchange to a queue, or the
/// exchange says `unbound_ok`. Headers, and types of exchange that don't say what they match, are taken to match.
/// Otherwise, and in what it throws, as the channel's publish.
template <a_topology T, class Exchange, fixed_string Key, channel Channel,
          topology_detail::publishable M>
[[nodiscard]] asio::awaitable<void> publish(Channel& c, const M& m, publish_options o = {})
{
    static_assert(topology_detail::key_holds<T, Exchange, Key>());
    return c.publish(Exchange::name, Key.view(), topology_detail::as_published(m), o);
}
template <a_topology T, class Exchange, fixed_string Key, channel Channel,
          topology_detail::publishable M>
[[nodiscard]] asio::awaitable<publish_result> publish_confirmed(Channel& c, const M& m,
                                                                confirmed_publish_options o = {})
{
    static_assert(topology_detail::key_holds<T, Exchange, Key>());
    return c.publish_confirmed(Exchange::name, Key.view(), topology_detail::as_published(m), o);
}

/// Publishes to a fanout exchange, whose key means nothing and is empty. Does not compile unless something is bound.
template <a_topology T, class Exchange, channel Channel, topology_detail::publishable M>
[[nodiscard]] asio::awaitable<void> publish(Channel& c, const M& m, publish_options o = {})
{
    static_assert(topology_detail::needs_no_key<T, Exchange>());
    return c.publish(Exchange::name, std::string_view(), topology_detail::as_published(m), o);
}
template <a_topology T, class Exchange, channel Channel, topology_detail::publishable M>
[[nodiscard]] asio::awaitable<publish_result> publish_confirmed(Channel& c, const M& m,
                                                                confirmed_publish_options o = {})
{
    static_assert(topology_detail::needs_no_key<T, Exchange>());
    return c.publish_confirmed(Exchange::name, std::string_view(), topology_detail::as_published(m), o);
}

/// Publishes with what is known when the program runs. `route` is for a direct exchange, and those of other
/// policies, the key: throws usage_error, at once, if no binding of the topology routes it and the exchange does
/// not say `unbound_ok` (which looks at each binding of the exchange). For a topic exchange it is an `lv::key`; that no
/// binding may match it is in the nature of subscriptions, and `mandatory` finds it out. For a headers exchange it is a
/// table, which is added to the message's headers; the key is empty.
template <a_topology T, class Exchange, channel Channel, class Route,
          topology_detail::publishable M>
[[nodiscard]] asio::awaitable<void> publish(Channel& c, const Route& route, const M& m,
                                            publish_options o = {})
{
    static_assert(topology_detail::exchange_holds<T, Exchange>());
    const std::string_view key = topology_detail::routing_key_of<T, Exchange>(route);
    if constexpr (std::same_as<Route, table>)
        return c.publish(Exchange::name, key, topology_detail::with_headers(m, route), o);
    else
        return c.publish(Exchange::name, key, topology_detail::as_published(m), o);
}
template <a_topology T, class Exchange, channel Channel, class Route,
          topology_detail::publishable M>
[[nodiscard]] asio::awaitable<publish_result>
publish_confirmed(Channel& c, const Route& route, const M& m, confirmed_publish_options o = {})
{
    static_assert(topology_detail::exchange_holds<T, Exchange>());
    const std::string_view key = topology_detail::routing_key_of<T, Exchange>(route);
    if constexpr (std::same_as<Route, table>)
        return c.publish_confirmed(Exchange::name, key, topology_detail::with_headers(m, route), o);
    else
        return c.publish_confirmed(Exchange::name, key, topology_detail::as_published(m), o);
}

} // namespace leveret
