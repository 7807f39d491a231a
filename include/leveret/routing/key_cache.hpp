#pragma once

#include "leveret/core/assert.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>

namespace leveret::routing {

/// Remembers for routing keys what was found for them: a list of pointers. It is exact: a key's bytes are
/// compared, and `invalidate` forgets everything at once. Its memory is bounded by `most_bytes` and allocated
/// by `resize` only: neither looking up nor remembering allocates.
///
/// Entries lie behind each other in a ring of bytes, in which the newest overwrites the oldest; a table of slots
/// says where. Four slots are a set, one line of the processor's cache, and a hash may be in any slot of its set: so
/// keys that come often do not push out each other as long as there is room for all of them. A key is remembered
/// when it comes for the second time, so that keys that come once push out none that come often. Who makes up keys without knowing the seed of their hashes pushes out
/// others only by sending many keys twice, and of this exchange only.
template <class T>
class key_cache {
public:
    static constexpr std::size_t ways = 4; // slots in a set; two bits
    static constexpr std::size_t least_slots = 16;
    static constexpr std::size_t most_slots = 4096;
    static constexpr std::size_t bytes_per_slot = 64; // a key of 24 bytes and four nodes
    static constexpr std::size_t most_bytes = most_slots * (bytes_per_slot + 16);

    key_cache() noexcept = default;
    key_cache(const key_cache&) = delete;
    key_cache& operator=(const key_cache&) = delete;
    ~key_cache() { std::free(memory_); }

    /// Makes room for an exchange of this size, and forgets everything if that changes it. Never gets smaller.
    /// Throws std::bad_alloc, and then nothing has changed.
    void resize(std::size_t wanted)
    {
        std::size_t n = slots();
        if (n != 0 && (n >= wanted || n == most_slots))
            return;
        n = n == 0 ? least_slots : n;
        while (n < wanted && n < most_slots)
            n *= 2;
        static_assert(sizeof(set) == set_align && bytes_of(least_slots) % set_align == 0);
        void* memory = std::aligned_alloc(set_align, bytes_of(n));
        if (memory == nullptr)
            throw std::bad_alloc();
        std::memset(memory, 0, bytes_of(n));
        std::free(memory_);
        memory_ = memory;
        sets_ = static_cast<set*>(memory);
        ring_ = reinterpret_cast<unsigned char*>(sets_ + n / ways);
        mask_ = n / ways - 1;
        end_ = oldest_ = ring_bytes(); // not 0, which is what empty slots say
    }
    /// Bytes that it has allocated.
    [[nodiscard]] std::size_t memory() const noexcept
    {
        return bytes_of(slots());
    }

    /// Everything remembered is wrong from now on.
    void invalidate() noexcept { oldest_ = end_; }

    struct found {
        bool is_known = false;
        std::span<T* const> values = {}; ///< valid until the cache changes
    };
    [[nodiscard]] found find(std::uint64_t hash, std::string_view key) const noexcept
    {
        if (sets_ == nullptr)
            return {};
        const set& s = sets_[hash & mask_];
        const std::uint32_t tag = tag_of(hash);
        std::size_t way = 0;
        while (s.tag[way] != tag || s.position[way] < oldest_)
            if (++way == ways)
                return {};
        const unsigned char* at = ring_ + (s.position[way] & (ring_bytes() - 1));
        entry e;
        std::memcpy(&e, at, sizeof e);
        if (e.key_bytes != key.size() ||
            (!key.empty() &&
             std::memcmp(at + values_at + e.count * sizeof(T*), key.data(), key.size()) != 0))
            return {};
        return {true, {reinterpret_cast<T* const*>(at + values_at), e.count}};
    }
    /// For a key that was not found: remembers it if it came before.
    void remember(std::uint64_t hash, std::string_view key, T* const* values,
                  std::size_t count) noexcept
    {
        if (sets_ == nullptr)
            return;
        set& s = sets_[hash & mask_];
        if (!was_seen(s, tag_of(hash)))
            return;
        const std::size_t bytes = (values_at + count * sizeof(T*) + key.size() + 7) / 8 * 8;
        if (bytes > ring_bytes() / 4)
            return; // one key is not worth all others
        const std::size_t offset = end_ & (ring_bytes() - 1);
        if (offset + bytes > ring_bytes())
            end_ += ring_bytes() - offset; // no entry lies around the end
        unsigned char* at = ring_ + (end_ & (ring_bytes() - 1));
        const entry e{static_cast<std::uint32_t>(count), static_cast<std::uint32_t>(key.size())};
        std::memcpy(at, &e, sizeof e);
        if (count > 0)
            std::memcpy(at + values_at, values, count * sizeof(T*));
        if (!key.empty())
            std::memcpy(at + values_at + count * sizeof(T*), key.data(), key.size());
        const std::size_t way = way_for(s, tag_of(hash));
        s.position[way] = end_;
        s.tag[way] = tag_of(hash);
        end_ += bytes;
        if (end_ - oldest_ > ring_bytes())
            oldest_ = end_ - ring_bytes();
    }

private:
    struct set {
        std::uint64_t
            position[ways];       // in the endless row of bytes whose last `ring_bytes()` the ring holds
        std::uint32_t tag[ways];  // of the keys that are there
        std::uint32_t seen[ways]; // of keys that came and were not
    };
    static constexpr std::size_t set_align = 64;
    struct entry { // the pointers follow, then the key
        std::uint32_t count;
        std::uint32_t key_bytes;
    };
    static constexpr std::size_t values_at = sizeof(entry);
    static_assert(alignof(T*) <= 8 && std::is_trivially_copyable_v<entry>);

    // What has to go is chosen by chance: were it always the oldest, five keys that take turns in a set would push out
    // each other for ever.
    [[nodiscard]] std::size_t any_way() noexcept
    {
        chance_ = chance_ * 0x5851f42d4c957f2dU + 1;
        return chance_ >> 62U;
    }
    /// Whether a key came before; from now on it did.
    [[nodiscard]] bool was_seen(set& s, std::uint32_t tag) noexcept
    {
        std::size_t empty = ways;
        for (std::size_t way = ways; way-- > 0;) {
            if (s.seen[way] == tag)
                return true;
            if (s.seen[way] == 0)
                empty = way;
        }
        s.seen[empty < ways ? empty : any_way()] = tag;
        return false;
    }
    /// The slot of this tag, or of a key that is there no more, or else any.
    [[nodiscard]] std::size_t way_for(const set& s, std::uint32_t tag) noexcept
    {
        std::size_t gone = ways;
        for (std::size_t way = 0; way < ways; ++way) {
            if (s.position[way] < oldest_)
                gone = way;
            else if (s.tag[way] == tag)
                return way;
        }
        return gone < ways ? gone : any_way();
    }

    [[nodiscard]] static constexpr std::size_t bytes_of(std::size_t slots) noexcept
    {
        return slots / ways * sizeof(set) + slots * bytes_per_slot;
    }
    [[nodiscard]] std::size_t slots() const noexcept
    {
        return sets_ == nullptr ? 0 : (mask_ + 1) * ways;
    }
    [[nodiscard]] std::size_t ring_bytes() const noexcept { return slots() * bytes_per_slot; }
    [[nodiscard]] static std::uint32_t tag_of(std::uint64_t hash) noexcept
    {
        return static_cast<std::uint32_t>(hash >> 32U);
    }

    void* memory_ = nullptr;
    set* sets_ = nullptr;
    unsigned char* ring_ = nullptr;
    std::size_t mask_ = 0;
    std::uint64_t oldest_ = 0;
    std::uint64_t end_ = 0;
    std::uint64_t chance_ = 1;
};

} // namespace leveret::routing
