#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace leveret::routing {

/// Says of most hashes that are not in a set that they are not, without looking at the set. A single hash is
/// known exactly, a few have a bit each in this object, and more have their bits in an array of 8 to 16 times
/// as many, an eighth of the memory that a table of them has. Bits of hashes that went stay until it is filled
/// anew.
class hash_filter {
public:
    hash_filter() noexcept = default;
    hash_filter(const hash_filter&) = delete;
    hash_filter& operator=(const hash_filter&) = delete;
    ~hash_filter() { clear(); }

    [[nodiscard]] bool may_have(std::uint64_t hash) const noexcept
    {
        if (mask_ != 0)
            return (words_[word_of(hash)] & bit_of(hash)) != 0;
        return inserted_ == 1 ? bits_ == hash : (bits_ & bit_of(hash)) != 0;
    }
    void prefetch(std::uint64_t hash) const noexcept
    {
        if (mask_ != 0)
            __builtin_prefetch(&words_[word_of(hash)]);
    }
    /// The hash, if it was given one alone.
    [[nodiscard]] std::uint64_t single() const noexcept { return bits_; }
    [[nodiscard]] bool has_room() const noexcept
    {
        return inserted_ < (mask_ == 0 ? few : (std::size_t{mask_} + 1) * 8);
    }
    /// Room for twice as many as `size`, which are then to be inserted again. Throws std::bad_alloc, and then
    /// nothing has changed.
    void restart(std::size_t size)
    {
        void* memory = nullptr;
        const std::size_t words = std::bit_ceil((size + 1) * 16 / 64 + 1);
        if (size >= few && (memory = std::calloc(words, sizeof(std::uint64_t))) == nullptr)
            throw std::bad_alloc();
        clear();
        if (memory == nullptr)
            return;
        words_ = static_cast<std::uint64_t*>(memory);
        mask_ = static_cast<std::uint32_t>(words - 1);
    }
    void insert(std::uint64_t hash) noexcept
    {
        ++inserted_;
        if (mask_ != 0)
            words_[word_of(hash)] |= bit_of(hash);
        else if (inserted_ == 1)
            bits_ = hash;
        else
            bits_ = (inserted_ == 2 ? bit_of(bits_) : bits_) | bit_of(hash);
    }
    void clear() noexcept
    {
        if (mask_ != 0)
            std::free(words_);
        bits_ = 0;
        mask_ = 0;
        inserted_ = 0;
    }

private:
    static constexpr std::size_t few = 8;

    // An index of the same hashes takes the lowest bits: whoever is here for them should not be there as well.
    [[nodiscard]] std::size_t word_of(std::uint64_t hash) const noexcept
    {
        return static_cast<std::size_t>(hash >> 32U) & mask_;
    }
    [[nodiscard]] static std::uint64_t bit_of(std::uint64_t hash) noexcept
    {
        return std::uint64_t{1} << (hash >> 26U & 63U);
    }

    union {
        std::uint64_t bits_ = 0;
        std::uint64_t* words_;
    };
    std::uint32_t mask_ = 0; // words less one; 0: none, but bits_
    std::uint32_t inserted_ = 0;
};

} // namespace leveret::routing
