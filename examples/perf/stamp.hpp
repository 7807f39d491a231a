#pragma once

#include "clock.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace perf {

/// A time in the first 12 bytes of a body, behind a mark that tells it from the bodies of other runs and
/// from the filling ('x') of those without. Both ends are in one process: no byte order, one clock.
class stamp {
public:
    static constexpr std::size_t size = 12;
    static constexpr char filling = 'x';

    /// A mark of this run's own.
    stamp() : mark_(static_cast<std::uint32_t>(now_ns() / 1000) | 0x80000000U) {}

    /// Needs a body of `size` bytes or more.
    void write(std::string& body) const
    {
        const std::uint64_t now = now_ns();
        std::memcpy(body.data(), &mark_, sizeof mark_);
        std::memcpy(body.data() + sizeof mark_, &now, sizeof now);
    }
    /// Nanoseconds since the body was stamped; empty if it was not, by this run.
    [[nodiscard]] std::optional<std::uint64_t> age(std::string_view body) const
    {
        if (body.size() < size || std::memcmp(body.data(), &mark_, sizeof mark_) != 0)
            return std::nullopt;
        std::uint64_t then = 0;
        std::memcpy(&then, body.data() + sizeof mark_, sizeof then);
        const std::uint64_t now = now_ns();
        return now > then ? now - then : 0;
    }

private:
    std::uint32_t mark_;
};

} // namespace perf
