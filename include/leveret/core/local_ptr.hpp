#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace leveret {

/// Base of objects that are counted by `local_ptr`. The count is not atomic: such an object and all
/// its pointers belong to one executor, as everything that belongs to a connection does.
class local_counted {
public:
    local_counted() noexcept = default;
    local_counted(const local_counted&) = delete;
    local_counted& operator=(const local_counted&) = delete;

protected:
    ~local_counted() = default;

private:
    template <class>
    friend class local_ptr;
    std::uint32_t references_ = 0;
};

/// A shared owner for one executor: a copy costs an increment, not a locked instruction.
template <class T>
class local_ptr {
public:
    constexpr local_ptr() noexcept = default;
    constexpr local_ptr(std::nullptr_t) noexcept {} // NOLINT: as every smart pointer
    explicit local_ptr(T* p) noexcept : p_(p) { acquire(); }
    local_ptr(const local_ptr& o) noexcept : p_(o.p_) { acquire(); }
    local_ptr(local_ptr&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
    template <class U>
        requires requires(U* u, T*& t) { t = u; }
    local_ptr(const local_ptr<U>& o) noexcept : p_(o.get()) // NOLINT: upcast
    {
        acquire();
    }
    ~local_ptr() { release(); }

    local_ptr& operator=(local_ptr o) noexcept
    {
        std::swap(p_, o.p_);
        return *this;
    }

    /// Gives the reference away as a plain pointer, for `adopt`.
    [[nodiscard]] T* detach() noexcept { return std::exchange(p_, nullptr); }
    /// Takes over a reference that was given away.
    [[nodiscard]] static local_ptr adopt(T* p) noexcept
    {
        local_ptr owner;
        owner.p_ = p;
        return owner;
    }

    [[nodiscard]] T* get() const noexcept { return p_; }
    [[nodiscard]] T& operator*() const noexcept { return *p_; }
    [[nodiscard]] T* operator->() const noexcept { return p_; }
    explicit operator bool() const noexcept { return p_ != nullptr; }
    friend bool operator==(const local_ptr& a, const local_ptr& b) noexcept { return a.p_ == b.p_; }

private:
    void acquire() noexcept
    {
        if (p_ != nullptr)
            ++static_cast<local_counted*>(p_)->references_;
    }
    void release() noexcept
    {
        if (p_ != nullptr && --static_cast<local_counted*>(p_)->references_ == 0)
            destroy(p_);
    }
    /// Rare, and kept out of all the places that only count down.
    [[gnu::noinline]] static void destroy(T* p) noexcept { delete p; }

    T* p_ = nullptr;
};

} // namespace leveret
