#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace leveret {

/// Two 64-bit values folded into one, well mixed: the halves of their product, added without carry.
[[nodiscard]] inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept
{
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

/// A hash of short texts: names, routing keys, words. Not for secrets and not stable between versions.
/// Sixteen bytes a step; overlapping loads serve the ends, so that no byte is looked at alone. The seed is in both
/// factors of every product: who does not know it can't make texts of one hash (with a factor that he knows to be
/// zero, he could).
[[nodiscard]] inline std::uint64_t text_hash(std::string_view text, std::uint64_t seed = 0) noexcept
{
    const auto word = [](const char* p) {
        std::uint64_t v = 0;
        std::memcpy(&v, p, sizeof v);
        return v;
    };
    const auto half = [](const char* p) {
        std::uint32_t v = 0;
        std::memcpy(&v, p, sizeof v);
        return std::uint64_t{v};
    };
    constexpr std::uint64_t k0 = 0x9e3779b97f4a7c15U;
    const std::uint64_t k1 = 0xc2b2ae3d27d4eb4fU ^ (seed << 32U | seed >> 32U);
    const char* p = text.data();
    const std::size_t n = text.size();
    std::uint64_t h = seed ^ k0;
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    if (n > 16) {
        const char* const last = p + n - 16;
        for (; p < last; p += 16)
            h = mix(word(p) ^ k1, word(p + 8) ^ h);
        a = word(last);
        b = word(last + 8);
    } else if (n >= 8) {
        a = word(p);
        b = word(p + n - 8);
    } else if (n >= 4) {
        a = half(p);
        b = half(p + n - 4);
    } else if (n > 0) {
        a = static_cast<std::uint64_t>(static_cast<unsigned char>(p[0])) << 16U |
            static_cast<std::uint64_t>(static_cast<unsigned char>(p[n / 2])) << 8U |
            static_cast<unsigned char>(p[n - 1]);
    }
    return mix(k1 ^ n, mix(a ^ k1, b ^ h));
}

} // namespace leveret
