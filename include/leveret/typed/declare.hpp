#pragma once

#include "leveret/core/options.hpp"
#include "leveret/core/queue_info.hpp"
#include "leveret/core/table.hpp"
#include "leveret/topology/plan.hpp"
#include "leveret/topology/topology.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace leveret {

namespace topology_detail {

/// The exchanges that are to be declared, each behind its alternate exchange, so that at no time there is one that
/// others publish to and whose alternate is not there. Of those in a circle the one that comes last is first.
[[nodiscard]] inline std::vector<const exchange_entry*> exchanges_in_order(const topology_view& t)
{
    std::vector<const exchange_entry*> result;
    const auto is_in = [](const auto& list, const exchange_entry* e) {
        return std::find(list.begin(), list.end(), e) != list.end();
    };
    std::vector<const exchange_entry*> chain; // an exchange, its alternate, the alternate's, ...
    for (const exchange_entry* e : t.exchanges) {
        chain.clear();
        while (e != nullptr && !e->is_predeclared && !is_in(result, e) && !is_in(chain, e)) {
            chain.push_back(e);
            const auto& name = e->options.alternate_exchange;
            const auto at = !name ? t.exchanges.end()
                                  : std::find_if(t.exchanges.begin(), t.exchanges.end(),
                                                 [&](const auto* x) { return x->name == *name; });
            e = at == t.exchanges.end() ? nullptr : *at;
        }
        result.insert(result.end(), chain.rbegin(), chain.rend());
    }
    return result;
}

/// The declarations of a topology, one by one: exchanges, queues, bindings. What the broker has already is none.
class declarations {
public:
    explicit declarations(const topology_view& t) : topology_(t), exchanges_(exchanges_in_order(t))
    {
    }
    [[nodiscard]] std::size_t size() const noexcept
    {
        return exchanges_.size() + topology_.queues.size() + topology_.bindings.size();
    }
    /// Declares the next one.
    template <channel Channel>
    [[nodiscard]] asio::awaitable<void> next(Channel& c, bool no_wait, duration timeout)
    {
        if (next_exchange_ < exchanges_.size())
            return declare(c, *exchanges_[next_exchange_++], no_wait, timeout);
        if (next_queue_ < topology_.queues.size())
            return declare(c, *topology_.queues[next_queue_++], no_wait, timeout);
        return declare(c, *topology_.bindings[next_binding_++], no_wait, timeout);
    }

    template <channel Channel>
    [[nodiscard]] static asio::awaitable<void> declare(Channel& c, const exchange_entry& e,
                                                       bool no_wait, duration timeout)
    {
        const table arguments = to_table(e.arguments);
        exchange_options o = e.options;
        o.no_wait = no_wait;
        o.timeout = timeout;
        if (!arguments.empty())
            o.arguments = arguments;
        return c.declare_exchange(e.name, e.type, o);
    }
    template <channel Channel>
    [[nodiscard]] static asio::awaitable<void> declare(Channel& c, const queue_entry& q,
                                                       bool no_wait, duration timeout)
    {
        const table arguments = to_table(q.arguments);
        queue_options o = q.options;
        o.no_wait = no_wait;
        o.timeout = timeout;
        if (!arguments.empty())
            o.arguments = arguments;
        return without_result(c.declare_queue(q.name, o));
    }
    template <channel Channel>
    [[nodiscard]] static asio::awaitable<void> declare(Channel& c, const binding_entry& b,
                                                       bool no_wait, duration timeout)
    {
        const table arguments = to_table(b.arguments);
        bind_options o;
        o.no_wait = no_wait;
        o.timeout = timeout;
        if (!arguments.empty())
            o.arguments = arguments;
        return b.leads_to_exchange ? c.bind_exchange(b.destination, b.source->name, b.key, o)
                                   : c.bind_queue(b.destination, b.source->name, b.key, o);
    }

private:
    [[nodiscard]] static asio::awaitable<void> without_result(asio::awaitable<queue_info> operation)
    {
        static_cast<void>(co_await std::move(operation));
    }

    topology_view topology_;
    std::vector<const exchange_entry*> exchanges_;
    std::size_t next_exchange_ = 0, next_queue_ = 0, next_binding_ = 0;
};

/// Nobody waits for any but the last answer: the broker answers in order, and what it has against one of them ends the
/// channel, which the last one, or one in between, then tells in the broker's words.
template <channel Channel>
asio::awaitable<void> declare_all(Channel c, topology_view t, duration timeout)
{
    declarations all(t);
    for (std::size_t i = all.size(); i > 0; --i)
        co_await all.next(c, i > 1, timeout);
}

} // namespace topology_detail

/// Declares a topology: exchanges (each behind its alternate exchange), then queues, then bindings, in one pipeline without waiting in between. What is there
/// already with the same properties is no error; predeclared exchanges are left alone.
///
/// Completes when the broker has done all of it. Throws channel_error for the first declaration that the broker
/// refuses; `diagnostics()` has its code and its words, which name the exchange or queue (406 PRECONDITION_FAILED -
/// inequivalent arg 'durable' for queue 'tasks' in vhost '/': ...), and the method. What came before it has been
/// declared, what comes behind it has not, and the channel is closed. Otherwise throws what `declare_queue` of the
/// channel does. Cancellation: only the waiting for the answer ends; what was sent is done.
template <a_topology T, channel Channel>
[[nodiscard]] asio::awaitable<void> declare(const Channel& c, call_options o = {})
{
    return topology_detail::declare_all(Channel(c), topology_detail::view_of<T>(), o.timeout);
}

} // namespace leveret
