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
/// Entries lie behind each other in a ring of bytes, in which the newest overwrites the oldest; a table of slots,
/// one for each hash, says where. A key is remembered when it comes for the second time, so that keys that come
/// once push out none that come often. Who makes up keys without knowing the seed of their hashes pushes out
/// others only by sending many keys twice, and of this exchange only.
template <class T>
class key_cache {
public:
    static constexpr std::size_t least_slots = 16;
    static constexpr std::size_t most_slots = 4096;
    static constexpr std::size_t bytes_per_slot = 64; // a key of 24 bytes and four nodes
    static constexpr std::size_t most_bytes = most_slots * (bytes_per_slot + 16);

    key_cache() noexcept = default;
    key_cache(const key_cache&) = delete;
    key_cache& operator=(const key_cache&) = delete;
    ~key_cache() { std::free(slots_); }

    /// Makes room for an exchange of this size, and forgets everything if that changes it. Never gets smaller.
    /// Throws std::bad_alloc, and then nothing has changed.
    void resize(std::size_t wanted)
    {
        std::size_t n = slots_ == nullptr ? least_slots : mask_ + 1;
        if (slots_ != nullptr && (n >= wanted || n == most_slots))
            return;
        while (n < wanted && n < most_slots)
            n *= 2;
        void* memory = std::calloc(n, sizeof(slot) + bytes_per_slot);
        if (memory == nullptr)
            throw std::bad_alloc();
        std::free(slots_);
        slots_ = static_cast<slot*>(memory);
        ring_ = reinterpret_cast<unsigned char*>(slots_ + n);
        mask_ = n - 1;
        end_ = oldest_ = ring_bytes(); // not 0, which is what empty slots say
    }
    /// Bytes that it has allocated.
    [[nodiscard]] std::size_t memory() const noexcept
    {
        return slots_ == nullptr ? 0 : (mask_ + 1) * (sizeof(slot) + bytes_per_slot);
    }

    /// Everything remembered is wrong from now on.
    void invalidate() noexcept { oldest_ = end_; }

    struct found {
        bool is_known = false;
        std::span<T* const> values = {}; ///< valid until the cache changes
    };
    [[nodiscard]] found find(std::uint64_t hash, std::string_view key) const noexcept
    {
        if (slots_ == nullptr)
            return {};
        const slot& s = slots_[hash & mask_];
        if (s.tag != tag_of(hash) || s.position < oldest_)
            return {};
        const unsigned char* at = ring_ + (s.position & (ring_bytes() - 1));
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
        if (slots_ == nullptr)
            return;
        slot& s = slots_[hash & mask_];
        if (s.seen != tag_of(hash)) {
            s.seen = tag_of(hash);
            return;
        }
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
        s.position = end_;
        s.tag = tag_of(hash);
        end_ += bytes;
        if (end_ - oldest_ > ring_bytes())
            oldest_ = end_ - ring_bytes();
    }

private:
    struct slot {
        std::uint64_t
            position;       // in the endless row of bytes whose last `ring_bytes()` the ring holds
        std::uint32_t tag;  // of the key that is there
        std::uint32_t seen; // of the key that came last and was not
    };
    struct entry { // the pointers follow, then the key
        std::uint32_t count;
        std::uint32_t key_bytes;
    };
    static constexpr std::size_t values_at = sizeof(entry);
    static_assert(alignof(T*) <= 8 && sizeof(slot) == 16 && std::is_trivially_copyable_v<entry>);

    [[nodiscard]] std::size_t ring_bytes() const noexcept { return (mask_ + 1) * bytes_per_slot; }
    [[nodiscard]] static std::uint32_t tag_of(std::uint64_t hash) noexcept
    {
        return static_cast<std::uint32_t>(hash >> 32U);
    }

    slot* slots_ = nullptr;
    unsigned char* ring_ = nullptr;
    std::size_t mask_ = 0;
    std::uint64_t oldest_ = 0;
    std::uint64_t end_ = 0;
};

} // namespace leveret::routing
