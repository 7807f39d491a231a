#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

/// Numbers in network byte order. The compiler makes one load or store of each.
namespace leveret::wire {

template <class T>
[[nodiscard]] constexpr T load_be(const char* p) noexcept
{
    if (!std::is_constant_evaluated()) {
        T v;
        std::memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        if constexpr (sizeof(T) == 2)
            v = static_cast<T>(__builtin_bswap16(v));
        else if constexpr (sizeof(T) == 4)
            v = static_cast<T>(__builtin_bswap32(v));
        else if constexpr (sizeof(T) == 8)
            v = static_cast<T>(__builtin_bswap64(v));
#endif
        return v;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
        value = (value << 8U) | static_cast<unsigned char>(p[i]);
    return static_cast<T>(value);
}

template <class T>
constexpr void store_be(char* p, T v) noexcept
{
    if (!std::is_constant_evaluated()) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        if constexpr (sizeof(T) == 2)
            v = static_cast<T>(__builtin_bswap16(v));
        else if constexpr (sizeof(T) == 4)
            v = static_cast<T>(__builtin_bswap32(v));
        else if constexpr (sizeof(T) == 8)
            v = static_cast<T>(__builtin_bswap64(v));
#endif
        std::memcpy(p, &v, sizeof v);
        return;
    }
    for (std::size_t i = 0; i < sizeof(T); ++i)
        p[i] = static_cast<char>(
            static_cast<unsigned char>(std::uint64_t{v} >> (8U * (sizeof(T) - 1U - i))));
}

// g++ 12 at -O3 knows that a caller's text is a literal, forgets its length, and warns of the branches
// that are for longer ones.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Warray-bounds"
#endif

/// Copies bytes that are mostly few: short names and bodies cost a handful of instructions, where a
/// call of memcpy would cost as much as all the rest of a small frame. Returns the end of the copy.
inline char* copy_bytes(char* to, const char* from, std::size_t n) noexcept
{
    if (n > 32) {
        std::memcpy(to, from, n);
    } else if (n >= 16) {
        char head[16];
        char tail[16];
        std::memcpy(head, from, 16);
        std::memcpy(tail, from + n - 16, 16);
        std::memcpy(to, head, 16);
        std::memcpy(to + n - 16, tail, 16);
    } else if (n >= 8) {
        std::uint64_t head = 0;
        std::uint64_t tail = 0;
        std::memcpy(&head, from, 8);
        std::memcpy(&tail, from + n - 8, 8);
        std::memcpy(to, &head, 8);
        std::memcpy(to + n - 8, &tail, 8);
    } else if (n >= 4) {
        std::uint32_t head = 0;
        std::uint32_t tail = 0;
        std::memcpy(&head, from, 4);
        std::memcpy(&tail, from + n - 4, 4);
        std::memcpy(to, &head, 4);
        std::memcpy(to + n - 4, &tail, 4);
    } else {
        for (std::size_t i = 0; i < n; ++i)
            to[i] = from[i];
    }
    return to + n;
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// Whether two short runs of the same length are equal: word by word, the last two may overlap.
[[nodiscard]] inline bool same_bytes(const char* a, const char* b, std::size_t n) noexcept
{
    if (n < 8)
        return std::memcmp(a, b, n) == 0;
    const auto difference = [a, b](std::size_t at) {
        std::uint64_t x;
        std::uint64_t y;
        std::memcpy(&x, a + at, sizeof x);
        std::memcpy(&y, b + at, sizeof y);
        return x ^ y;
    };
    std::size_t i = 0;
    for (; n - i > 32; i += 32)
        if ((difference(i) | difference(i + 8) | difference(i + 16) | difference(i + 24)) != 0)
            return false;
    for (; n - i > 8; i += 8)
        if (difference(i) != 0)
            return false;
    return difference(n - 8) == 0;
}

} // namespace leveret::wire
