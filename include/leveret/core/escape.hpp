#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace leveret {

namespace detail {

/// The length of the well-formed UTF-8 sequence at `text[at]`, or 0. Control characters, C1 controls
/// and the bidirectional overrides, which can rewrite what a reader sees, count as not printable.
[[nodiscard]] constexpr std::size_t printable_sequence(std::string_view text, std::size_t at) noexcept
{
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const unsigned lead = byte(at);
    if (lead < 0x80)
        return lead >= 0x20 && lead != 0x7f ? 1 : 0;
    const std::size_t length = lead >= 0xf0 && lead < 0xf5   ? 4
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xc2 && lead < 0xe0 ? 2
                                                             : 0;
    if (length == 0)
        return 0;
    unsigned point = lead & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xc0U) != 0x80U)
            return 0;
        point = (point << 6U) | (byte(at + i) & 0x3fU);
    }
    const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    const bool hidden = point < 0xa0 || point == 0xad || point == 0x61c || point == 0x180e ||
                        (point >= 0x200b && point <= 0x200f) ||
                        (point >= 0x2028 && point <= 0x202e) ||
                        (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
                        (point >= 0xfff9 && point <= 0xfffb) ||
                        (point >= 0xe0000 && point <= 0xe007f);
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return overlong || hidden || surrogate || point > 0x10ffff ? 0 : length;
}

} // namespace detail

/// `text` with everything that could disturb a terminal or a log (control characters, escape
/// sequences, malformed UTF-8, invisible and direction-changing characters) as `\n` or `\xNN`, cut
/// with `...` at `most` bytes. Names and texts of peers pass through here before they are printed.
[[nodiscard]] inline std::string escaped(std::string_view text, std::size_t most = 512)
{
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        if (out.size() >= most)
            return out + "...";
        if (const std::size_t length = detail::printable_sequence(text, i); length != 0) {
            out.append(text.substr(i, length));
            i += length;
            continue;
        }
        const auto c = static_cast<unsigned char>(text[i++]);
        if (c == '\n') {
            out += "\\n";
        } else {
            out += "\\x";
            out += digits[c >> 4U];
            out += digits[c & 15U];
        }
    }
    return out;
}

} // namespace leveret
