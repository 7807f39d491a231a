// Topology and transactions: the part of channel.hpp that is not on a message's way.
#pragma once

#include "leveret/broker/channel.hpp"

#include <new>

namespace leveret::broker {

/// An empty queue name means the last one that was declared.
inline result<std::string_view> channel::named(std::string_view queue_name) const
{
    if (!queue_name.empty())
        return queue_name;
    if (last_declared_.empty())
        return detail::failure(reply_code::not_found, "no previously declared queue");
    return std::string_view(last_declared_);
}

inline result<queue_info> channel::declare_queue(const queue_declaration& d)
{
    const operation scope(core_);
    // All declarations of reply queues are passive: they exist by their consumers.
    if (d.name.starts_with(reply_to_name)) {
        if (d.name != reply_to_name && host_.lookup_reply(d.name) == nullptr)
            return host_.missing("queue", d.name);
        last_declared_ = d.name;
        return queue_info{std::string(d.name), 0, 1};
    }
    const result<queue*> q = host_.declare(d, session_);
    if (!q)
        return q.error();
    last_declared_ = (*q)->name();
    return queue_info{(*q)->name(), (*q)->message_count(), (*q)->consumer_count()};
}

inline status channel::declare_exchange(const exchange_declaration& d)
{
    const operation scope(core_);
    return host_.declare(d);
}

inline status channel::bind_queue(binding_declaration d)
{
    const operation scope(core_);
    const result<std::string_view> name = named(d.destination);
    if (!name)
        return name.error();
    if (d.destination.empty() && d.routing_key.empty())
        d.routing_key = *name; // Source: AMQP 0-9-1, queue.bind, routing-key
    d.destination = *name;
    return host_.bind(d, true, session_);
}

inline status channel::unbind_queue(binding_declaration d)
{
    const operation scope(core_);
    const result<std::string_view> name = named(d.destination);
    if (!name)
        return name.error();
    if (d.destination.empty() && d.routing_key.empty())
        d.routing_key = *name;
    d.destination = *name;
    return host_.unbind(d, true, session_);
}

inline status channel::bind_exchange(const binding_declaration& d)
{
    const operation scope(core_);
    return host_.bind(d, false, session_);
}

inline status channel::unbind_exchange(const binding_declaration& d)
{
    const operation scope(core_);
    return host_.unbind(d, false, session_);
}

inline result<std::size_t> channel::delete_queue(std::string_view queue_name, bool if_unused,
                                                 bool if_empty)
{
    const operation scope(core_);
    const result<std::string_view> name = named(queue_name);
    if (!name)
        return name.error();
    return host_.delete_queue(*name, if_unused, if_empty, session_);
}

inline status channel::delete_exchange(std::string_view exchange_name, bool if_unused)
{
    const operation scope(core_);
    return host_.delete_exchange(exchange_name, if_unused);
}

inline result<std::size_t> channel::purge(std::string_view queue_name)
{
    const operation scope(core_);
    const result<std::string_view> name = named(queue_name);
    if (!name)
        return name.error();
    const result<queue*> q = host_.usable_queue(*name, session_);
    if (!q)
        return q.error();
    return (*q)->purge();
}

inline status channel::select_confirms()
{
    if (transactional_)
        return detail::precondition_failed("cannot switch from tx to confirm mode");
    confirms_ = true;
    return {};
}

inline status channel::select_transactions()
{
    if (confirms_)
        return detail::precondition_failed("cannot switch from confirm to tx mode");
    transactional_ = true;
    return {};
}

/// Messages are routed when they are published, to names: RabbitMQ looks for the queues of these names now. The
/// default exchange routes to the name itself, be there such a queue or not.
inline bool channel::deliver_held_back(const pending_publish& p, std::size_t first)
{
    if (p.message->exchange().empty()) {
        const pod_vector<queue*>& queues = host_.route(*find_exchange({}), *p.message->route(), p.message->properties());
        return deliver_to(*p.message, queues.begin(), queues.size(), p.mandatory, p.ttl);
    }
    for (std::size_t i = first; i < first + p.count; ++i) {
        queue*& q = tx_queues_.begin()[i];
        queue* const again = q->removed_ ? host_.lookup_queue(q->name()) : nullptr;
        if (again == nullptr)
            continue;
        again->pin();
        std::exchange(q, again)->unpin();
    }
    return deliver_to(*p.message, tx_queues_.begin() + first, p.count, p.mandatory, p.ttl);
}

inline status channel::commit()
{
    const operation scope(core_);
    if (!transactional_)
        return detail::precondition_failed("channel is not transactional");
    bool all_taken = true;
    try {
        std::size_t first = 0;
        for (const pending_publish& p : tx_publishes_) {
            if (!deliver_held_back(p, first))
                all_taken = false;
            first += p.count;
        }
        to_wake_.reserve(to_wake_.size() + tx_settlements_.size()); // so that none of them is left out
        touched_.reserve(touched_.size() + tx_settlements_.size());
    } catch (const std::bad_alloc&) {
        forget_transaction(); // no second commit does the half of it again
        throw;
    }
    drop_transaction();
    const settling scope_of_these(*this);
    const bool was_full = is_full();
    // Backwards what returns, so that each finds its place at the head; forwards the rest.
    for (const pending_settlement& s : tx_settlements_)
        if (s.how != settlement::requeue)
            finish(unacked_.find(s.tag), s.how);
    for (std::size_t i = tx_settlements_.size(); i-- > 0;)
        if (tx_settlements_[i].how == settlement::requeue)
            finish(unacked_.find(tx_settlements_[i].tag), settlement::requeue);
    tx_settlements_.clear();
    unacked_.trim();
    after_settling(was_full);
    return all_taken ? status() : status(detail::precondition_failed("partial tx completion"));
}

inline status channel::rollback()
{
    const operation scope(core_);
    if (!transactional_)
        return detail::precondition_failed("channel is not transactional");
    forget_transaction();
    return {};
}

inline void channel::forget_transaction() noexcept
{
    drop_transaction();
    for (const pending_settlement& s : tx_settlements_)
        unacked_[unacked_.find(s.tag)].entry.mark = 0;
    tx_settlements_.clear();
}

inline void channel::drop_transaction() noexcept
{
    for (const pending_publish& p : tx_publishes_)
        state_.unhold(*p.message);
    tx_publishes_.clear();
    for (queue* q : tx_queues_)
        q->unpin();
    tx_queues_.clear();
}

} // namespace leveret::broker
