#pragma once

#include "leveret/topology/bound.hpp"
#include "leveret/topology/exchange.hpp"
#include "leveret/topology/plan.hpp"
#include "leveret/topology/queue.hpp"
#include "leveret/topology/rule.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>

namespace leveret {

namespace topology_detail {

struct part_counts {
    std::size_t exchanges = 0, queues = 0, bindings = 0;
};
[[nodiscard]] constexpr part_counts count(part_list parts) noexcept
{
    part_counts n;
    for (const part& p : parts) {
        n.exchanges += p.what == part::kind::exchange ? 1U : 0U;
        n.queues += p.what == part::kind::queue ? 1U : 0U;
        n.bindings += p.what == part::kind::binding ? 1U : 0U;
    }
    return n;
}

template <class... Parts>
struct assembled {
    static constexpr std::array<part, sizeof...(Parts)> parts{part(Parts::entry)...};
    static constexpr part_counts counts = count(parts);
    static constexpr plan<counts.exchanges, counts.queues, counts.bindings> result{parts};
};

template <topology_rule Broken, std::size_t Offender, class... Parts>
[[nodiscard]] consteval bool holds() noexcept
{
    if constexpr (Broken == topology_rule::none)
        return true;
    else
        return check<Broken, std::tuple_element_t<Offender, std::tuple<Parts...>>>::holds;
}

} // namespace topology_detail

/// The exchanges, queues and bindings that a program relies on, as a type. What is wrong with them does not compile
/// (topology_rule has the rules): the error says which rule, and the lines around it which part.
///
///     using stocks = lv::exchange<"stocks", lv::topic>;
///     struct desk : lv::topology<stocks, lv::queue<"nyse-desk">, lv::bound<"nyse-desk", stocks, "*.nyse">> {};
///
///     co_await lv::declare<desk>(channel);
///     co_await lv::publish<desk, stocks, "usd.nyse">(channel, quote);
///
/// An alias does as well as a struct; a struct of its own keeps the names that compilers print, and symbols,
/// short. The check is made when something of the topology is used, as by `static_assert(desk::is_checked)`. The
/// order of parts means nothing.
template <class... Parts>
struct topology {
    using parts = topology_detail::assembled<Parts...>;
    static_assert(
        topology_detail::holds<parts::result.broken(), parts::result.offender(), Parts...>());
    static constexpr bool is_checked = true;
};

namespace topology_detail {

template <class... Parts>
[[nodiscard]] auto parts_of(const topology<Parts...>*) -> typename topology<Parts...>::parts;

} // namespace topology_detail

/// A topology, or a class derived from one.
template <class T>
concept a_topology = requires(const T* t) { topology_detail::parts_of(t); };

namespace topology_detail {

/// The plan of a topology.
template <a_topology T>
inline constexpr const auto& plan_of = decltype(parts_of(static_cast<const T*>(nullptr)))::result;

template <a_topology T>
[[nodiscard]] constexpr topology_view view_of() noexcept
{
    return plan_of<T>.view();
}

} // namespace topology_detail

} // namespace leveret
