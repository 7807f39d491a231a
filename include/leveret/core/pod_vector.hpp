#pragma once

#include "leveret/core/assert.hpp"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace leveret {

/// A growing array of trivially copyable values, with just what the lower layers need. It exists for
/// its compile time: each std::vector of another pointer type costs every user several milliseconds.
template <class T>
class pod_vector {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    pod_vector() noexcept = default;
    pod_vector(const pod_vector&) = delete;
    pod_vector(pod_vector&& o) noexcept
        : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)),
          capacity_(std::exchange(o.capacity_, 0))
    {
    }
    pod_vector& operator=(pod_vector&& o) noexcept
    {
        std::swap(data_, o.data_);
        std::swap(size_, o.size_);
        std::swap(capacity_, o.capacity_);
        return *this;
    }
    ~pod_vector() { std::free(data_); }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] T* begin() const noexcept { return data_; }
    [[nodiscard]] T* end() const noexcept { return data_ + size_; }
    [[nodiscard]] T& operator[](std::size_t i) const noexcept
    {
        LEVERET_ASSERT(i < size_);
        return data_[i];
    }
    [[nodiscard]] T& front() const noexcept { return (*this)[0]; }
    [[nodiscard]] T& back() const noexcept { return (*this)[size_ - 1]; }

    /// Throws std::bad_alloc, and then nothing has changed.
    void push_back(T value)
    {
        reserve_one();
        data_[size_++] = value;
    }
    /// After this one push_back can't throw. Throws std::bad_alloc.
    void reserve_one()
    {
        if (size_ == capacity_)
            reserve(capacity_ == 0 ? 8 : capacity_ * 2);
    }
    void pop_back() noexcept
    {
        LEVERET_ASSERT(size_ > 0);
        --size_;
    }
    void clear() noexcept { size_ = 0; }
    /// Keeps the first `n` of them.
    void truncate(std::size_t n) noexcept
    {
        LEVERET_ASSERT(n <= size_);
        size_ = n;
    }
    void reserve(std::size_t n)
    {
        if (n <= capacity_)
            return;
        void* memory = std::realloc(static_cast<void*>(data_), n * sizeof(T));
        if (memory == nullptr)
            throw std::bad_alloc();
        data_ = static_cast<T*>(memory);
        capacity_ = n;
    }
    /// Grows with default values.
    void resize(std::size_t n)
    {
        reserve(n);
        for (; size_ < n; ++size_)
            data_[size_] = T{};
    }
    void erase_at(std::size_t i) noexcept
    {
        LEVERET_ASSERT(i < size_);
        std::memmove(static_cast<void*>(data_ + i), data_ + i + 1, (size_ - i - 1) * sizeof(T));
        --size_;
    }
    /// Removes every element that equals `value`.
    void erase(T value) noexcept
    {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < size_; ++i)
            if (!(data_[i] == value))
                data_[kept++] = data_[i];
        size_ = kept;
    }

private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace leveret
