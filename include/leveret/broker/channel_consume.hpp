// The way of messages to consumers and what becomes of them: a part of channel.hpp.
#pragma once

#include "leveret/broker/channel.hpp"

namespace leveret::broker {

inline channel::~channel()
{
    if (!is_ended_) {
        const operation scope(core_);
        end();
    }
}

/// Everything returns to the queues before any of them gives it to somebody else.
inline void channel::end()
{
    is_ended_ = true;
    paused_ = true; // takes nothing of what returns
    drop_transaction();
    tx_settlements_.clear();
    end_replies();
    const settling scope(*this);
    for (std::size_t i = unacked_.slots(); i-- > 0;)
        if (unacked_[i].from != nullptr)
            finish(i, settlement::requeue);
    unacked_.trim();
    for (consumer* c : to_wake_)
        c->to_wake_ = false;
    to_wake_.clear();
    for (queue* q : touched_)
        q->put_back_expired(); // before a successor could have it
    while (!in_order_.empty())
        end(*in_order_.back());
    after_settling(false);
    session_.channels_.erase(this);
}

inline status channel::set_prefetch(std::uint32_t prefetch_size, std::uint16_t prefetch,
                                    bool global)
{
    const operation scope(core_);
    if (prefetch_size != 0)
        return detail::failure(reply_code::not_implemented,
                               "prefetch_size!=0 (" + std::to_string(prefetch_size) + ")");
    if (!global) {
        prefetch_ = prefetch;
        if (limit_ != 0) { // RabbitMQ forgets the limit of the whole channel
            limit_ = 0;
            wake_all();
        }
        return {};
    }
    limit_ = prefetch;
    wake_all();
    return {};
}

inline result<consumer*> channel::consume(const consumption& c)
{
    const operation scope(core_);
    if (!c.tag.empty() && lookup(c.tag) != nullptr)
        return detail::failure(reply_code::not_allowed,
                               "attempt to reuse consumer tag " + detail::in_quotes(c.tag));
    if (c.tag.size() > state_.limits().name_bytes)
        return detail::precondition_failed("consumer tag is longer than " +
                                           std::to_string(state_.limits().name_bytes) + " bytes");
    if (consumers_.size() >= state_.limits().consumers)
        return detail::failure(reply_code::not_allowed,
                               "reached maximum (" + std::to_string(state_.limits().consumers) +
                                   ") of consumers per channel");
    if (c.queue == reply_to_name) {
        consumer* made = nullptr;
        if (status s = consume_replies(c, made); !s)
            return s;
        return made;
    }
    const result<std::string_view> name = named(c.queue);
    if (!name)
        return name.error();
    const result<queue*> found = host_.usable_queue(*name, session_);
    if (!found)
        return found.error();
    queue& q = **found;
    const field_value* priority = detail::given(c.arguments).find("x-priority");
    if (priority != nullptr && !detail::is_integer(priority->type()))
        return detail::precondition_failed(
            "invalid arg 'x-priority' for " + host_.text_of("queue", *name) +
            ": \"expected integer, got " + std::string(detail::type_name(priority->type())) + "\"");
    if (q.settings().quorum && limit_ != 0 && !c.no_ack)
        return detail::failure(reply_code::not_implemented,
                               host_.text_of("queue", *name) + " does not support global qos");
    if (q.is_consumed_exclusively() ||
        (c.exclusive && (q.consumer_count() > 0 || q.settings().single_active_consumer)))
        return detail::failure(reply_code::access_refused,
                               host_.text_of("queue", *name) + " in exclusive use");
    consumer* made =
        make_consumer(c.tag.empty() ? state_.unique_name("amq.ctag") : std::string(c.tag), c);
    made->queue_ = &q;
    made->prefetch_ = prefetch_;
    if (priority != nullptr) {
        const std::int64_t wanted = priority->integer();
        const std::int64_t most = 0x7fffffff;
        made->priority_ = static_cast<std::int32_t>(wanted > most    ? most
                                                    : wanted < -most ? -most
                                                                     : wanted);
    }
    add(*made);
    state_.timers.disarm(q.lease_timer_);
    listener_->consuming(*made);
    q.add(*made);
    return made;
}

inline status channel::consume_replies(const consumption& c, consumer*& made)
{
    if (!c.no_ack)
        return detail::precondition_failed("reply consumer cannot acknowledge");
    if (replies_.to != nullptr)
        return detail::precondition_failed("reply consumer already set");
    made = make_consumer(c.tag.empty() ? state_.unique_name("amq.ctag") : std::string(c.tag), c);
    add(*made);
    replies_.key = state_.unique_name(std::string(reply_to_name) + ".g");
    replies_.hash = state_.hash_of(replies_.key);
    replies_.window = this;
    replies_.to = made;
    host_.replies_.insert(replies_.hash, &replies_);
    listener_->consuming(*made);
    return {};
}

inline void channel::end_replies() noexcept
{
    if (replies_.to == nullptr)
        return;
    host_.replies_.erase(replies_.hash, &replies_);
    replies_.to = nullptr;
}

inline consumer* channel::make_consumer(std::string tag, const consumption& c) const
{
    auto* made = new consumer;
    made->tag_ = std::move(tag);
    made->tag_hash_ = state_.hash_of(made->tag_);
    made->context_ = c.context;
    made->no_ack_ = c.no_ack;
    made->exclusive_ = c.exclusive;
    return made;
}

inline void channel::add(consumer& c)
{
    c.channel_ = this;
    try {
        in_order_.reserve(in_order_.size() + 1);
        consumers_.insert(c.tag_hash_, &c);
    } catch (...) {
        delete &c;
        throw;
    }
    in_order_.push_back(&c);
}

/// Out of the channel; the object stays as long as deliveries name it.
inline void channel::forget(consumer& c) noexcept
{
    consumers_.erase(c.tag_hash_, &c);
    in_order_.erase(&c);
    c.ended_ = true;
    if (c.unacknowledged_ == 0)
        delete &c;
}

inline void channel::queue_is_gone(consumer& c) noexcept
{
    listener_->consumer_cancelled(c);
    forget(c);
}

inline void channel::cancel(std::string_view tag)
{
    const operation scope(core_);
    if (consumer* c = lookup(tag))
        end(*c);
}

inline void channel::end(consumer& c)
{
    queue* q = c.queue_;
    if (q == nullptr) {
        end_replies();
        forget(c);
        return;
    }
    q->remove(c);
    forget(c);
    if (q->auto_delete_ && q->consumer_count() == 0) {
        host_.remove(*q);
    } else {
        q->arm_lease();
        q->wake_active();
    }
}

inline result<std::optional<got_message>> channel::get(std::string_view queue_name, bool no_ack)
{
    const operation scope(core_);
    const result<std::string_view> name = named(queue_name);
    if (!name)
        return name.error();
    const result<queue*> found = host_.usable_queue(*name, session_);
    if (!found)
        return found.error();
    queue& q = **found;
    if (q.settings().quorum && q.settings().single_active_consumer)
        return detail::failure(reply_code::resource_locked,
                               "cannot obtain access to locked " + host_.text_of("queue", *name) +
                                   ". basic.get operations are not supported by quorum queues with "
                                   "single active consumer");
    if (!no_ack) {
        if (unacked_.size() >= max_unacknowledged_)
            return detail::precondition_failed("the channel has " + std::to_string(max_unacknowledged_) +
                                               " unacknowledged deliveries; acknowledge some first");
        unacked_.reserve_one();
    }
    queue_entry e;
    if (!q.take(e))
        return std::optional<got_message>();
    message_ptr seen;
    try {
        seen = q.seen(e);
    } catch (...) { // no memory for it: it stays
        q.put_back(e);
        q.put_back_done();
        throw;
    }
    got_message got{std::move(seen), ++last_tag_, e.redelivered, q.message_count()};
    if (no_ack) {
        q.let_go(e);
    } else {
        q.count_unacknowledged();
        unacked_.push({last_tag_, e, &q, nullptr});
    }
    return std::optional<got_message>(std::move(got));
}

inline status channel::settle(std::uint64_t tag, bool multiple, settlement how)
{
    const operation scope(core_);
    std::size_t first = 0;
    std::size_t end = unacked_.slots();
    if (tag != 0 || !multiple) {
        const std::size_t i = unacked_.find(tag);
        if (i == end || unacked_[i].entry.mark != 0)
            return detail::precondition_failed("unknown delivery tag " + std::to_string(tag));
        first = multiple ? 0 : i;
        end = i + 1;
    }
    if (!transactional_) {
        apply(first, end, how);
        return {};
    }
    for (std::size_t i = first; i < end; ++i) {
        if (unacked_[i].from == nullptr || unacked_[i].entry.mark != 0)
            continue;
        tx_settlements_.push_back({unacked_[i].tag, how});
        unacked_[i].entry.mark = 1;
    }
    return {};
}

inline status channel::recover(bool requeue)
{
    const operation scope(core_);
    if (!requeue)
        return detail::failure(reply_code::not_implemented, "requeue=false");
    apply(0, unacked_.slots(), settlement::requeue);
    return {};
}

inline void channel::resume()
{
    const operation scope(core_);
    paused_ = false;
    late_replies_ = 0;
    late_reply_bytes_ = 0;
    wake_all();
}

/// Settles the slots from `first` to before `end`, but for those that wait for tx.commit.
inline void channel::apply(std::size_t first, std::size_t end, settlement how)
{
    const settling scope(*this);
    const bool was_full = is_full();
    if (how == settlement::requeue) {
        // Backwards, so that each finds its place at the head of its queue.
        for (std::size_t i = end; i-- > first;)
            if (unacked_[i].from != nullptr && unacked_[i].entry.mark == 0)
                finish(i, how);
    } else {
        for (std::size_t i = first; i < end; ++i)
            if (unacked_[i].from != nullptr && unacked_[i].entry.mark == 0)
                finish(i, how);
    }
    unacked_.trim();
    after_settling(was_full);
}

/// Throws std::bad_alloc, and then nothing has changed.
inline void channel::finish(std::size_t i, settlement how)
{
    to_wake_.reserve_one();
    touched_.reserve_one();
    unacked_delivery d = unacked_.settle(i);
    d.entry.mark = 0;
    queue& q = *d.from;
    if (consumer* c = d.to) {
        --outstanding_;
        if (--c->unacknowledged_ == 0 && c->ended_) {
            delete c;
        } else if (!c->to_wake_ && !c->ended_) {
            c->to_wake_ = true;
            to_wake_.push_back(c);
        }
    }
    switch (how) {
    case settlement::ack: q.let_go(d.entry); break;
    case settlement::discard: q.bury(d.entry, death_reason::rejected); break;
    case settlement::requeue:
        if (!q.is_touched_) {
            touched_.push_back(&q);
            q.is_touched_ = true;
            q.pin();
        }
        q.put_back(d.entry);
        break;
    }
    q.uncount_unacknowledged();
}

/// Credit came free and messages came back: whoever can take some now gets some, and as in RabbitMQ those who
/// have credit again are in line before the messages go.
inline void channel::after_settling(bool was_full)
{
    if (!touched_.empty())
        for (consumer* c : to_wake_)
            c->queue_->join_line(*c);
    for (queue*& q : touched_) {
        q->put_back_done();
        queue* const done = std::exchange(q, nullptr);
        done->is_touched_ = false;
        done->unpin();
    }
    touched_.clear();
    const bool is_free_again = was_full && !is_full();
    for (consumer* c : to_wake_) {
        c->to_wake_ = false;
        if (!is_free_again)
            c->queue_->wake(*c);
    }
    to_wake_.clear();
    if (is_free_again)
        wake_all();
}

/// Those come first that had nothing for the longest time: with a channel's one credit, the consumer that
/// gave it back would take it for ever.
inline void channel::wake_all()
{
    for (std::size_t i = 1; i < in_order_.size(); ++i) // nearly sorted since the last time
        for (std::size_t j = i;
             j > 0 && in_order_[j]->last_served_ < in_order_[j - 1]->last_served_; --j)
            std::swap(in_order_[j], in_order_[j - 1]);
    for (consumer* c : in_order_)
        if (c->queue_ != nullptr)
            c->queue_->wake(*c);
}

} // namespace leveret::broker
