#pragma once

#include "leveret/core/pod_vector.hpp"

#include <cstddef>
#include <cstdint>

namespace leveret::routing {

/// Says of most hashes that are not in a set that they are not, from an eighth of the memory that finding out for
/// sure would look at: a bit for each hash of the set, in 8 to 16 times as many. Bits of hashes that went stay, so it
/// is filled anew now and then.
class hash_filter {
public:
    [[nodiscard]] bool may_have(std::uint64_t hash) const noexcept
    {
        return mask_ != 0 && (words_[word_of(hash)] & bit_of(hash)) != 0;
    }
    /// Whether there is room for one more of `size` hashes; otherwise: `clear(size)`, and insert them all again.
    [[nodiscard]] bool has_room(std::size_t size) const noexcept
    {
        return (size + 1) * 8 <= words_.size() * 64;
    }
    /// Throws std::bad_alloc, and then nothing has changed.
    void clear(std::size_t size)
    {
        std::size_t words = 8;
        while (words * 64 < (size + 1) * 16)
            words *= 2;
        words_.reserve(words);
        words_.clear();
        words_.resize(words);
        mask_ = words - 1;
    }
    void insert(std::uint64_t hash) noexcept { words_[word_of(hash)] |= bit_of(hash); }

private:
    // An index of the same hashes takes the lowest bits: whoever is here for them should not be there as well.
    [[nodiscard]] std::size_t word_of(std::uint64_t hash) const noexcept
    {
        return static_cast<std::size_t>(hash >> 32U) & mask_;
    }
    [[nodiscard]] static std::uint64_t bit_of(std::uint64_t hash) noexcept
    {
        return std::uint64_t{1} << (hash >> 26U & 63U);
    }

    pod_vector<std::uint64_t> words_;
    std::size_t mask_ = 0;
};

} // namespace leveret::routing
