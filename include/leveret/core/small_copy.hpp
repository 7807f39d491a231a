#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace leveret {

// Names and keys are short, and the same ones come again and again: what libc's functions take to find out how to
// begin is most of what they cost for these.

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
// g++ 12 at -O1 takes a payload's own bytes for those of its block.
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#endif
/// memcpy, for what is mostly up to 16 bytes.
inline void copy_small(char* to, const char* from, std::size_t n) noexcept
{
    if (n > 16) {
        std::memcpy(to, from, n);
    } else if (n >= 8) {
        std::uint64_t first, last;
        std::memcpy(&first, from, 8);
        std::memcpy(&last, from + n - 8, 8);
        std::memcpy(to, &first, 8);
        std::memcpy(to + n - 8, &last, 8);
    } else if (n >= 4) {
        std::uint32_t first, last;
        std::memcpy(&first, from, 4);
        std::memcpy(&last, from + n - 4, 4);
        std::memcpy(to, &first, 4);
        std::memcpy(to + n - 4, &last, 4);
    } else {
        for (std::size_t i = 0; i < n; ++i)
            to[i] = from[i];
    }
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// a == b, for what is mostly up to 16 bytes.
[[nodiscard]] inline bool is_same_text(std::string_view a, std::string_view b) noexcept
{
    const std::size_t n = a.size();
    if (n != b.size())
        return false;
    if (n > 16)
        return std::memcmp(a.data(), b.data(), n) == 0;
    if (n >= 8) {
        std::uint64_t a1, a2, b1, b2;
        std::memcpy(&a1, a.data(), 8);
        std::memcpy(&a2, a.data() + n - 8, 8);
        std::memcpy(&b1, b.data(), 8);
        std::memcpy(&b2, b.data() + n - 8, 8);
        return ((a1 ^ b1) | (a2 ^ b2)) == 0;
    }
    if (n >= 4) {
        std::uint32_t a1, a2, b1, b2;
        std::memcpy(&a1, a.data(), 4);
        std::memcpy(&a2, a.data() + n - 4, 4);
        std::memcpy(&b1, b.data(), 4);
        std::memcpy(&b2, b.data() + n - 4, 4);
        return ((a1 ^ b1) | (a2 ^ b2)) == 0;
    }
    for (std::size_t i = 0; i < n; ++i)
        if (a[i] != b[i])
            return false;
    return true;
}

} // namespace leveret
