#pragma once

#include <cstddef>
#include <new>

namespace leveret::io {

/// Room for one asynchronous operation at a time, kept by its owner. What does not fit, or comes while it
/// is taken, is allocated as usual. One executor.
class memory_slot {
public:
    memory_slot() = default;
    memory_slot(const memory_slot&) = delete;
    memory_slot& operator=(const memory_slot&) = delete;

    [[nodiscard]] void* allocate(std::size_t n)
    {
        if (is_taken_ || n > sizeof storage_)
            return ::operator new(n);
        is_taken_ = true;
        return storage_;
    }
    void deallocate(void* p) noexcept
    {
        if (p == storage_)
            is_taken_ = false;
        else
            ::operator delete(p);
    }

private:
    alignas(std::max_align_t) unsigned char storage_[256];
    bool is_taken_ = false;
};

/// An allocator that takes from a slot, for a handler's associated allocator. The slot must outlive what is
/// allocated from it.
template <class T>
class slot_allocator {
public:
    using value_type = T;

    explicit slot_allocator(memory_slot& slot) noexcept : slot_(&slot) {}
    template <class U>
    slot_allocator(const slot_allocator<U>& o) noexcept : slot_(o.slot_) // NOLINT: as allocators must
    {
    }
    [[nodiscard]] T* allocate(std::size_t n) { return static_cast<T*>(slot_->allocate(n * sizeof(T))); }
    void deallocate(T* p, std::size_t) noexcept { slot_->deallocate(p); }
    friend bool operator==(const slot_allocator& a, const slot_allocator& b) noexcept
    {
        return a.slot_ == b.slot_;
    }

private:
    template <class U>
    friend class slot_allocator;
    memory_slot* slot_;
};

} // namespace leveret::io
