#pragma once

#include "leveret/core/fixed_string.hpp"
#include "leveret/routing/detail/word_scan.hpp"
#include "leveret/routing/topic_algebra.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace leveret {

namespace routing::detail {

enum class item_kind : std::uint8_t { word, star, hash };

/// A word of a pattern that was taken apart when compiled.
struct pattern_item {
    std::size_t offset = 0, size = 0; // of a word, in the pattern's text
    std::size_t slot = 0;             // of a wildcard, its number among the wildcards
    item_kind kind = item_kind::word;
};

template <std::size_t Count>
[[nodiscard]] consteval std::array<pattern_item, Count> take_apart(std::string_view pattern) noexcept
{
    std::array<pattern_item, Count> items{};
    std::size_t offset = 0, slot = 0, i = 0;
    for (topic_words words(pattern); !words.at_end(); words.advance(), ++i) {
        const std::string_view word = words.word();
        const bool is_wildcard = word == "*" || word == "#";
        const item_kind kind = word == "*" ? item_kind::star : word == "#" ? item_kind::hash : item_kind::word;
        items[i] = {offset, word.size(), is_wildcard ? slot++ : 0, kind};
        offset += word.size() + 1;
    }
    return items;
}

} // namespace routing::detail

/// A topic pattern that is known when the program is compiled, and checked then: a word must not be empty, `*` and
/// `#` are words of their own, and it has at most 255 bytes. `matches` is code for this pattern alone: it compares
/// the words that the pattern has, and allocates nothing.
///
///     using orange = lv::topic_pattern<"*.orange.#">;
///     static_assert(orange::matches("quick.orange.rabbit"));
///     if (auto words = orange::captures(key)) // what the wildcards matched
///         use((*words)[0], (*words)[1]);
template <fixed_string Pattern>
class topic_pattern {
    static constexpr pattern_fault fault = find_pattern_fault(Pattern.view());
    static_assert(fault != pattern_fault::too_long, "leveret: a topic pattern has at most 255 bytes");
    static_assert(fault != pattern_fault::empty_word,
                  "leveret: a word of a topic pattern is empty: no dot at an end, no two dots in a row");
    static_assert(
        fault != pattern_fault::star_inside_word,
        "leveret: a word of a topic pattern has * inside: it stands for one whole word, between dots");
    static_assert(fault != pattern_fault::hash_inside_word,
                  "leveret: a word of a topic pattern has # inside: it stands for whole words, between dots");

public:
    [[nodiscard]] static constexpr std::string_view text() noexcept { return Pattern.view(); }

private:
    using item_kind = routing::detail::item_kind;
    static constexpr std::size_t count = routing::count_words(text());
    static constexpr auto items = routing::detail::take_apart<count>(text());

    [[nodiscard]] static consteval std::size_t count_wildcards() noexcept
    {
        std::size_t n = 0;
        for (const auto& item : items)
            n += item.kind != item_kind::word;
        return n;
    }
    /// The first # at `from` or behind it; `count` if there is none.
    [[nodiscard]] static consteval std::size_t hash_from(std::size_t from) noexcept
    {
        while (from < count && items[from].kind != item_kind::hash)
            ++from;
        return from;
    }

public:
    /// How many `*` and `#` it has.
    static constexpr std::size_t wildcards = count_wildcards();
    /// What they match: one word for `*`; for `#` its words with the dots between them, empty if there are none.
    using captured_words = std::array<std::string_view, wildcards>;

    /// Whether the key matches. The same as topic_matches(text(), key).
    [[nodiscard]] static constexpr bool matches(std::string_view key) noexcept
    {
        return match(key, no_words());
    }
    /// What the wildcards matched, as views into the key, in the order of the pattern; nothing if it does not match.
    /// Where there are several ways, each # has as few words as can be, from the left.
    [[nodiscard]] static constexpr std::optional<captured_words> captures(std::string_view key) noexcept
    {
        captured_words words{};
        return match(key, words) ? std::optional(words) : std::nullopt;
    }

private:
    /// In the place of captured_words where nobody asks for them.
    struct no_words {};

    template <class Out>
    [[nodiscard, gnu::always_inline]] static constexpr bool match(std::string_view key, Out&& out) noexcept
    {
        if (key.size() <= routing::detail::short_key::most) [[likely]]
            return match_words(routing::detail::short_key(key), out);
        return match_long(key, out);
    }
    template <class Out>
    [[nodiscard, gnu::noinline]] static constexpr bool match_long(std::string_view key, Out& out) noexcept
    {
        return match_words(routing::detail::long_key(key), out);
    }

    template <class Key, class Out>
    [[nodiscard]] static constexpr bool match_words(const Key& key, Out& out) noexcept
    {
        // The next word begins at `at`; behind the end there is none. An empty key has no words.
        std::size_t at = key.size() == 0 ? 1 : 0;
        constexpr std::size_t first_hash = hash_from(0);
        if (!take_run<0, first_hash>(key, at, out))
            return false;
        if constexpr (first_hash == count)
            return at > key.size();
        else
            return match_from_hash<first_hash>(key, at, out);
    }

    /// A # and all that follows it.
    template <std::size_t Hash, class Key, class Out>
    [[nodiscard]] static constexpr bool match_from_hash(const Key& key, std::size_t at, Out& out) noexcept
    {
        constexpr std::size_t next_hash = hash_from(Hash + 1);
        if constexpr (next_hash == count) { // the last: what is behind it is at the end of the key
            std::size_t past = key.size() + 1;
            if (!take_back<count, count - Hash - 1>(key, at, past, out))
                return false;
            keep<Hash>(key, at, past, out);
            return true;
        } else { // what is behind it, up to the next one, is at the first place where it fits
            for (std::size_t place = at; place <= key.size() + 1; place = key.end_of(place) + 1) {
                std::size_t behind = place;
                if (take_run<Hash + 1, next_hash>(key, behind, out)) {
                    keep<Hash>(key, at, place, out);
                    return match_from_hash<next_hash>(key, behind, out);
                }
                if (place > key.size())
                    break;
            }
            return false;
        }
    }

    /// The items from First to Last, on the words from `at` on.
    template <std::size_t First, std::size_t Last, class Key, class Out>
    [[nodiscard]] static constexpr bool take_run(const Key& key, std::size_t& at, Out& out) noexcept
    {
        return [&]<std::size_t... I>(std::index_sequence<I...>)
        {
            return (take<First + I>(key, at, out) && ...);
        }
        (std::make_index_sequence<Last - First>());
    }
    template <std::size_t I, class Key, class Out>
    [[nodiscard]] static constexpr bool take(const Key& key, std::size_t& at, Out& out) noexcept
    {
        if (at > key.size())
            return false;
        const std::size_t end = key.end_of(at);
        if (!fits<I>(key, at, end, out))
            return false;
        at = end + 1;
        return true;
    }
    /// The Left items before Past, on the last words before `past`, where none may begin before `at`.
    template <std::size_t Past, std::size_t Left, class Key, class Out>
    [[nodiscard]] static constexpr bool take_back(const Key& key, std::size_t at, std::size_t& past,
                                                  Out& out) noexcept
    {
        if constexpr (Left == 0) {
            return true;
        } else {
            if (past <= at)
                return false;
            const std::size_t end = past - 1;
            past = key.last_start(at, end);
            return fits<Past - 1>(key, past, end, out) && take_back<Past - 1, Left - 1>(key, at, past, out);
        }
    }
    template <std::size_t I, class Key, class Out>
    [[nodiscard]] static constexpr bool fits(const Key& key, std::size_t start, std::size_t end,
                                             Out& out) noexcept
    {
        constexpr auto item = items[I];
        if constexpr (item.kind == item_kind::word) {
            return end - start == item.size && std::string_view(key.text().data() + start, item.size) ==
                                                   text().substr(item.offset, item.size);
        } else {
            if constexpr (std::same_as<Out, captured_words>)
                out[item.slot] = key.text().substr(start, end - start);
            return true;
        }
    }
    /// What a # matched: the words that begin at `start` and later, and before `past`.
    template <std::size_t Hash, class Key, class Out>
    static constexpr void keep(const Key& key, std::size_t start, std::size_t past, Out& out) noexcept
    {
        if constexpr (std::same_as<Out, captured_words>)
            out[items[Hash].slot] =
                past > start ? key.text().substr(start, past - 1 - start) : std::string_view();
    }
};

} // namespace leveret
