#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace perf {

/// Times in nanoseconds, counted in buckets of less than 0.8 % of their value: a few nanoseconds to record
/// one, and 37 KiB of memory from the first on. From 2^43 ns (2.4 hours) on all are in the last bucket.
class histogram {
public:
    void record(std::uint64_t ns)
    {
        if (buckets_.empty())
            buckets_.resize(bucket_count);
        const std::size_t i = index(ns);
        ++buckets_[i < bucket_count ? i : bucket_count - 1];
        ++count_;
        if (ns > max_)
            max_ = ns;
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::uint64_t max() const noexcept { return max_; }

    /// The time that a `share` (0 to 1) of the samples did not exceed; 0 without samples. With `earlier`, a
    /// former copy of this one, only what has come since counts.
    [[nodiscard]] double percentile(double share, const histogram* earlier = nullptr) const noexcept
    {
        const std::uint64_t before = earlier != nullptr ? earlier->count_ : 0;
        if (count_ == before)
            return 0;
        const double wanted = share * static_cast<double>(count_ - before - 1);
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < bucket_count; ++i) {
            seen += buckets_[i] - (before != 0 ? earlier->buckets_[i] : 0);
            if (static_cast<double>(seen) > wanted)
                return std::min(middle(i), static_cast<double>(max_));
        }
        return static_cast<double>(max_);
    }

private:
    static constexpr unsigned bits = 7; // of a value's leading digits that are told apart
    static constexpr unsigned octaves = 43 - bits;
    static constexpr std::size_t bucket_count = std::size_t{octaves + 1} << bits;

    [[nodiscard]] static std::size_t index(std::uint64_t ns) noexcept
    {
        const unsigned width = static_cast<unsigned>(std::bit_width(ns));
        if (width <= bits)
            return static_cast<std::size_t>(ns);
        const unsigned shift = width - bits - 1;
        return (std::size_t{shift} << bits) + static_cast<std::size_t>(ns >> shift);
    }
    [[nodiscard]] static double middle(std::size_t i) noexcept
    {
        const std::size_t one = std::size_t{1} << bits;
        if (i < 2 * one)
            return static_cast<double>(i);
        const std::size_t shift = (i >> bits) - 1;
        const double width = static_cast<double>(std::uint64_t{1} << shift);
        return (static_cast<double>((i & (one - 1)) + one) + 0.5) * width;
    }

    std::vector<std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

} // namespace perf
