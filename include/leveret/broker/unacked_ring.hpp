#pragma once

#include "leveret/broker/message_line.hpp"
#include "leveret/core/assert.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <type_traits>

namespace leveret::broker {

class consumer;
class queue;

/// A delivery that waits for its acknowledgement.
struct unacked_delivery {
    std::uint64_t tag = 0;
    queue_entry entry;
    queue* from = nullptr;  ///< null: settled
    consumer* to = nullptr; ///< null: of basic.get
};

/// The unacknowledged deliveries of a channel in the order of their tags. A settled one leaves a gap until
/// those before it are settled too, or half of the ring is gaps; so finding, adding and settling cost the
/// same however many there are.
class unacked_ring {
    static_assert(std::is_trivially_copyable_v<unacked_delivery>);

public:
    unacked_ring() noexcept = default;
    unacked_ring(const unacked_ring&) = delete;
    unacked_ring& operator=(const unacked_ring&) = delete;
    ~unacked_ring() { std::free(slots_); }

    /// How many are there, gaps not counted.
    [[nodiscard]] std::size_t size() const noexcept { return live_; }
    [[nodiscard]] bool empty() const noexcept { return live_ == 0; }
    /// Slots, of which some are gaps (`from` is null).
    [[nodiscard]] std::size_t slots() const noexcept { return size_; }
    [[nodiscard]] unacked_delivery& operator[](std::size_t i) const noexcept
    {
        LEVERET_ASSERT(i < size_);
        return slots_[(head_ + i) & (capacity_ - 1)];
    }

    /// Tags only grow. Throws std::bad_alloc, and then nothing has changed.
    void push(const unacked_delivery& d)
    {
        reserve_one();
        ++size_;
        ++live_;
        (*this)[size_ - 1] = d;
    }
    /// Makes room, so that the next push can't fail. Throws std::bad_alloc.
    void reserve_one()
    {
        if (size_ < capacity_)
            return;
        if (live_ * 2 < size_)
            compact();
        else
            grow();
    }
    /// The slot with this tag, or slots() if there is none or it is settled.
    [[nodiscard]] std::size_t find(std::uint64_t tag) const noexcept
    {
        if (size_ == 0 || tag < (*this)[0].tag)
            return size_;
        std::size_t low = 0;
        std::size_t high = size_;
        // Without gaps in the tags the place follows from the tag.
        if (const std::uint64_t guess = tag - (*this)[0].tag; guess < size_) {
            if ((*this)[guess].tag == tag)
                return is_live(guess);
            high = static_cast<std::size_t>(guess); // fewer slots than tags: it lies before
        }
        while (low < high) {
            const std::size_t middle = low + (high - low) / 2;
            if ((*this)[middle].tag < tag)
                low = middle + 1;
            else
                high = middle;
        }
        return low < size_ && (*this)[low].tag == tag ? is_live(low) : size_;
    }
    /// Takes one out and returns it. Other slots stay where they are until `trim`.
    unacked_delivery settle(std::size_t i) noexcept
    {
        unacked_delivery& slot = (*this)[i];
        LEVERET_ASSERT(slot.from != nullptr);
        const unacked_delivery d = slot;
        slot.from = nullptr;
        --live_;
        return d;
    }
    /// Drops the gaps at the front. To be called when the slots are no longer looked at.
    void trim() noexcept
    {
        if (live_ == 0) {
            size_ = 0;
            return;
        }
        while ((*this)[0].from == nullptr) {
            head_ = (head_ + 1) & (capacity_ - 1);
            --size_;
        }
    }

private:
    [[nodiscard]] std::size_t is_live(std::size_t i) const noexcept
    {
        return (*this)[i].from == nullptr ? size_ : i;
    }
    void compact() noexcept
    {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < size_; ++i)
            if ((*this)[i].from != nullptr)
                (*this)[kept++] = (*this)[i];
        size_ = kept;
    }
    void grow()
    {
        const std::size_t capacity = capacity_ == 0 ? 16 : capacity_ * 2;
        auto* slots =
            static_cast<unacked_delivery*>(std::malloc(capacity * sizeof(unacked_delivery)));
        if (slots == nullptr)
            throw std::bad_alloc();
        for (std::size_t i = 0; i < size_; ++i)
            slots[i] = (*this)[i];
        std::free(slots_);
        slots_ = slots;
        capacity_ = capacity;
        head_ = 0;
    }

    unacked_delivery* slots_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t head_ = 0;
    std::size_t size_ = 0;
    std::size_t live_ = 0;
};

} // namespace leveret::broker
