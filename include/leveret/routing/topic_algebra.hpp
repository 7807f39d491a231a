#pragma once

#include "leveret/routing/topic_words.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

/// \file
/// What topic patterns mean, and what they mean to each other, in constant expressions as well as at run time.
/// Nothing here allocates. `*` stands for one word and `#` for any number of words, none included; any number of
/// `#` may be anywhere (AMQP 0-9-1, section 3.1.3.3; RabbitMQ for empty keys and empty words: routing/topic_words.hpp).

namespace leveret {

/// What can be wrong with a pattern that a person wrote. RabbitMQ binds all but those that are too long, and
/// then they match what nobody expects: in "kern*" the star is a letter.
enum class pattern_fault : std::uint8_t {
    none,
    too_long,         ///< above 255 bytes, which no key of AMQP 0-9-1 may have
    empty_word,       ///< a dot at one of the ends, or two in a row
    star_inside_word, ///< `*` beside other characters: it stands for whole words only
    hash_inside_word, ///< `#` beside other characters: it stands for whole words only
};

/// The longest routing key and the longest pattern, in bytes (AMQP 0-9-1: a short string).
inline constexpr std::size_t max_key_size = 255;

/// The first rule that the pattern breaks.
[[nodiscard]] constexpr pattern_fault find_pattern_fault(std::string_view pattern) noexcept
{
    if (pattern.size() > max_key_size)
        return pattern_fault::too_long;
    for (routing::topic_words words(pattern); !words.at_end(); words.advance()) {
        const std::string_view word = words.word();
        if (word.empty())
            return pattern_fault::empty_word;
        if (word.size() > 1 && routing::detail::find_char(word, '*') != std::string_view::npos)
            return pattern_fault::star_inside_word;
        if (word.size() > 1 && routing::detail::find_char(word, '#') != std::string_view::npos)
            return pattern_fault::hash_inside_word;
    }
    return pattern_fault::none;
}

/// The rule that a pattern with this fault breaks, as a sentence; empty for none.
[[nodiscard]] constexpr std::string_view describe(pattern_fault fault) noexcept
{
    switch (fault) {
    case pattern_fault::none: return "";
    case pattern_fault::too_long: return "a topic pattern has at most 255 bytes";
    case pattern_fault::empty_word: return "a word of a topic pattern is not empty";
    case pattern_fault::star_inside_word: return "* is a word of its own in a topic pattern, not part of one";
    case pattern_fault::hash_inside_word: return "# is a word of its own in a topic pattern, not part of one";
    }
    return "unknown fault";
}

/// What is wrong with a pattern, as a sentence; empty if nothing is. The empty pattern is right: it has no words
/// and matches the empty key alone.
[[nodiscard]] constexpr std::string_view pattern_error(std::string_view pattern) noexcept
{
    return describe(find_pattern_fault(pattern));
}

namespace routing::detail {

/// Lays a pattern over words that `fits(word of the pattern, word)` allows: the part up to the first # at the
/// start, each part between two # at the first place that it fits behind the one before, the last part at the
/// end. Taking the first place is right since it leaves the most to those that follow. A part is tried at each
/// word once, so this costs at most the product of both numbers of words.
template <class Fits>
[[nodiscard]] constexpr bool lay_pattern(topic_words pattern, topic_words words, Fits fits) noexcept
{
    bool seen_hash = false;
    topic_words part = pattern; // behind the last # seen
    topic_words place = words;  // where that part is tried
    while (!words.at_end()) {
        if (!pattern.at_end() && pattern.word() == "#") {
            pattern.advance();
            seen_hash = true;
            part = pattern;
            place = words;
        } else if (!pattern.at_end() && fits(pattern.word(), words.word())) {
            pattern.advance();
            words.advance();
        } else if (seen_hash) {
            place.advance();
            words = place;
            pattern = part;
        } else {
            return false;
        }
    }
    while (!pattern.at_end() && pattern.word() == "#")
        pattern.advance();
    return pattern.at_end();
}

[[nodiscard]] constexpr bool has_hash(std::string_view pattern) noexcept
{
    for (topic_words words(pattern); !words.at_end(); words.advance())
        if (words.word() == "#")
            return true;
    return false;
}

/// Takes the last word off a text that has one.
[[nodiscard]] constexpr std::string_view take_last(std::string_view& text) noexcept
{
    const std::size_t dot = text.rfind('.');
    const std::size_t start = dot == std::string_view::npos ? 0 : dot + 1;
    const std::string_view word = text.substr(start);
    text = text.substr(0, dot == std::string_view::npos ? 0 : dot);
    return word;
}

[[nodiscard]] constexpr bool words_agree(std::string_view a, std::string_view b) noexcept
{
    return a == "*" || b == "*" || a == b;
}

/// Two patterns with a # each: what is before the first # of both, and behind the last of both, must agree as
/// far as both go. Between them there is room for whatever either wants.
[[nodiscard]] constexpr bool ends_agree(std::string_view a, std::string_view b) noexcept
{
    topic_words first(a), second(b);
    for (; first.word() != "#" && second.word() != "#"; first.advance(), second.advance())
        if (!words_agree(first.word(), second.word()))
            return false;
    for (;;) {
        const std::string_view x = take_last(a), y = take_last(b);
        if (x == "#" || y == "#")
            return true;
        if (!words_agree(x, y))
            return false;
    }
}

/// Goes behind the wildcards here if there is a # among them, and tells how many words they ask for at least.
/// Where the # is among them means nothing: "*.#" is "#.*".
struct gap {
    constexpr explicit gap(topic_words& pattern) noexcept
    {
        topic_words at = pattern;
        for (; !at.at_end() && (at.word() == "*" || at.word() == "#"); at.advance()) {
            if (at.word() == "#")
                is_open = true;
            else
                ++least;
        }
        if (is_open)
            pattern = at;
    }
    bool is_open = false;
    std::size_t least = 0;
};

} // namespace routing::detail

/// Whether a binding with this pattern takes messages with this key, as RabbitMQ and `topic_router` decide it.
/// Costs at most the number of the pattern's words times the number of the key's.
[[nodiscard]] constexpr bool topic_matches(std::string_view pattern, std::string_view key) noexcept
{
    return routing::detail::lay_pattern(
        routing::topic_words(pattern), routing::topic_words(key),
        [](std::string_view wanted, std::string_view word) { return wanted == "*" || wanted == word; });
}

/// Whether some key matches both patterns. Exact for patterns that `pattern_error` has nothing against, if keys
/// may be as long as they like.
[[nodiscard]] constexpr bool topic_overlaps(std::string_view a, std::string_view b) noexcept
{
    using routing::topic_words;
    if (!routing::detail::has_hash(b))
        return routing::detail::lay_pattern(topic_words(a), topic_words(b), routing::detail::words_agree);
    if (!routing::detail::has_hash(a))
        return routing::detail::lay_pattern(topic_words(b), topic_words(a), routing::detail::words_agree);
    return routing::detail::ends_agree(a, b);
}

/// Whether every key that b matches is matched by a, too. Exact for patterns that `pattern_error` has nothing
/// against, if keys may be as long as they like.
///
/// In what b matches, a word at a place of `*` and the words at a `#` may be words that a does not have, so a's
/// words must find themselves in b. A run of a's words without # must find itself in one run of b's, since
/// any number of strange words may be at a # of b; and a # of b may be nothing, so that it does not help to give a's
/// gaps (wildcards with a # among them) the words that they ask for. Both together are enough: whoever looks for a
/// key that b matches and a doesn't leaves a # empty while a still lacks words for a gap, so that no run of a can
/// have begun there, and otherwise fills it so that no run can reach across.
[[nodiscard]] constexpr bool topic_covers(std::string_view a, std::string_view b) noexcept
{
    using routing::topic_words;
    topic_words wanted(a), words(b), run = wanted, place = words;
    bool seen_gap = false;
    for (;;) {
        if (const routing::detail::gap gap(wanted); gap.is_open) {
            for (std::size_t taken = 0; taken < gap.least; words.advance()) {
                if (words.at_end())
                    return false;
                if (words.word() != "#")
                    ++taken;
            }
            seen_gap = true;
            run = wanted;
            place = words;
        }
        if (words.at_end())
            return wanted.at_end();
        if (!wanted.at_end() && words.word() != "#" &&
            (wanted.word() == "*" || wanted.word() == words.word())) {
            wanted.advance();
            words.advance();
        } else if (seen_gap) {
            place.advance();
            words = place;
            wanted = run;
        } else {
            return false;
        }
    }
}

/// Whether both patterns match the same keys: "*.#" and "#.*" do.
[[nodiscard]] constexpr bool topic_equivalent(std::string_view a, std::string_view b) noexcept
{
    return topic_covers(a, b) && topic_covers(b, a);
}

} // namespace leveret
