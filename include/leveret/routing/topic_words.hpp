#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace leveret::routing {

namespace detail {

/// Where a character is, as std::string_view::find has it. g++ 12 refuses that one in constant expressions over a
/// template argument when it sanitizes undefined behaviour: it then doubts that such a text has an address.
[[nodiscard]] constexpr std::size_t find_char(std::string_view text, char c, std::size_t from = 0) noexcept
{
    if (!std::is_constant_evaluated())
        return text.find(c, from);
    for (std::size_t i = from; i < text.size(); ++i)
        if (text[i] == c)
            return i;
    return std::string_view::npos;
}

} // namespace detail

/// Goes over the words of a key or of a pattern, which are what is between dots. An empty text has no words, as
/// RabbitMQ splits it; "a." has two, the second of which is empty. A copy goes on from where the original was;
/// the text must stay.
class topic_words {
public:
    constexpr explicit topic_words(std::string_view text) noexcept : rest_(text), has_word_(!text.empty())
    {
        if (has_word_)
            cut();
    }

    /// No word is left.
    [[nodiscard]] constexpr bool at_end() const noexcept { return !has_word_; }
    /// The word here; only if there is one.
    [[nodiscard]] constexpr std::string_view word() const noexcept { return word_; }
    /// Goes to the next word; only if there is one here.
    constexpr void advance() noexcept
    {
        has_word_ = has_more_;
        if (has_word_)
            cut();
    }

private:
    constexpr void cut() noexcept
    {
        const std::size_t dot = detail::find_char(rest_, '.');
        word_ = rest_.substr(0, dot);
        has_more_ = dot != std::string_view::npos;
        rest_ = has_more_ ? rest_.substr(dot + 1) : std::string_view();
    }

    std::string_view rest_, word_;
    bool has_word_;
    bool has_more_ = false;
};

[[nodiscard]] constexpr std::size_t count_words(std::string_view text) noexcept
{
    std::size_t count = 0;
    for (topic_words words(text); !words.at_end(); words.advance())
        ++count;
    return count;
}

} // namespace leveret::routing
