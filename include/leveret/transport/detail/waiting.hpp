#pragma once

#include "leveret/core/deadlines.hpp"
#include "leveret/io/doorbell.hpp"

namespace leveret::transport_detail {

class wait_queue;

/// A doorbell with a deadline, in a queue of those who wait for the same thing.
class timed_bell final : public deadline_node {
public:
    timed_bell(io::wait_list& waits, deadlines& deadlines) noexcept
        : bell(waits), deadlines_(deadlines)
    {
    }
    ~timed_bell();

    io::doorbell bell;

    void arm(instant at) { deadlines_.arm(*this, at); }
    void expired() noexcept override { bell.ring(io::wake::timed_out); }

private:
    friend class wait_queue;
    deadlines& deadlines_;
    wait_queue* queue_ = nullptr;
    timed_bell* next_ = nullptr;
};

/// First come, first rung.
class wait_queue {
public:
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    void enter(timed_bell& b) noexcept
    {
        b.queue_ = this;
        (last_ == nullptr ? first_ : last_->next_) = &b;
        last_ = &b;
    }
    void leave(timed_bell& b) noexcept
    {
        timed_bell* before = nullptr;
        for (timed_bell* at = first_; at != nullptr; before = at, at = at->next_) {
            if (at != &b)
                continue;
            (before == nullptr ? first_ : before->next_) = b.next_;
            if (last_ == &b)
                last_ = before;
            break;
        }
        b.next_ = nullptr;
        b.queue_ = nullptr;
    }
    /// Rings and removes everyone, in order.
    void ring_all() noexcept
    {
        while (timed_bell* b = first_) {
            leave(*b);
            b->bell.ring();
        }
    }

private:
    timed_bell* first_ = nullptr;
    timed_bell* last_ = nullptr;
};

inline timed_bell::~timed_bell()
{
    if (queue_ != nullptr)
        queue_->leave(*this);
    deadlines_.disarm(*this);
}

} // namespace leveret::transport_detail
