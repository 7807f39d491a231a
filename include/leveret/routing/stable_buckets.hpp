#pragma once

#include "leveret/core/assert.hpp"
#include "leveret/core/pod_vector.hpp"
#include "leveret/core/text_hash.hpp"

#include <cstddef>
#include <cstdint>

namespace leveret::routing {

/// Buckets that hashes fall into evenly, and that come and go with as few hashes moving as can be: with a new
/// bucket only those that fall into it, without one only those that were in it. Each has an owner, whose
/// buckets are a list.
///
/// Finding a bucket is jump consistent hashing (Lamping and Veach, 2014), which knows no gaps, with what
/// memento hashing (Coluzzi and others, 2023) remembers of them: for a bucket that went, how many were left. A
/// hash that falls into a gap is drawn again from so many, the ones that were there then. The bucket that went
/// last comes again first. Costs the logarithm of the number of buckets, and of its square while most of them
/// are gone.
template <class Owner>
class stable_buckets {
public:
    static constexpr std::uint32_t none = 0xffffffffU;

    [[nodiscard]] std::size_t size() const noexcept { return buckets_.size() - gaps_; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    /// One more bucket for an owner, in front of its list. Throws std::bad_alloc, and then nothing has changed.
    void add(Owner* owner, std::uint32_t& list)
    {
        std::uint32_t b = last_gap_;
        if (b == none) {
            b = static_cast<std::uint32_t>(buckets_.size());
            buckets_.push_back({});
        } else {
            last_gap_ = buckets_[b].next;
            --gaps_;
        }
        buckets_[b] = {owner, list, 0};
        list = b;
    }
    /// Takes the first bucket out of an owner's list, which is not empty.
    void remove_first(std::uint32_t& list) noexcept
    {
        const std::uint32_t b = list;
        bucket& gone = buckets_[b];
        list = gone.next;
        if (gaps_ == 0 && b + 1 == buckets_.size()) {
            buckets_.pop_back();
            return;
        }
        gone = {nullptr, last_gap_, static_cast<std::uint32_t>(size() - 1)};
        last_gap_ = b;
        if (++gaps_ == buckets_.size()) { // nothing left to be stable for
            buckets_ = {};
            gaps_ = 0;
            last_gap_ = none;
        }
    }
    /// The owner of the bucket that this hash falls into; there must be one.
    [[nodiscard]] Owner* find(std::uint64_t hash) const noexcept
    {
        LEVERET_ASSERT(!empty());
        std::uint32_t b = jump(hash, static_cast<std::uint32_t>(buckets_.size()));
        while (buckets_[b].owner == nullptr) {
            const std::uint32_t left = buckets_[b].left;
            const std::uint64_t again = mix(hash ^ 0xa0761d6478bd642fU, b ^ 0xe7037ed1a0b428dbU);
            b = static_cast<std::uint32_t>((again >> 32U) * left >> 32U);
            // In the place of one that had gone before stands the one that was the last by number then.
            while (buckets_[b].owner == nullptr && buckets_[b].left >= left)
                b = buckets_[b].left;
        }
        return buckets_[b].owner;
    }

private:
    struct bucket {
        Owner* owner;       // nullptr: a gap
        std::uint32_t next; // of the owner, or the gap before
        std::uint32_t left; // how many buckets were left when this one went
    };

    [[nodiscard]] static std::uint32_t jump(std::uint64_t hash, std::uint32_t buckets) noexcept
    {
        double at = 0;
        double next = 0;
        while (next < buckets) {
            at = next;
            hash = hash * 2862933555777941757U + 1;
            const double chance =
                static_cast<double>((hash >> 33U) + 1) / static_cast<double>(1U << 31U);
            next = static_cast<double>(static_cast<std::uint64_t>((at + 1) / chance));
        }
        return static_cast<std::uint32_t>(at);
    }

    pod_vector<bucket> buckets_;
    std::size_t gaps_ = 0;
    std::uint32_t last_gap_ = none;
};

} // namespace leveret::routing
