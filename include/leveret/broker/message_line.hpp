#pragma once

#include "leveret/broker/stored_message.hpp"
#include "leveret/core/assert.hpp"
#include "leveret/core/duration.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace leveret::broker {

/// A message in a queue. Trivial, so that rings move it as bytes; its owner drops the reference.
struct queue_entry {
    stored_message* message = nullptr;
    std::uint64_t sequence = 0; ///< its place in the queue: the order in which messages came
    instant expires = instant::never();
    std::uint32_t returns = 0; ///< how often it came back unacknowledged
    bool redelivered = false;
    std::uint8_t priority = 0;
    std::uint8_t mark = 0; ///< for whoever keeps the entry outside of a queue
};

/// Entries in the order of their sequence, in one array that doubles, and halves when little is left.
class entry_ring {
public:
    entry_ring() noexcept = default;
    entry_ring(const entry_ring&) = delete;
    entry_ring& operator=(const entry_ring&) = delete;
    ~entry_ring() { std::free(slots_); }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] queue_entry& front() const noexcept { return at(0); }
    [[nodiscard]] queue_entry& operator[](std::size_t i) const noexcept { return at(i); }

    /// Throws std::bad_alloc, and then nothing has changed.
    void push_back(const queue_entry& e)
    {
        if (size_ == capacity_)
            resize(capacity_ == 0 ? 8 : capacity_ * 2);
        at(size_++) = e;
    }
    queue_entry pop_front() noexcept
    {
        LEVERET_ASSERT(size_ > 0);
        const queue_entry e = front();
        head_ = (head_ + 1) & (capacity_ - 1);
        --size_;
        if (capacity_ > 4096 && size_ < capacity_ / 8)
            shrink();
        return e;
    }
    /// Puts an entry back where its sequence says: nearly always the front. Costs the distance to the
    /// nearer end. Throws std::bad_alloc, and then nothing has changed.
    void insert(const queue_entry& e)
    {
        if (size_ == capacity_)
            resize(capacity_ == 0 ? 8 : capacity_ * 2);
        std::size_t place = 0;
        for (std::size_t end = size_; place < end;) {
            const std::size_t middle = place + (end - place) / 2;
            if (at(middle).sequence < e.sequence)
                place = middle + 1;
            else
                end = middle;
        }
        ++size_;
        if (place < size_ / 2) {
            head_ = (head_ - 1) & (capacity_ - 1);
            for (std::size_t i = 0; i < place; ++i)
                at(i) = at(i + 1);
        } else {
            for (std::size_t i = size_ - 1; i > place; --i)
                at(i) = at(i - 1);
        }
        at(place) = e;
    }

private:
    [[nodiscard]] queue_entry& at(std::size_t i) const noexcept
    {
        return slots_[(head_ + i) & (capacity_ - 1)];
    }
    void shrink() noexcept
    {
        try {
            resize(capacity_ / 2);
        } catch (const std::bad_alloc&) { // it stays as large as it is
        }
    }
    void resize(std::size_t capacity)
    {
        auto* slots = static_cast<queue_entry*>(std::malloc(capacity * sizeof(queue_entry)));
        if (slots == nullptr)
            throw std::bad_alloc();
        const std::size_t before_end = size_ < capacity_ - head_ ? size_ : capacity_ - head_;
        if (size_ > 0) {
            std::memcpy(static_cast<void*>(slots), slots_ + head_,
                        before_end * sizeof(queue_entry));
            std::memcpy(static_cast<void*>(slots + before_end), slots_,
                        (size_ - before_end) * sizeof(queue_entry));
        }
        std::free(slots_);
        slots_ = slots;
        capacity_ = capacity;
        head_ = 0;
    }

    queue_entry* slots_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

/// The messages that wait in a queue: a ring for each priority, and the highest that has any comes first.
class message_line {
public:
    /// With priorities from 0 to `highest`.
    explicit message_line(std::uint8_t highest)
        : highest_(highest),
          more_(highest == 0 ? nullptr : std::make_unique<entry_ring[]>(std::size_t{highest}))
    {
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint8_t highest() const noexcept { return highest_; }

    /// Appends behind those of its priority. Throws std::bad_alloc, and then nothing has changed.
    void push(const queue_entry& e)
    {
        ring(e.priority).push_back(e);
        count_in(e);
    }
    /// Puts it back where it was. Throws std::bad_alloc, and then nothing has changed.
    void put_back(const queue_entry& e)
    {
        ring(e.priority).insert(e);
        count_in(e);
    }
    /// The next to go. Needs one.
    [[nodiscard]] queue_entry& front() noexcept { return ring(first_level()).front(); }
    queue_entry pop() noexcept { return pop(first_level()); }

    /// Calls `take(entry)` for the next to go as long as it has expired: one behind another that has not waits for
    /// it, also if it is of a lower priority. Source: RabbitMQ. Returns when the next will.
    template <class Take>
    instant pop_expired(instant now, Take&& take)
    {
        while (size_ > 0 && front().expires <= now)
            take(pop());
        return size_ > 0 ? front().expires : instant::never();
    }

private:
    [[nodiscard]] entry_ring& ring(std::uint8_t priority) noexcept
    {
        return priority == 0 ? lowest_ : more_[std::size_t{priority} - 1];
    }
    [[nodiscard]] std::uint8_t first_level() const noexcept
    {
        for (std::size_t word = occupied_.size(); word-- > 1;)
            if (occupied_[word] != 0)
                return level_in(word);
        return occupied_[0] == 0 ? std::uint8_t{0} : level_in(0);
    }
    [[nodiscard]] std::uint8_t level_in(std::size_t word) const noexcept
    {
        return static_cast<std::uint8_t>(
            word * 64 + 63 - static_cast<std::size_t>(std::countl_zero(occupied_[word])));
    }
    queue_entry pop(std::uint8_t level) noexcept
    {
        const queue_entry e = ring(level).pop_front();
        --size_;
        bytes_ -= e.message->body().size();
        if (level > 0 && ring(level).empty())
            occupied_[level / 64U] &= ~(std::uint64_t{1} << (level % 64U));
        return e;
    }
    void count_in(const queue_entry& e) noexcept
    {
        ++size_;
        bytes_ += e.message->body().size();
        if (e.priority > 0)
            occupied_[e.priority / 64U] |= std::uint64_t{1} << (e.priority % 64U);
    }

    std::uint8_t highest_;
    std::size_t size_ = 0;
    std::size_t bytes_ = 0;
    std::array<std::uint64_t, 4> occupied_{}; // of the priorities above 0
    entry_ring lowest_;
    std::unique_ptr<entry_ring[]> more_;
};

} // namespace leveret::broker
