#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace leveret {

namespace detail {

/// The bytes of the character at the front of `s`, or 0 if it is none (RFC 3629: shortest form, no surrogates,
/// nothing above U+10FFFF).
[[nodiscard]] constexpr std::size_t utf8_character(std::string_view s) noexcept
{
    const auto octet = [s](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const unsigned char first = octet(0);
    if (first < 0x80)
        return 1;
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || s.size() < size)
        return 0;
    for (std::size_t i = 1; i < size; ++i)
        if ((octet(i) & 0xc0U) != 0x80U)
            return 0;
    const unsigned char second = octet(1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
        return 0;
    return size;
}

} // namespace detail

/// Whether all of it is UTF-8. Text of ASCII alone, as nearly all names are, is seen eight bytes at a time.
[[nodiscard]] constexpr bool is_utf8(std::string_view s) noexcept
{
    while (!s.empty()) {
        if (!std::is_constant_evaluated() && s.size() >= 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, s.data(), sizeof word);
            if ((word & 0x8080808080808080U) == 0) {
                s.remove_prefix(8);
                continue;
            }
        }
        const std::size_t n = detail::utf8_character(s);
        if (n == 0)
            return false;
        s.remove_prefix(n);
    }
    return true;
}

/// The front of `s` in at most `most` bytes, not cut within a character.
[[nodiscard]] constexpr std::string_view utf8_prefix(std::string_view s, std::size_t most) noexcept
{
    if (s.size() <= most)
        return s;
    while (most > 0 && (static_cast<unsigned char>(s[most]) & 0xc0U) == 0x80U)
        --most;
    return s.substr(0, most);
}

} // namespace leveret
