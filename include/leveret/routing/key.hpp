#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/routing/topic_algebra.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace leveret {

namespace detail {

template <class W>
concept key_text = std::convertible_to<const W&, std::string_view>;
template <class W>
concept key_number = std::integral<W> && !std::same_as<W, bool> && !std::same_as<W, char> && sizeof(W) <= 8;

} // namespace detail

/// What a routing key is made of: a text, or a whole number, which is written in decimal.
template <class W>
concept key_word = detail::key_text<W> || detail::key_number<W>;

/// A routing key, made of words when the program runs: `lv::key{"stock", symbol, "nyse"}` is "stock.usd.nyse". A word
/// from outside can't become two, so that what a subscriber's pattern tells apart stays apart.
///
/// A value without an allocation, which is a std::string_view wherever one is wanted, as long as it lives. Thread
/// safety: as an array of char.
class key {
public:
    /// Throws usage_error if a word is empty or holds a dot, or if the key is longer than 255 bytes. In a constant
    /// expression these don't compile.
    template <key_word... Words>
    requires(sizeof...(Words) > 0) constexpr explicit key(const Words&... words)
    {
        if (std::is_constant_evaluated())
            for (char& c : text_)
                c = 0;
        (add(words), ...);
    }

    [[nodiscard]] constexpr std::string_view view() const noexcept { return {text_, size_}; }
    constexpr operator std::string_view() const noexcept { return view(); } // NOLINT: it is one
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    friend constexpr bool operator==(const key& a, const key& b) noexcept { return a.view() == b.view(); }
    friend constexpr bool operator==(const key& a, std::string_view b) noexcept { return a.view() == b; }

private:
    template <detail::key_text W>
    constexpr void add(const W& word)
    {
        append(std::string_view(word));
    }
    template <detail::key_number W>
    constexpr void add(W number)
    {
        char digits[20] = {};
        std::size_t start = sizeof digits;
        const bool is_negative = number < 0;
        auto rest = static_cast<std::uint64_t>(number);
        if (is_negative)
            rest = 0 - rest;
        do {
            digits[--start] = static_cast<char>('0' + rest % 10);
            rest /= 10;
        } while (rest != 0);
        if (is_negative)
            digits[--start] = '-';
        append({digits + start, sizeof digits - start});
    }
    constexpr void append(std::string_view word)
    {
        if (word.empty())
            throw_invalid_argument("a word of a routing key is empty");
        if (word.find('.') != std::string_view::npos)
            throw_invalid_argument("a word of a routing key holds a dot: '" + escaped(word, 64) + "'");
        if (word.size() + (size_ > 0 ? 1U : 0U) > max_key_size - size_)
            throw_invalid_argument("a routing key is longer than 255 bytes");
        if (size_ > 0)
            text_[size_++] = '.';
        for (const char c : word)
            text_[size_++] = c;
    }

    std::uint8_t size_ = 0;
    char text_[max_key_size];
};

static_assert(std::is_trivially_destructible_v<key> && !std::is_aggregate_v<key>);

} // namespace leveret
