#pragma once

#include "leveret/core/fixed_string.hpp"
#include "leveret/topology/entry.hpp"
#include "leveret/topology/options.hpp"

#include <cstdint>
#include <string_view>

namespace leveret {

/// A header to match, of a binding of a headers exchange: `header<"format", "pdf">`, and `header<"format">` if it
/// only must be there.
template <fixed_string Name, constant_value Value = any_value>
using header = argument<Name, Value>;

// How many of the headers must match (x-match): all unless it is said. The last two look at headers whose name
// begins with "x-", too.
using match_all = argument<"x-match", "all">;
using match_any = argument<"x-match", "any">;
using match_all_with_x = argument<"x-match", "all-with-x">;
using match_any_with_x = argument<"x-match", "any-with-x">;

namespace topology_detail {

template <class Source, class... Arguments>
[[nodiscard]] constexpr binding_entry make_binding(std::string_view destination,
                                                   std::string_view key) noexcept
{
    static_assert(
        (true && ... && is_argument<Arguments>),
        "leveret: a binding's arguments are header<...>, match_any and the like, or argument<...>");
    binding_entry b;
    b.destination = destination;
    b.key = key;
    b.source = &Source::entry;
    b.arguments = list_arguments<Arguments...>();
    b.destination_hash = constant_hash(destination);
    b.hash = constant_hash(key, b.destination_hash ^ (b.source->hash * 31U));
    return b;
}
[[nodiscard]] constexpr binding_entry with_queue(binding_entry b, const queue_entry& q) noexcept
{
    b.to_queue = &q;
    b.has_queue_type = true;
    return b;
}
[[nodiscard]] constexpr binding_entry with_exchange(binding_entry b,
                                                    const exchange_entry& e) noexcept
{
    b.to_exchange = &e;
    b.leads_to_exchange = true;
    b.hash ^= 1U;
    return b;
}

} // namespace topology_detail

/// A queue, by its name, gets of an exchange what matches a key (direct), a pattern (topic) or headers.
///
///     lv::bound<"nyse-desk", stocks, "*.nyse">
///     lv::bound<"everything", news>                                          // a fanout exchange has no keys
///     lv::bound<"reports", documents, "", lv::header<"format", "pdf">>       // see bound_headers
template <fixed_string Queue, class Exchange, fixed_string Key = "", class... Arguments>
struct bound {
    static constexpr topology_detail::binding_entry entry =
        topology_detail::make_binding<Exchange, Arguments...>(Queue.view(), Key.view());
};

/// The same with the queue's type: `bound_queue<tasks, stocks, "*.nyse">`.
template <class Queue, class Exchange, fixed_string Key = "", class... Arguments>
struct bound_queue {
    static constexpr topology_detail::binding_entry entry = topology_detail::with_queue(
        topology_detail::make_binding<Exchange, Arguments...>(Queue::name, Key.view()),
        Queue::entry);
};

/// An exchange gets of another one what matches (RabbitMQ extension): `bound_exchange<archive, stocks, "#">`.
template <class Destination, class Source, fixed_string Key = "", class... Arguments>
struct bound_exchange {
    static constexpr topology_detail::binding_entry entry = topology_detail::with_exchange(
        topology_detail::make_binding<Source, Arguments...>(Destination::name, Key.view()),
        Destination::entry);
};

/// A queue, by its name, gets of a headers exchange what has all of these headers, or, with `match_any`, one of
/// them: `bound_headers<"reports", documents, lv::header<"format", "pdf">, lv::header<"signed", true>>`.
template <fixed_string Queue, class Exchange, class... Arguments>
using bound_headers = bound<Queue, Exchange, "", Arguments...>;

} // namespace leveret
