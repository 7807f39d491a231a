#pragma once

#include <cstdint>

namespace perf {

/// What a worker, or all of them, did so far.
struct counts {
    std::uint64_t published = 0;
    std::uint64_t confirmed = 0;
    std::uint64_t returned = 0;
    std::uint64_t rejected = 0;
    std::uint64_t consumed = 0;
    std::uint64_t round_trips = 0;

    counts& operator+=(const counts& o) noexcept
    {
        published += o.published;
        confirmed += o.confirmed;
        returned += o.returned;
        rejected += o.rejected;
        consumed += o.consumed;
        round_trips += o.round_trips;
        return *this;
    }
};

} // namespace perf
