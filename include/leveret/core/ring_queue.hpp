#pragma once

#include "leveret/core/assert.hpp"

#include <cstddef>
#include <utility>

namespace leveret {

/// First in, first out, in one array that grows by doubling and is never given back: once it is as
/// large as it gets, nothing is allocated. Elements are default-constructible and movable, and hold
/// nothing once they are moved from.
template <class T>
class ring_queue {
public:
    ring_queue() noexcept = default;
    ring_queue(ring_queue&& o) noexcept
        : slots_(std::exchange(o.slots_, nullptr)), capacity_(std::exchange(o.capacity_, 0)),
          head_(std::exchange(o.head_, 0)), size_(std::exchange(o.size_, 0))
    {
    }
    ring_queue& operator=(ring_queue&& o) noexcept
    {
        std::swap(slots_, o.slots_);
        std::swap(capacity_, o.capacity_);
        std::swap(head_, o.head_);
        std::swap(size_, o.size_);
        return *this;
    }
    ~ring_queue() { delete[] slots_; }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] T& operator[](std::size_t i) noexcept
    {
        LEVERET_ASSERT(i < size_);
        return slots_[(head_ + i) & mask()];
    }
    [[nodiscard]] const T& operator[](std::size_t i) const noexcept
    {
        LEVERET_ASSERT(i < size_);
        return slots_[(head_ + i) & mask()];
    }
    [[nodiscard]] T& front() noexcept { return (*this)[0]; }
    [[nodiscard]] T& back() noexcept { return (*this)[size_ - 1]; }

    /// Appends a value. Throws std::bad_alloc when it has to grow and can't, and then changes nothing.
    T& push_back(T value)
    {
        if (size_ == capacity_)
            grow();
        T& slot = slots_[(head_ + size_) & mask()];
        slot = std::move(value);
        ++size_;
        return slot;
    }
    /// Removes the first element and returns it.
    T pop_front() noexcept
    {
        LEVERET_ASSERT(size_ > 0);
        T value = std::move(slots_[head_]);
        head_ = (head_ + 1) & mask();
        --size_;
        return value;
    }
    /// Removes the element at `i` and returns it. Costs a move for each element before it.
    T extract(std::size_t i) noexcept
    {
        T value = std::move((*this)[i]);
        for (; i > 0; --i)
            (*this)[i] = std::move((*this)[i - 1]);
        static_cast<void>(pop_front());
        return value;
    }
    void clear() noexcept
    {
        while (!empty())
            static_cast<void>(pop_front());
    }
    /// Makes room for `n` elements at once.
    void reserve(std::size_t n)
    {
        while (capacity_ < n)
            grow();
    }

private:
    [[nodiscard]] std::size_t mask() const noexcept { return capacity_ - 1; }
    void grow()
    {
        const std::size_t doubled = capacity_ == 0 ? 8 : capacity_ * 2;
        T* larger = new T[doubled]();
        for (std::size_t i = 0; i < size_; ++i)
            larger[i] = std::move((*this)[i]);
        delete[] std::exchange(slots_, larger);
        capacity_ = doubled;
        head_ = 0;
    }

    T* slots_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

} // namespace leveret
