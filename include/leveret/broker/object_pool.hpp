#pragma once

#include "leveret/core/assert.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace leveret::broker {

template <class T>
class object_pool;
template <class T>
class pool_ptr;

/// Base of objects that live in an `object_pool<T>` and are counted by `pool_ptr`, without atomics.
/// T has `void recycle() noexcept`, which drops what it refers to; what it may keep is memory to use again.
template <class T>
class pooled {
public:
    pooled() noexcept = default;
    pooled(const pooled&) = delete;
    pooled& operator=(const pooled&) = delete;

protected:
    ~pooled() = default;

private:
    friend class object_pool<T>;
    friend class pool_ptr<T>;
    std::uint32_t references_ = 0;

protected:
    std::uint32_t spare_ = 0; ///< T's own, beside the count

private:
    union {
        object_pool<T>* home_ = nullptr; // while it is used
        T* next_free_;                   // while it is not
    };
};

/// Objects of one type, made in blocks and used again and again; blocks are given back with the pool. It
/// outlives its owner as long as objects are referred to.
template <class T>
class object_pool {
public:
    /// The one owner of a pool, which is abandoned with it.
    class owner {
    public:
        owner() : pool_(new object_pool) {}
        owner(const owner&) = delete;
        owner& operator=(const owner&) = delete;
        ~owner() { pool_->abandon(); }
        object_pool* operator->() const noexcept { return pool_; }

    private:
        object_pool* pool_;
    };

    /// Throws std::bad_alloc.
    [[nodiscard]] pool_ptr<T> take()
    {
        if (free_ == nullptr)
            add_block();
        T* object = std::exchange(free_, free_->next_free_);
        object->home_ = this;
        ++used_;
        return pool_ptr<T>(object);
    }
    [[nodiscard]] std::size_t used() const noexcept { return used_; }

private:
    friend class pool_ptr<T>;

    object_pool() = default;
    ~object_pool() = default;

    void give_back(T* object) noexcept
    {
        object->recycle();
        object->next_free_ = std::exchange(free_, object);
        if (--used_ == 0 && abandoned_)
            delete this;
    }
    void abandon() noexcept
    {
        abandoned_ = true;
        if (used_ == 0)
            delete this;
    }
    void add_block()
    {
        const std::size_t n = blocks_.empty() ? 32 : 512;
        blocks_.reserve(blocks_.size() + 1);
        blocks_.push_back(std::make_unique<T[]>(n));
        T* block = blocks_.back().get();
        for (std::size_t i = n; i-- > 0;)
            block[i].next_free_ = std::exchange(free_, &block[i]);
    }

    T* free_ = nullptr;
    std::size_t used_ = 0;
    bool abandoned_ = false;
    std::vector<std::unique_ptr<T[]>> blocks_;
};

/// A shared owner of a pooled object, for one executor.
template <class T>
class pool_ptr {
public:
    constexpr pool_ptr() noexcept = default;
    explicit pool_ptr(T* p) noexcept : p_(p)
    {
        if (p != nullptr)
            ++p->references_;
    }
    pool_ptr(const pool_ptr& o) noexcept : pool_ptr(o.p_) {}
    pool_ptr(pool_ptr&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
    pool_ptr& operator=(pool_ptr o) noexcept
    {
        std::swap(p_, o.p_);
        return *this;
    }
    ~pool_ptr()
    {
        if (p_ != nullptr)
            drop();
    }
    void reset() noexcept
    {
        if (p_ != nullptr) {
            drop();
            p_ = nullptr;
        }
    }

    /// Gives the reference away as a plain pointer, for `adopt`.
    [[nodiscard]] T* detach() noexcept { return std::exchange(p_, nullptr); }
    [[nodiscard]] static pool_ptr adopt(T* p) noexcept
    {
        pool_ptr owner;
        owner.p_ = p;
        return owner;
    }
    /// Whether nobody else refers to the object.
    [[nodiscard]] bool is_unique() const noexcept { return p_ != nullptr && p_->references_ == 1; }

    [[nodiscard]] T* get() const noexcept { return p_; }
    [[nodiscard]] T& operator*() const noexcept { return *p_; }
    [[nodiscard]] T* operator->() const noexcept { return p_; }
    explicit operator bool() const noexcept { return p_ != nullptr; }

private:
    void drop() noexcept
    {
        if (--p_->references_ == 0)
            p_->home_->give_back(p_);
    }

    T* p_ = nullptr;
};

} // namespace leveret::broker
