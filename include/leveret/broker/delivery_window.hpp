#pragma once

#include "leveret/broker/consumer.hpp"
#include "leveret/broker/listener.hpp"
#include "leveret/broker/unacked_ring.hpp"

#include <cstddef>
#include <cstdint>

namespace leveret::broker {

/// What queues see of a channel: whether it takes a delivery, and where deliveries go.
class delivery_window {
public:
    delivery_window(const delivery_window&) = delete;
    delivery_window& operator=(const delivery_window&) = delete;

    /// Whether the consumer may have one more. Without acknowledgement no prefetch counts.
    [[nodiscard]] bool takes(const consumer& c) const noexcept
    {
        return !paused_ &&
               (c.no_ack_ || ((c.prefetch_ == 0 || c.unacknowledged_ < c.prefetch_) && !is_full()));
    }
    /// Whether the channel's consumers may have no more: by basic.qos with global, or by the broker's limit.
    [[nodiscard]] bool is_full() const noexcept
    {
        return (limit_ != 0 && outstanding_ >= limit_) || unacked_.size() >= max_unacknowledged_;
    }
    /// Makes room to remember one more delivery. Throws std::bad_alloc.
    void prepare(const consumer& c)
    {
        if (!c.no_ack_)
            unacked_.reserve_one();
    }
    /// Hands a message over; with acknowledgement the entry goes to the unacknowledged ones, which needs
    /// `prepare`. `m` is what the consumer sees of the entry.
    void deliver(consumer& c, queue& from, const queue_entry& e, stored_message& m)
    {
        const std::uint64_t tag = ++last_tag_;
        c.last_served_ = tag;
        if (!c.no_ack_) {
            unacked_.push({tag, e, &from, &c});
            ++c.unacknowledged_;
            ++outstanding_;
        }
        hand_over(c, {m, tag, e.redelivered});
    }
    /// Replies, and bytes of their bodies, that a channel whose front end asked for no more is still given. What
    /// comes after them is dropped, as direct reply-to promises nothing, until the front end takes more again.
    static constexpr std::size_t max_late_replies = 65'536;
    static constexpr std::size_t max_late_reply_bytes = std::size_t{64} << 20U;

    /// A message that is in no queue, to the consumer of direct reply-to. It has the tag that the next delivery
    /// will have too, as RabbitMQ numbers it.
    void reply(consumer& c, stored_message& m) noexcept
    {
        if (paused_) {
            if (late_replies_ >= max_late_replies || late_reply_bytes_ + m.body().size() > max_late_reply_bytes)
                return;
            ++late_replies_;
            late_reply_bytes_ += m.body().size();
        }
        hand_over(c, {m, last_tag_ + 1, false});
    }
    void hand_over(consumer& c, const delivery& d) noexcept
    {
        if (listener_->deliver(c, d) == flow::enough)
            paused_ = true;
    }
    /// A consumer of this channel ends because its queue is gone; the queue no longer knows it.
    virtual void queue_is_gone(consumer& c) noexcept = 0;

protected:
    delivery_window(channel_listener& listener, std::uint32_t max_unacknowledged) noexcept
        : listener_(&listener), max_unacknowledged_(max_unacknowledged)
    {
    }
    ~delivery_window() = default;

    friend class queue; // for next_tag_ of basic.get, by channel
    channel_listener* listener_;
    unacked_ring unacked_;
    std::uint64_t last_tag_ = 0;
    std::uint32_t max_unacknowledged_;
    std::uint32_t limit_ = 0;       // of the channel (basic.qos with global)
    std::uint32_t outstanding_ = 0; // what consumers of the channel have unacknowledged
    bool paused_ = false;           // by its front end
    std::size_t late_replies_ = 0;  // while it is
    std::size_t late_reply_bytes_ = 0;
};

} // namespace leveret::broker
