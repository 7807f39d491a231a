#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leveret::oslo {

/// Names that nobody else has: 32 hexadecimal digits, half of them a number drawn at random once and half a count.
class identity {
public:
    explicit identity(std::uint64_t random) noexcept : half_(random) { put(mark_.data(), random, mark_.size()); }

    [[nodiscard]] std::uint64_t next_number() noexcept { return ++count_; }
    [[nodiscard]] std::string text(std::uint64_t number) const
    {
        std::string out(32, '0');
        put(out.data(), half_);
        put(out.data() + 16, number);
        return out;
    }
    [[nodiscard]] std::string next() { return text(next_number()); }
    /// 5 to 15 digits, which a std::string keeps in itself, for where nobody else's are found.
    [[nodiscard]] std::string short_text(std::uint64_t number) const
    {
        const std::size_t digits = std::clamp<std::size_t>((static_cast<std::size_t>(std::bit_width(number)) + 3) / 4, 1, 11);
        std::array<char, 15> out = {mark_[0], mark_[1], mark_[2], mark_[3]};
        put(out.data() + mark_.size(), number, digits);
        return {out.data(), mark_.size() + digits};
    }
    /// The number of a text that this made, of either length, or 0.
    [[nodiscard]] std::uint64_t number_of(std::string_view text) const noexcept
    {
        if (text.size() <= 15) // a text that is too short reads as 0
            return text.starts_with({mark_.data(), mark_.size()}) ? read(text.substr(mark_.size())) : 0;
        if (text.size() == 32 && read(text.substr(0, 16)) == half_)
            return read(text.substr(16));
        return 0;
    }

private:
    static void put(char* to, std::uint64_t v, std::size_t digits = 16) noexcept
    {
        for (std::size_t i = digits; i-- > 0; v >>= 4U)
            to[i] = "0123456789abcdef"[v & 15U];
    }
    static constexpr std::array<std::uint8_t, 256> values = [] {
        std::array<std::uint8_t, 256> out{};
        out.fill(255);
        for (unsigned i = 0; i < 16; ++i)
            out[static_cast<unsigned char>("0123456789abcdef"[i])] = static_cast<std::uint8_t>(i);
        return out;
    }();
    [[nodiscard]] static std::uint64_t read(std::string_view digits) noexcept
    {
        std::uint64_t v = 0;
        for (const char c : digits) {
            const std::uint8_t digit = values[static_cast<unsigned char>(c)];
            if (digit > 15)
                return 0;
            v = v << 4U | digit;
        }
        return v;
    }

    std::uint64_t half_;
    std::array<char, 4> mark_{}; // of short texts
    std::uint64_t count_ = 0;
};

} // namespace leveret::oslo
