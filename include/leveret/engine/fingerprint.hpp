#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace leveret::engine {

/// A number by which a returned message is found among the publishes that wait for confirmation, since
/// basic.return does not say which one it is. Equal exchange, routing key, size and beginning of the
/// body give equal numbers, and such messages are routed alike. Never 0.
[[nodiscard]] inline std::uint32_t fingerprint(std::string_view exchange, std::string_view routing_key,
                                               std::string_view body) noexcept
{
    constexpr std::size_t looked_at = 64;
    std::uint64_t h = 0x9e3779b97f4a7c15U ^ body.size();
    const auto mix = [&h](std::string_view text) {
        const char* p = text.data();
        std::size_t n = text.size();
        for (; n >= 8; p += 8, n -= 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, p, 8);
            h = (h ^ word) * 0xff51afd7ed558ccdU;
            h ^= h >> 32U;
        }
        std::uint64_t rest = n;
        for (; n > 0; ++p, --n)
            rest = (rest << 8U) | static_cast<unsigned char>(*p);
        h = (h ^ rest) * 0xc4ceb9fe1a85ec53U;
        h ^= h >> 29U;
    };
    mix(exchange);
    mix(routing_key);
    mix(body.substr(0, looked_at));
    const auto folded = static_cast<std::uint32_t>(h ^ (h >> 32U));
    return folded == 0 ? 1 : folded;
}

} // namespace leveret::engine
