#pragma once

#include "leveret/core/assert.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

namespace leveret {

/// Finds nodes by hash: pointers to nodes that somebody else owns, in one array with open addressing.
/// Looking up allocates nothing and takes whatever the caller calls equal, so a `std::string` key is
/// found by a `std::string_view`. Nodes of equal keys may be in it several times.
template <class T>
class hash_index {
public:
    hash_index() noexcept = default;
    hash_index(const hash_index&) = delete;
    hash_index& operator=(const hash_index&) = delete;
    ~hash_index() { std::free(slots_); }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// The first node with this hash for which `is_equal(const T&)` holds, or nullptr.
    template <class Equal>
    [[nodiscard]] T* find(std::uint64_t hash, Equal&& is_equal) const
    {
        if (size_ == 0)
            return nullptr;
        for (std::size_t i = hash & mask_; slots_[i].node != nullptr; i = (i + 1) & mask_)
            if (slots_[i].hash == hash && is_equal(std::as_const(*slots_[i].node)))
                return slots_[i].node;
        return nullptr;
    }
    /// Begins to fetch what a search will look at, so that several searches wait for memory together.
    void prefetch(std::uint64_t hash) const noexcept
    {
        if (size_ > 0)
            __builtin_prefetch(&slots_[hash & mask_]);
    }
    /// The first node with this hash, which is most likely the only one; the node is not looked at.
    [[nodiscard]] T* find_first(std::uint64_t hash) const noexcept
    {
        if (size_ == 0)
            return nullptr;
        for (std::size_t i = hash & mask_; slots_[i].node != nullptr; i = (i + 1) & mask_)
            if (slots_[i].hash == hash)
                return slots_[i].node;
        return nullptr;
    }
    /// Throws std::bad_alloc, and then nothing has changed.
    void insert(std::uint64_t hash, T* node)
    {
        if ((size() + 1) * 4 > capacity() * 3)
            rebuild(capacity() == 0 ? 8 : capacity() * 2);
        place(hash, node);
        ++size_;
    }
    /// Takes out a node that is there under this hash.
    void erase(std::uint64_t hash, const T* node) noexcept
    {
        std::size_t hole = hash & mask_;
        while (slots_[hole].node != node) {
            LEVERET_ASSERT(slots_[hole].node != nullptr);
            hole = (hole + 1) & mask_;
        }
        // What follows moves up as long as that does not put it before its home.
        for (std::size_t i = (hole + 1) & mask_; slots_[i].node != nullptr; i = (i + 1) & mask_) {
            const std::size_t home = slots_[i].hash & mask_;
            if (((i - home) & mask_) >= ((i - hole) & mask_)) {
                slots_[hole] = slots_[i];
                hole = i;
            }
        }
        slots_[hole].node = nullptr;
        --size_;
    }
    /// Calls `visit(T&)` for each node, in no particular order. The index must not change meanwhile.
    template <class Visit>
    void for_each(Visit&& visit) const
    {
        for (std::size_t i = 0; i < capacity(); ++i)
            if (slots_[i].node != nullptr)
                visit(*slots_[i].node);
    }
    /// Calls `visit(hash)` for each; the nodes are not looked at.
    template <class Visit>
    void for_each_hash(Visit&& visit) const
    {
        for (std::size_t i = 0; i < capacity(); ++i)
            if (slots_[i].node != nullptr)
                visit(slots_[i].hash);
    }
    /// Any of the nodes, or nullptr if there is none; for emptying it. Costs a search.
    [[nodiscard]] T* any() const noexcept
    {
        for (std::size_t i = 0; size_ > 0 && i < capacity(); ++i)
            if (slots_[i].node != nullptr)
                return slots_[i].node;
        return nullptr;
    }

private:
    struct slot {
        std::uint64_t hash;
        T* node;
    };

    [[nodiscard]] std::size_t capacity() const noexcept
    {
        return slots_ == nullptr ? 0 : std::size_t{mask_} + 1;
    }
    void place(std::uint64_t hash, T* node) noexcept
    {
        std::size_t i = hash & mask_;
        while (slots_[i].node != nullptr)
            i = (i + 1) & mask_;
        slots_[i] = {hash, node};
    }
    void rebuild(std::size_t larger)
    {
        void* memory = std::calloc(larger, sizeof(slot));
        if (memory == nullptr)
            throw std::bad_alloc();
        const std::size_t before = capacity();
        slot* old = std::exchange(slots_, static_cast<slot*>(memory));
        mask_ = static_cast<std::uint32_t>(larger - 1);
        for (std::size_t i = 0; i < before; ++i)
            if (old[i].node != nullptr)
                place(old[i].hash, old[i].node);
        std::free(old);
    }

    slot* slots_ = nullptr;
    std::uint32_t mask_ = 0; // a table of four thousand million slots has no memory
    std::uint32_t size_ = 0;
};

} // namespace leveret
