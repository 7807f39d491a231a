#pragma once

#include "leveret/routing/topic_words.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

// Where the words of a key are. Looking for one dot after the other costs a call of memchr for each word; most keys are
// short, and all dots of a short key fit into one word of the machine.

namespace leveret::routing::detail {

/// Eight bytes, the first in the lowest bits.
[[nodiscard]] inline std::uint64_t load_eight(const char* p) noexcept
{
    std::uint64_t v = 0;
    __builtin_memcpy(&v, p, sizeof v);
    if constexpr (std::endian::native == std::endian::big)
        v = __builtin_bswap64(v);
    return v;
}

/// A bit for each of eight bytes that is a dot.
[[nodiscard]] constexpr std::uint64_t dots_of_eight(std::uint64_t bytes) noexcept
{
    constexpr std::uint64_t low_bits = 0x7f7f7f7f7f7f7f7fU;
    const std::uint64_t zero_at_dot = bytes ^ 0x2e2e2e2e2e2e2e2eU;
    const std::uint64_t high_bit_at_dot =
        ~(((zero_at_dot & low_bits) + low_bits) | zero_at_dot | low_bits); // exact: no carry leaves its byte
    return (high_bit_at_dot >> 7U) * 0x0102040810204080U >> 56U;           // gathers the bits
}

/// A bit for each of sixteen bytes that is a dot.
[[nodiscard]] inline std::uint64_t dots_of_sixteen(const char* p) noexcept
{
#if defined(__SSE2__)
    using bytes [[gnu::vector_size(16)]] = char;
    bytes v;
    __builtin_memcpy(&v, p, sizeof v);
    return static_cast<std::uint64_t>(__builtin_ia32_pmovmskb128(reinterpret_cast<bytes>(v == '.')));
#else
    return dots_of_eight(load_eight(p)) | dots_of_eight(load_eight(p + 8)) << 8U;
#endif
}

/// Up to eight bytes, the first in the lowest bits, zeros behind them.
[[nodiscard]] inline std::uint64_t load_few(const char* p, std::size_t n) noexcept
{
    const auto byte = [p](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i); };
    if (n == 8)
        return load_eight(p);
    if (n >= 4)
        return byte(0) | byte(1) | byte(2) | byte(3) | byte(n - 1) | byte(n - 2) | byte(n - 3);
    return n == 0 ? 0 : byte(0) | byte(n / 2) | byte(n - 1);
}

/// A bit for each of fewer than sixteen bytes that is a dot.
[[nodiscard]] inline std::uint64_t dots_of_few(const char* p, std::size_t n) noexcept
{
    if (n < 8)
        return dots_of_eight(load_few(p, n));
    return dots_of_eight(load_eight(p)) | dots_of_eight(load_eight(p + n - 8)) << (n - 8);
}

/// A bit for each byte that is a dot; needs fewer than 64 bytes.
[[nodiscard]] constexpr std::uint64_t dots_of(std::string_view text) noexcept
{
    const std::size_t n = text.size();
    std::uint64_t dots = 0;
    if (std::is_constant_evaluated()) {
        for (std::size_t i = 0; i < n; ++i)
            dots |= std::uint64_t{text[i] == '.'} << i;
        return dots;
    }
    const char* const p = text.data();
    if (n < 16)
        return dots_of_few(p, n);
    // The last load covers the rest, and some bytes once more.
    for (std::size_t i = 0; i + 16 < n; i += 16)
        dots |= dots_of_sixteen(p + i) << i;
    return dots | dots_of_sixteen(p + n - 16) << (n - 16);
}

/// The words of a key of fewer than 64 bytes. A word is given by where it begins, which is at most `size()`.
class short_key {
public:
    static constexpr std::size_t most = 63;

    [[gnu::always_inline]] constexpr explicit short_key(std::string_view text) noexcept
        : text_(text), dots_(dots_of(text))
    {
    }
    [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return text_.size(); }
    /// Where the word that begins at `start` ends.
    [[nodiscard]] constexpr std::size_t end_of(std::size_t start) const noexcept
    {
        const std::uint64_t rest = dots_ >> start;
        return rest == 0 ? size() : start + static_cast<unsigned>(__builtin_ctzll(rest));
    }
    /// Where the last word begins of those that begin at `start` or later and end at `end`.
    [[nodiscard]] constexpr std::size_t last_start(std::size_t start, std::size_t end) const noexcept
    {
        const std::uint64_t before = (dots_ & ((std::uint64_t{1} << end) - 1)) >> start;
        return before == 0 ? start : start + 64 - static_cast<unsigned>(__builtin_clzll(before));
    }

private:
    std::string_view text_;
    std::uint64_t dots_;
};

/// The same for keys of any length.
class long_key {
public:
    constexpr explicit long_key(std::string_view text) noexcept : text_(text) {}
    [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return text_.size(); }
    [[nodiscard]] constexpr std::size_t end_of(std::size_t start) const noexcept
    {
        const std::size_t dot = find_char(text_, '.', start);
        return dot == std::string_view::npos ? size() : dot;
    }
    [[nodiscard]] constexpr std::size_t last_start(std::size_t start, std::size_t end) const noexcept
    {
        const std::size_t dot = text_.substr(start, end - start).rfind('.');
        return dot == std::string_view::npos ? start : start + dot + 1;
    }

private:
    std::string_view text_;
};

} // namespace leveret::routing::detail
