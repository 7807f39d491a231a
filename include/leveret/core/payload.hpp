#pragma once

#include "leveret/core/assert.hpp"
#include "leveret/core/small_copy.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace leveret {

/// A run of bytes with a reference count, allocated in one piece. The count is atomic, so slices may
/// travel between threads; writing to the bytes is for the one who fills the block.
///
/// The count uses the compiler's atomic builtins: <atomic> alone would cost more to compile than all
/// of this layer. The class is trivially copyable in memory, so a unique block may be reallocated.
///
/// A connection holds its read blocks with a lease: many users on one executor share a single atomic
/// reference and count themselves without locked instructions.
class shared_block {
public:
    shared_block(const shared_block&) = delete;
    shared_block& operator=(const shared_block&) = delete;

    /// A new block with one reference. Throws std::bad_alloc.
    [[nodiscard]] static shared_block* allocate(std::size_t capacity)
    {
        if (capacity > std::numeric_limits<std::size_t>::max() / 2)
            throw std::bad_alloc();
        void* memory = std::malloc(sizeof(shared_block) + capacity);
        if (memory == nullptr)
            throw std::bad_alloc();
        return ::new (memory) shared_block(capacity);
    }

    /// A block of another capacity with the first `used` bytes of this one. Needs the only reference,
    /// consumes it, and lets the allocator grow large blocks without copying. Throws std::bad_alloc, and then
    /// leaves `block` as it was.
    [[nodiscard]] static shared_block* resize(shared_block* block,
                                              [[maybe_unused]] std::size_t used,
                                              std::size_t capacity)
    {
        LEVERET_ASSERT(block->is_unique() && used <= capacity && used <= block->capacity());
        void* memory = std::realloc(static_cast<void*>(block), sizeof(shared_block) + capacity);
        if (memory == nullptr)
            throw std::bad_alloc();
        auto* moved = static_cast<shared_block*>(memory);
        moved->capacity_ = capacity;
        return moved;
    }

    [[nodiscard]] char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
    [[nodiscard]] const char* data() const noexcept
    {
        return reinterpret_cast<const char*>(this + 1);
    }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    void add_reference() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
    void drop_reference() noexcept
    {
        if (is_unique() || __atomic_fetch_sub(&references_, 1U, __ATOMIC_ACQ_REL) == 1U)
            std::free(this);
    }
    [[nodiscard]] bool is_unique() const noexcept
    {
        return __atomic_load_n(&references_, __ATOMIC_ACQUIRE) == 1U;
    }

    /// Leases are for users on one executor; all of them together hold one reference.
    void add_lease() noexcept
    {
        if (leases_++ == 0)
            add_reference();
    }
    void drop_lease() noexcept
    {
        LEVERET_ASSERT(leases_ > 0);
        if (--leases_ == 0)
            drop_last_lease();
    }
    /// Whether one lease is all that keeps this block: its bytes may be written again.
    [[nodiscard]] bool is_free_but_for_one_lease() const noexcept
    {
        return leases_ == 1 && is_unique();
    }

    /// How many of the leases belong to messages that wait for somebody to take them: a count for whoever
    /// limits what waits. True for the first, and for the last.
    [[nodiscard]] bool add_waiting() noexcept { return waiting_++ == 0; }
    [[nodiscard]] bool drop_waiting() noexcept
    {
        LEVERET_ASSERT(waiting_ > 0);
        return --waiting_ == 0;
    }

private:
    explicit shared_block(std::size_t capacity) noexcept : capacity_(capacity) {}

    /// Once for many messages: kept out of the way of each.
    [[gnu::noinline]] void drop_last_lease() noexcept { drop_reference(); }

    std::uint32_t references_ = 1;
    std::uint32_t leases_ = 0;
    std::size_t capacity_;
    std::size_t waiting_ = 0; // a word, so that what follows is aligned as malloc does
};

/// Immutable bytes of a message: a slice of a shared block, whose copies share the bytes, or a few bytes in the
/// payload itself. A payload may be copied, read and destroyed on any thread.
///
/// A payload from a delivery keeps the block that it was read into alive (64 KiB or more); `copy()`
/// makes one that holds just its own bytes, for bodies that are kept for long.
class payload {
public:
    /// Bytes up to this number are not worth a block of their own.
    static constexpr std::size_t small_size = 24;

    payload() noexcept : small_{} {}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
// g++ 12 at -O1 takes a payload's own bytes for those of its block.
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#endif
    /// A copy of `bytes`. Throws std::bad_alloc.
    explicit payload(std::string_view bytes) : size_(bytes.size()), small_{}
    {
        if (bytes.size() <= small_size) {
            copy_small(small_, bytes.data(), bytes.size());
            return;
        }
        block_ = shared_block::allocate(bytes.size());
        std::memcpy(block_->data(), bytes.data(), bytes.size());
        data_ = block_->data();
    }
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
    explicit payload(std::span<const std::byte> bytes)
        : payload(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()))
    {
    }

    /// A slice of `block`, which gets a reference of its own.
    [[nodiscard]] static payload share(shared_block& block, std::string_view slice) noexcept
    {
        payload p;
        block.add_reference();
        p.block_ = &block;
        p.data_ = slice.data();
        p.size_ = slice.size();
        return p;
    }

    payload(const payload& o) noexcept : size_(o.size_), block_(o.block_)
    {
        take_bytes(o);
        if (block_ != nullptr)
            block_->add_reference();
    }
    payload(payload&& o) noexcept : size_(std::exchange(o.size_, 0)), block_(std::exchange(o.block_, nullptr))
    {
        take_bytes(o);
    }
    payload& operator=(const payload& o) noexcept { return *this = payload(o); }
    payload& operator=(payload&& o) noexcept
    {
        if (this != &o) {
            if (block_ != nullptr)
                block_->drop_reference();
            size_ = std::exchange(o.size_, 0);
            block_ = std::exchange(o.block_, nullptr);
            take_bytes(o);
        }
        return *this;
    }
    ~payload()
    {
        if (block_ != nullptr)
            block_->drop_reference();
    }

    [[nodiscard]] const char* data() const noexcept { return block_ != nullptr ? data_ : small_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// The bytes as text. Valid while this payload lives and stays where it is.
    [[nodiscard]] std::string_view view() const noexcept { return {data(), size_}; }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept
    {
        return {reinterpret_cast<const std::byte*>(data()), size_};
    }
    /// Whether the bytes lie in a block, and stay where they are when the payload is moved.
    [[nodiscard]] bool is_shared() const noexcept { return block_ != nullptr; }
    /// A payload that shares nothing with this one.
    [[nodiscard]] payload copy() const { return payload(view()); }

    /// Part of the bytes, sharing the block. Needs `offset <= size()`; `length` is cut to what is there.
    [[nodiscard]] payload slice(std::size_t offset, std::size_t length) const noexcept
    {
        LEVERET_ASSERT(offset <= size_);
        const std::size_t rest = size_ - offset;
        const std::string_view part(data() + offset, length < rest ? length : rest);
        return block_ != nullptr ? share(*block_, part) : payload(part);
    }

    friend bool operator==(const payload& a, const payload& b) noexcept
    {
        return a.view() == b.view();
    }

private:
    /// All of the words: a copy of a known size is a few instructions.
    void take_bytes(const payload& o) noexcept { std::memcpy(small_, o.small_, sizeof small_); }

    std::size_t size_ = 0;
    shared_block* block_ = nullptr; // null: the bytes are here
    union {
        const char* data_;
        char small_[small_size];
    };
};

} // namespace leveret
