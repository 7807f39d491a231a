#pragma once

#include "leveret/core/fixed_string.hpp"
#include "leveret/topology/entry.hpp"
#include "leveret/topology/options.hpp"

#include <string_view>

namespace leveret {

namespace topology_detail {

template <class... Options>
[[nodiscard]] constexpr queue_entry make_queue(std::string_view name) noexcept
{
    queue_entry q;
    q.name = name;
    q.hash = constant_hash(name);
    (apply_option<Options>(q, topology_rule::not_a_queue_option), ...);
    q.arguments = list_arguments<Options...>();
    return q;
}

} // namespace topology_detail

/// A queue of a topology: its name, and options such as `durable` or `message_ttl<60'000>`.
///
///     using tasks = lv::queue<"tasks", lv::durable, lv::dead_letter_exchange<"failed">>;
///     auto stream = co_await channel.consume(tasks::name);
template <fixed_string Name, class... Options>
struct queue {
    static constexpr std::string_view name = Name.view();
    static constexpr topology_detail::queue_entry entry =
        topology_detail::make_queue<Options...>(Name.view());
};

} // namespace leveret
