#pragma once

#include "leveret/broker/consumer.hpp"
#include "leveret/broker/delivery_window.hpp"
#include "leveret/broker/exchange.hpp"
#include "leveret/broker/message_line.hpp"
#include "leveret/broker/queue_settings.hpp"
#include "leveret/broker/state.hpp"
#include "leveret/core/assert.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/table.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leveret::broker {

class queue;
class virtual_host;

/// The exclusive queues of a session, which end with it.
class exclusive_queues {
public:
    exclusive_queues() noexcept = default;
    exclusive_queues(const exclusive_queues&) = delete;
    exclusive_queues& operator=(const exclusive_queues&) = delete;
    [[nodiscard]] queue* first() const noexcept { return first_; }
    void add(queue& q) noexcept;
    void remove(queue& q) noexcept;

private:
    queue* first_ = nullptr;
};

/// What queue.declare says of a queue.
struct queue_declaration {
    std::string_view name = {}; ///< empty: the broker makes one up
    bool passive = false;
    bool durable = false;
    bool exclusive = false;
    bool auto_delete = false;
    const table* arguments = nullptr; ///< null for none
};

/// A queue: messages that wait, and consumers that they go to. Never are there both at rest, a message and
/// a consumer that takes one.
class queue : public destination {
public:
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] bool is_durable() const noexcept { return durable_; }
    [[nodiscard]] bool is_auto_delete() const noexcept { return auto_delete_; }
    [[nodiscard]] bool is_exclusive() const noexcept { return owner_ != nullptr; }
    [[nodiscard]] const table& arguments() const noexcept { return arguments_; }
    [[nodiscard]] const queue_settings& settings() const noexcept { return settings_; }
    /// Messages that wait for a consumer; those that wait for an acknowledgement are not among them.
    [[nodiscard]] std::size_t message_count() const noexcept { return line_.size(); }
    [[nodiscard]] std::size_t message_bytes() const noexcept { return line_.bytes(); }
    [[nodiscard]] std::size_t consumer_count() const noexcept { return consumers_.size(); }
    /// Messages that were delivered and wait for their acknowledgement.
    [[nodiscard]] std::size_t unacknowledged_count() const noexcept { return unacknowledged_; }

private:
    friend class channel;
    friend class exclusive_queues;
    friend class virtual_host;
    friend class broker_core;

    queue(shared_state& state, virtual_host& home, const queue_declaration& d,
          std::string_view actual_name, queue_settings settings, exclusive_queues* owner)
        : destination(true), state_(state), home_(home), name_(actual_name),
          settings_(std::move(settings)), owner_(owner), durable_(d.durable && !d.exclusive),
          auto_delete_(d.auto_delete), line_(settings_.max_priority)
    {
        if (d.arguments != nullptr)
            arguments_ = *d.arguments;
    }
    ~queue() = default;

    // A pin keeps the object of a deleted queue: unacknowledged messages, dead letters, transactions.
    void pin() noexcept { ++pins_; }
    void unpin() noexcept
    {
        LEVERET_ASSERT(pins_ > 0);
        if (--pins_ == 0 && removed_)
            delete this;
    }

    // Messages in.

    /// Takes a message or refuses it (x-overflow, the broker's limits).
    [[nodiscard]] bool offer(stored_message& m, duration ttl)
    {
        if (is_full_for(m)) [[unlikely]]
            return refuse(m);
        queue_entry e;
        e.message = &m;
        e.sequence = ++last_sequence_;
        if (settings_.max_priority > 0)
            e.priority = priority_of(m);
        const duration life = ttl < settings_.message_ttl ? ttl : settings_.message_ttl;
        if (!life.is_never())
            e.expires = state_.now + life;
        if (line_.empty()) {
            if (consumer* c = next_consumer()) {
                deliver_at_once(*c, e);
                return true;
            }
        }
        line_.push(e);
        static_cast<void>(message_ptr(&m).detach());
        state_.hold(m);
        drop_what_is_over();
        if (e.expires != instant::never())
            watch(e.expires);
        return true;
    }
    /// Puts a message back to where it was. Without memory for that it is lost. `put_back_done` follows,
    /// after the last of several, which are put back last one first.
    void put_back(queue_entry e) noexcept
    {
        e.redelivered = true;
        ++e.returns;
        if (removed_) {
            let_go(e);
            return;
        }
        if (settings_.delivery_limit && e.returns > *settings_.delivery_limit) {
            bury(e, death_reason::delivery_limit);
            return;
        }
        try {
            line_.put_back(e);
            has_expiring_ = has_expiring_ || e.expires != instant::never();
        } catch (const std::bad_alloc&) {
            let_go(e);
        }
    }
    void put_back_done()
    {
        if (removed_)
            return;
        drop_what_is_over();
        put_back_expired();
        drain();
    }
    /// What expired meanwhile is no consumer's.
    void put_back_expired()
    {
        if (!removed_ && has_expiring_)
            drop_expired();
    }

    // Messages out.

    /// The message is gone for good.
    void let_go(const queue_entry& e) noexcept
    {
        state_.unhold(*e.message);
        static_cast<void>(message_ptr::adopt(e.message));
    }
    /// The message is gone unread: to the dead letter exchange, if there is one.
    void bury(const queue_entry& e, death_reason reason) noexcept
    {
        if (!settings_.dead_letter_exchange || removed_) {
            let_go(e);
            return;
        }
        state_.unhold(*e.message);
        bury(message_ptr::adopt(e.message), reason);
    }
    void bury(message_ptr m, death_reason reason) noexcept
    {
        try {
            state_.dead_letters.push_back({std::move(m), this, reason});
            pin();
        } catch (const std::bad_alloc&) { // a dead letter that nobody has room for
        }
    }
    /// The next message for basic.get; false if there is none.
    [[nodiscard]] bool take(queue_entry& e) noexcept
    {
        last_use_ = state_.now;
        if (line_.empty())
            return false;
        e = pop();
        return true;
    }
    std::size_t purge() noexcept
    {
        const std::size_t n = line_.size();
        while (!line_.empty())
            let_go(line_.pop());
        return n;
    }
    void drop_expired() noexcept
    {
        const instant next = line_.pop_expired(
            state_.now, [this](const queue_entry& e) { bury(e, death_reason::expired); });
        try {
            state_.timers.arm(message_timer_, next);
        } catch (const std::bad_alloc&) { // found out when the next message goes
        }
    }
    /// What the consumer sees of an entry: of quorum queues with the header that counts returns.
    [[nodiscard]] message_ptr seen(const queue_entry& e)
    {
        if (!settings_.quorum || e.returns == 0)
            return message_ptr(e.message);
        properties_ptr p = state_.properties->take();
        p->edit() = e.message->properties();
        p->edit().header("x-delivery-count", static_cast<std::int64_t>(e.returns));
        message_ptr m = state_.messages->take();
        m->fill(payload(e.message->body()), std::move(p), e.message->route());
        return m;
    }
    /// Gives messages to consumers as long as there are both.
    void drain()
    {
        while (!line_.empty()) {
            consumer* c = next_consumer();
            if (c == nullptr)
                return;
            c->channel_->prepare(*c);
            message_ptr m = seen(line_.front());
            const queue_entry e = pop();
            consumers_in_line_.served(*c);
            if (c->no_ack_)
                let_go(e);
            else
                count_unacknowledged();
            c->channel_->deliver(*c, *this, e, *m);
        }
    }
    void count_unacknowledged() noexcept
    {
        ++unacknowledged_;
        pin();
    }
    /// An unacknowledged message was settled, in whatever way.
    void uncount_unacknowledged() noexcept
    {
        --unacknowledged_;
        unpin();
    }

    // Consumers.

    void add(consumer& c)
    {
        consumers_.add(c);
        if (settings_.single_active_consumer) {
            if (active_ != nullptr)
                return;
            active_ = &c;
        }
        wake(c);
    }
    /// A queue without consumers begins to be unused here.
    void remove(consumer& c) noexcept
    {
        consumers_.remove(c);
        consumers_in_line_.remove(c);
        last_use_ = state_.now;
        if (active_ == &c) {
            active_ = nullptr;
            for (consumer* next = consumers_.first(); next != nullptr;
                 next = consumer_list::after(*next))
                if (active_ == nullptr || next->priority_ > active_->priority_)
                    active_ = next;
        }
    }
    /// A consumer may have credit (again): it gets in line, and messages if there are some.
    void wake(consumer& c)
    {
        if (join_line(c) && !line_.empty())
            drain();
    }
    /// False if it is not for this consumer to be in line.
    bool join_line(consumer& c)
    {
        if (c.ended_ || (settings_.single_active_consumer && active_ != &c))
            return false;
        if (!c.in_line_ && c.channel_->takes(c))
            consumers_in_line_.add(c);
        return true;
    }
    void wake_active()
    {
        if (active_ != nullptr)
            wake(*active_);
    }
    [[nodiscard]] bool is_consumed_exclusively() const noexcept
    {
        return consumers_.first() != nullptr && consumers_.first()->exclusive_;
    }

    // Its end.

    void arm_lease()
    {
        if (!settings_.expires.is_never() && consumers_.size() == 0)
            state_.timers.arm(lease_timer_, last_use_ + settings_.expires);
    }
    void lease_ended();
    /// Drops its messages; to be called once, after its bindings and consumers are gone.
    void retire() noexcept
    {
        state_.timers.disarm(message_timer_);
        state_.timers.disarm(lease_timer_);
        static_cast<void>(purge());
        removed_ = true;
        pin();
        unpin();
    }

    // The parts of these.

    [[nodiscard]] bool is_full_for(const stored_message& m) const noexcept
    {
        const std::size_t n = line_.size();
        const std::size_t size = line_.bytes() + m.body().size();
        if (n >= state_.limits().queue_messages || size > state_.limits().queue_bytes)
            return true;
        return settings_.overflow != overflow_policy::drop_head &&
               (n >= settings_.max_length || size > settings_.max_length_bytes);
    }
    [[nodiscard]] bool refuse(stored_message& m) noexcept
    {
        if (settings_.overflow == overflow_policy::reject_publish_dlx &&
            settings_.dead_letter_exchange)
            bury(message_ptr(&m), death_reason::maxlen);
        return false;
    }
    /// A queue that refuses instead may hold more, when messages come back to it.
    void drop_what_is_over() noexcept
    {
        if (settings_.overflow != overflow_policy::drop_head)
            return;
        if (line_.size() <= settings_.max_length && line_.bytes() <= settings_.max_length_bytes)
            return;
        while (!line_.empty() &&
               (line_.size() > settings_.max_length || line_.bytes() > settings_.max_length_bytes))
            bury(line_.pop(), death_reason::maxlen);
        look_at_head();
    }
    [[nodiscard]] std::uint8_t priority_of(const stored_message& m) const noexcept
    {
        const std::uint8_t wanted = m.properties().priority();
        return wanted < settings_.max_priority ? wanted : settings_.max_priority;
    }
    void deliver_at_once(consumer& c, const queue_entry& e)
    {
        c.channel_->prepare(c);
        consumers_in_line_.served(c);
        if (!c.no_ack_) {
            static_cast<void>(message_ptr(e.message).detach());
            state_.hold(*e.message);
            count_unacknowledged();
        }
        c.channel_->deliver(c, *this, e, *e.message);
    }
    [[nodiscard]] consumer* next_consumer() noexcept
    {
        while (consumer* c = consumers_in_line_.front()) {
            if (c->channel_->takes(*c))
                return c;
            consumers_in_line_.remove(*c);
        }
        return nullptr;
    }
    queue_entry pop() noexcept
    {
        const queue_entry e = line_.pop();
        look_at_head();
        return e;
    }
    /// Another message came to the head: it may have expired, and nobody watches for when it will.
    void look_at_head() noexcept
    {
        if (!line_.empty() && line_.front().expires != instant::never())
            watch(line_.front().expires);
    }
    /// A message that expires then has come, perhaps to the head.
    void watch(instant when) noexcept
    {
        has_expiring_ = true;
        if (when <= state_.now) {
            drop_expired();
        } else if (!message_timer_.is_armed() || when < message_timer_.deadline()) {
            try {
                state_.timers.arm(message_timer_, when);
            } catch (const std::bad_alloc&) { // found out when the next message goes
            }
        }
    }

    struct message_timer final : deadline_node {
        explicit message_timer(queue& q) noexcept : of(q) {}
        void expired() override { of.drop_expired(); }
        queue& of;
    };
    struct lease_timer final : deadline_node {
        explicit lease_timer(queue& q) noexcept : of(q) {}
        void expired() override { of.lease_ended(); }
        queue& of;
    };

    shared_state& state_;
    virtual_host& home_;
    std::string name_;
    std::uint64_t hash_ = 0;
    queue_settings settings_;
    exclusive_queues* owner_; // of an exclusive queue
    bool durable_;
    bool auto_delete_;
    bool removed_ = false;
    bool is_touched_ = false;   // messages came back in this operation
    bool has_expiring_ = false; // has ever had a message that expires
    message_line line_;
    std::uint64_t last_sequence_ = 0;
    consumer_line consumers_in_line_;
    consumer_list consumers_;
    consumer* active_ = nullptr; // the single active one
    std::size_t unacknowledged_ = 0;
    std::size_t pins_ = 0;
    instant last_use_;
    table arguments_;
    message_timer message_timer_{*this};
    lease_timer lease_timer_{*this};
    queue* next_exclusive_ = nullptr; // of its session
    queue* previous_exclusive_ = nullptr;
};

inline void exclusive_queues::add(queue& q) noexcept
{
    q.next_exclusive_ = first_;
    if (first_ != nullptr)
        first_->previous_exclusive_ = &q;
    first_ = &q;
}
inline void exclusive_queues::remove(queue& q) noexcept
{
    (q.previous_exclusive_ == nullptr ? first_ : q.previous_exclusive_->next_exclusive_) =
        q.next_exclusive_;
    if (q.next_exclusive_ != nullptr)
        q.next_exclusive_->previous_exclusive_ = q.previous_exclusive_;
    q.next_exclusive_ = q.previous_exclusive_ = nullptr;
}

inline void reached_destinations::add(destination& d)
{
    hit_ = true;
    if (d.mark_ == epoch_)
        return;
    d.mark_ = epoch_;
    if (d.is_queue())
        queues_.push_back(static_cast<queue*>(&d));
    else
        exchanges_.push_back(static_cast<exchange*>(&d));
}

} // namespace leveret::broker
