#pragma once

#include "leveret/core/assert.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace leveret::broker {

class channel;
class delivery_window;
class queue;
class virtual_host;

/// A consumer: one queue's messages go to one channel. It belongs to both and ends with either.
class consumer {
public:
    consumer(const consumer&) = delete;
    consumer& operator=(const consumer&) = delete;

    [[nodiscard]] const std::string& tag() const noexcept { return tag_; }
    [[nodiscard]] bool is_no_ack() const noexcept { return no_ack_; }
    [[nodiscard]] bool is_exclusive() const noexcept { return exclusive_; }
    [[nodiscard]] std::int32_t priority() const noexcept { return priority_; }
    /// Whether it gets the answers of direct reply-to, which are in no queue.
    [[nodiscard]] bool is_of_replies() const noexcept { return queue_ == nullptr; }
    /// Its limit of unacknowledged deliveries; 0 for none.
    [[nodiscard]] std::uint32_t prefetch() const noexcept { return prefetch_; }
    [[nodiscard]] std::uint32_t unacknowledged() const noexcept { return unacknowledged_; }
    /// What the front end gave with `consume`, to find what is its own.
    [[nodiscard]] void* context() const noexcept { return context_; }

private:
    friend class channel;
    friend class delivery_window;
    friend class queue;
    friend class virtual_host;
    friend class consumer_line;
    friend class consumer_list;
    consumer() = default;
    ~consumer() = default;

    std::string tag_;
    void* context_ = nullptr;
    delivery_window* channel_ = nullptr;
    queue* queue_ = nullptr; // null: of direct reply-to
    std::uint64_t tag_hash_ = 0;
    std::uint64_t last_served_ = 0; // the tag of its last delivery
    std::uint32_t prefetch_ = 0;
    std::uint32_t unacknowledged_ = 0;
    std::int32_t priority_ = 0;
    bool no_ack_ = false;
    bool exclusive_ = false;
    bool in_line_ = false;
    bool ended_ = false; // gone but for deliveries that wait for acknowledgement
    bool to_wake_ = false;

    consumer* next_in_line_ = nullptr;
    consumer* previous_in_line_ = nullptr;
    consumer* next_ = nullptr;
    consumer* previous_ = nullptr;
};

/// The consumers of a queue that may have credit, highest priority first, those of one priority in turn.
/// One whose credit is gone is found out when its turn comes.
class consumer_line {
public:
    [[nodiscard]] consumer* front() const noexcept { return first_; }
    /// Behind the others of its priority. Costs a step for each of lower priority.
    void add(consumer& c) noexcept
    {
        LEVERET_ASSERT(!c.in_line_);
        consumer* before = last_;
        while (before != nullptr && before->priority_ < c.priority_)
            before = before->previous_in_line_;
        c.previous_in_line_ = before;
        c.next_in_line_ = before == nullptr ? first_ : before->next_in_line_;
        (before == nullptr ? first_ : before->next_in_line_) = &c;
        (c.next_in_line_ == nullptr ? last_ : c.next_in_line_->previous_in_line_) = &c;
        c.in_line_ = true;
    }
    void remove(consumer& c) noexcept
    {
        if (!c.in_line_)
            return;
        (c.previous_in_line_ == nullptr ? first_ : c.previous_in_line_->next_in_line_) =
            c.next_in_line_;
        (c.next_in_line_ == nullptr ? last_ : c.next_in_line_->previous_in_line_) =
            c.previous_in_line_;
        c.next_in_line_ = c.previous_in_line_ = nullptr;
        c.in_line_ = false;
    }
    /// The one that was served goes behind the others of its priority.
    void served(consumer& c) noexcept
    {
        if (c.next_in_line_ == nullptr || c.next_in_line_->priority_ < c.priority_)
            return;
        remove(c);
        add(c);
    }

private:
    consumer* first_ = nullptr;
    consumer* last_ = nullptr;
};

/// All consumers of a queue in the order in which they came.
class consumer_list {
public:
    [[nodiscard]] consumer* first() const noexcept { return first_; }
    [[nodiscard]] static consumer* after(const consumer& c) noexcept { return c.next_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    void add(consumer& c) noexcept
    {
        c.previous_ = last_;
        (last_ == nullptr ? first_ : last_->next_) = &c;
        last_ = &c;
        ++size_;
    }
    void remove(consumer& c) noexcept
    {
        (c.previous_ == nullptr ? first_ : c.previous_->next_) = c.next_;
        (c.next_ == nullptr ? last_ : c.next_->previous_) = c.previous_;
        c.next_ = c.previous_ = nullptr;
        --size_;
    }

private:
    consumer* first_ = nullptr;
    consumer* last_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace leveret::broker
