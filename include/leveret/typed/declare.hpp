#pragma once

#include "leveret/core/options.hpp"
#include "leveret/core/queue_info.hpp"
#include "leveret/core/table.hpp"
#include "leveret/topology/plan.hpp"
#include "leveret/topology/topology.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <utility>

namespace leveret {

namespace topology_detail {

/// The declarations of a topology, one by one: exchanges, queues, bindings. What the broker has already is none.
class declarations {
public:
    explicit declarations(const topology_view& t) noexcept : topology_(t)
    {
        for (const exchange_entry* e : t.exchanges)
            exchanges_ += e->is_predeclared ? 0U : 1U;
    }
    [[nodiscard]] std::size_t size() const noexcept
    {
        return exchanges_ + topology_.queues.size() + topology_.bindings.size();
    }
    /// Declares the next one.
    template <channel Channel>
    [[nodiscard]] asio::awaitable<void> next(Channel& c, bool no_wait, duration timeout)
    {
        if (next_exchange_ < topology_.exchanges.size()) {
            const exchange_entry& e = *topology_.exchanges[next_exchange_++];
            if (!e.is_predeclared)
                return declare(c, e, no_wait, timeout);
            return next(c, no_wait, timeout);
        }
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
    std::size_t exchanges_ = 0, next_exchange_ = 0, next_queue_ = 0, next_binding_ = 0;
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

/// Declares a topology: exchanges, then queues, then bindings, in one pipeline without waiting in between. What is there
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
