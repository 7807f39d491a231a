#pragma once

#include "leveret/routing/detail/word_scan.hpp"
#include "leveret/routing/topic_algebra.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace leveret {

namespace routing::detail {

/// A set of places in the patterns of an automaton. It is as small as they allow and its loops are unrolled.
template <std::size_t Words>
struct place_set {
    std::array<std::uint64_t, Words> bits{};

    constexpr void add(std::size_t place) noexcept { bits[place / 64] |= std::uint64_t{1} << (place % 64); }
    [[nodiscard]] constexpr bool has(std::size_t place) const noexcept
    {
        return (bits[place / 64] >> (place % 64) & 1U) != 0;
    }
    [[nodiscard]] constexpr bool empty() const noexcept
    {
        std::uint64_t any = 0;
        for (const std::uint64_t word : bits)
            any |= word;
        return any == 0;
    }
    /// Each place becomes the next one.
    [[nodiscard]] constexpr place_set shifted() const noexcept
    {
        place_set s;
        std::uint64_t carry = 0;
        for (std::size_t i = 0; i < Words; ++i) {
            s.bits[i] = bits[i] << 1U | carry;
            carry = bits[i] >> 63U;
        }
        return s;
    }
    friend constexpr place_set operator&(place_set a, const place_set& b) noexcept
    {
        for (std::size_t i = 0; i < Words; ++i)
            a.bits[i] &= b.bits[i];
        return a;
    }
    friend constexpr place_set operator|(place_set a, const place_set& b) noexcept
    {
        for (std::size_t i = 0; i < Words; ++i)
            a.bits[i] |= b.bits[i];
        return a;
    }
    friend constexpr bool operator==(const place_set&, const place_set&) = default;
};

/// A word in 64 bits: its first eight bytes, zeros behind a shorter one. `room` are the bytes that may be read at and
/// behind its start, `before` those before.
[[nodiscard]] constexpr std::uint64_t head_of(std::string_view word, std::size_t before,
                                              std::size_t room) noexcept
{
    const std::size_t n = word.size();
    if (std::is_constant_evaluated()) {
        std::uint64_t head = 0;
        for (std::size_t i = 0; i < n && i < 8; ++i)
            head |= std::uint64_t{static_cast<unsigned char>(word[i])} << (8 * i);
        return head;
    }
    if (n == 0)
        return 0;
    std::uint64_t head = 0;
    if (room >= 8)
        head = load_eight(word.data());
    else if (before + room >= 8)
        head = load_eight(word.data() + room - 8) >> (8 * (8 - room));
    else
        head = load_few(word.data(), n);
    return n >= 8 ? head : head & ((std::uint64_t{1} << (8 * n)) - 1);
}

[[nodiscard]] constexpr std::uint64_t hash_of(std::uint64_t head, std::size_t size) noexcept
{
    return (head ^ size * 0x9e3779b97f4a7c15U) * 0xd6e8feb86659fd93U;
}

/// How large the tables of some patterns are.
struct automaton_size {
    std::size_t patterns = 0, places = 0, words = 0;
};
template <class... Patterns>
[[nodiscard]] consteval automaton_size size_of_automaton() noexcept
{
    automaton_size size{sizeof...(Patterns), 0, 0};
    for (const std::string_view text : {Patterns::text()...}) {
        std::string_view last;
        for (topic_words words(text); !words.at_end(); words.advance()) {
            size.places += !(last == "#" && words.word() == "#"); // "#.#" matches what "#" does
            size.words += words.word() != "*" && words.word() != "#";
            last = words.word();
        }
        ++size.places; // behind the pattern
    }
    return size;
}

/// All patterns at once. Each has a place for each of its words and one behind them, in a row; a key goes through
/// them word by word, with the set of the places that its words so far may have reached.
template <automaton_size Size>
struct automaton_tables {
    static constexpr std::size_t set_words = (Size.places + 63) / 64;
    static constexpr std::size_t buckets = std::bit_ceil(4 * Size.words + 4);
    static constexpr unsigned shift = 64U - static_cast<unsigned>(std::countr_zero(buckets));
    using set = place_set<set_words>;

    /// A word of the patterns, and the places that it leads on from.
    struct entry {
        std::uint64_t head = 0;
        std::string_view text;
        set takes{};
    };

    set start{}, hashes{}, accepting{};
    std::array<std::uint16_t, Size.places> pattern_of{}; // by place
    std::array<std::uint16_t, Size.patterns> end_of{};   // the place behind a pattern
    std::array<entry, Size.words + 1> entries{};         // the first is for words that no pattern has
    std::array<std::uint16_t, buckets> index{};          // of entries, by the hash of their words; 0 is none
    std::size_t known_words = 0;

    [[nodiscard]] constexpr const entry& find(std::string_view word, std::uint64_t head) const noexcept
    {
        for (std::size_t b = hash_of(head, word.size()) >> shift;; b = (b + 1) & (buckets - 1)) {
            const entry& e = entries[index[b]];
            if (index[b] == 0 || (e.head == head && e.text.size() == word.size() &&
                                  (word.size() <= 8 || e.text.substr(8) == word.substr(8))))
                return e;
        }
    }
    [[nodiscard]] constexpr set close(const set& s) const noexcept { return s | (s & hashes).shifted(); }
    [[nodiscard]] constexpr set step(const set& s, const entry& e) const noexcept
    {
        return close((s & e.takes).shifted() | (s & hashes));
    }

    consteval std::size_t entry_for(std::string_view word) noexcept
    {
        const std::uint64_t head = head_of(word, 0, word.size());
        std::size_t b = hash_of(head, word.size()) >> shift;
        for (; index[b] != 0; b = (b + 1) & (buckets - 1))
            if (entries[index[b]].text == word)
                return index[b];
        ++known_words;
        index[b] = static_cast<std::uint16_t>(known_words);
        entries[known_words].head = head;
        entries[known_words].text = word;
        return known_words;
    }
    consteval void add(std::size_t pattern, std::string_view text, std::size_t& place) noexcept
    {
        start.add(place);
        std::string_view last;
        for (topic_words words(text); !words.at_end(); words.advance()) {
            const std::string_view word = words.word();
            if (word == "#" && last == "#")
                continue;
            last = word;
            pattern_of[place] = static_cast<std::uint16_t>(pattern);
            if (word == "#")
                hashes.add(place);
            else if (word == "*")
                entries[0].takes.add(place);
            else
                entries[entry_for(word)].takes.add(place);
            ++place;
        }
        accepting.add(place);
        pattern_of[place] = static_cast<std::uint16_t>(pattern);
        end_of[pattern] = static_cast<std::uint16_t>(place);
        ++place;
    }
    consteval void finish() noexcept
    {
        for (std::size_t i = 1; i <= known_words; ++i)
            entries[i].takes = entries[i].takes | entries[0].takes; // a * takes any word
        start = close(start);
    }
};

template <class... Patterns>
[[nodiscard]] consteval auto make_automaton() noexcept
{
    automaton_tables<size_of_automaton<Patterns...>()> tables;
    std::size_t pattern = 0, place = 0;
    (tables.add(pattern++, Patterns::text(), place), ...);
    tables.finish();
    return tables;
}

template <class Tables>
[[nodiscard]] consteval bool is_first_match(const Tables& tables, std::size_t pattern,
                                            const typename Tables::set& reached) noexcept
{
    for (std::size_t p = 0; p < pattern; ++p)
        if (reached.has(tables.end_of[p]))
            return false;
    return reached.has(tables.end_of[pattern]);
}

/// Whether a key made from the pattern, with words that no pattern has for its wildcards and so many for each #,
/// is one that no pattern before it matches. Mostly it is, and then nothing has to be searched.
template <class Tables>
[[nodiscard]] consteval bool takes_its_own(const Tables& tables, std::size_t pattern, std::string_view text,
                                           std::size_t words_for_hash) noexcept
{
    typename Tables::set reached = tables.start;
    for (topic_words words(text); !words.at_end(); words.advance()) {
        const std::string_view word = words.word();
        const bool is_wildcard = word == "*" || word == "#";
        const auto& entry = is_wildcard ? tables.entries[0] : tables.find(word, head_of(word, 0, word.size()));
        for (std::size_t n = word == "#" ? words_for_hash : 1; n > 0; --n)
            reached = tables.step(reached, entry);
    }
    return is_first_match(tables, pattern, reached);
}

/// Whether some key matches the pattern and none before it: a search through the sets that keys lead to. True, too,
/// when that isn't known after `effort` comparisons of sets, since the answer can need exponentially many.
template <class Tables>
[[nodiscard]] consteval bool is_reachable(const Tables& tables, std::size_t pattern,
                                          std::size_t effort) noexcept
{
    using set = typename Tables::set;
    constexpr std::size_t most_sets = 64;
    std::array<set, most_sets> seen{};
    std::size_t known = 0;
    set own{}, own_or_before{};
    for (std::size_t place = 0; place <= tables.end_of[pattern]; ++place) {
        own_or_before.add(place);
        if (tables.pattern_of[place] == pattern)
            own.add(place);
    }
    const auto is_taken_before = [&](const set& s) { // and is, whatever follows
        for (std::size_t p = 0; p < pattern; ++p) {
            const std::size_t end = tables.end_of[p];
            if (end > 0 && tables.hashes.has(end - 1) && tables.pattern_of[end - 1] == p && s.has(end - 1))
                return true;
        }
        return false;
    };
    seen[known++] = tables.start & own_or_before;
    for (std::size_t i = 0; i < known; ++i) {
        if (is_first_match(tables, pattern, seen[i]))
            return true;
        for (std::size_t word = 0; word <= tables.known_words; ++word) {
            const set next = tables.step(seen[i], tables.entries[word]) & own_or_before;
            if ((next & own).empty() || is_taken_before(next))
                continue;
            bool is_new = true;
            for (std::size_t k = 0; k < known && is_new; ++k, effort -= effort > 0)
                is_new = !(seen[k] == next);
            if (!is_new)
                continue;
            if (known == most_sets || effort == 0)
                return true;
            seen[known++] = next;
        }
    }
    return false;
}

} // namespace routing::detail

/// Which of several patterns a key matches, decided for all of them in one walk over the key's words. The patterns are
/// types with a static `text()`, such as topic_pattern<"*.orange.#">. The tables are made when the program is compiled; at run
/// time nothing is allocated and nothing is compared but words that have the same hash. A word costs the same
/// however many patterns there are, up to some sixty words in all of them, and then grows by a step for each sixty-four.
template <class... Patterns>
class topic_automaton {
    static_assert(sizeof...(Patterns) > 0 && sizeof...(Patterns) < 65536);
    static constexpr auto tables = routing::detail::make_automaton<Patterns...>();
    using set = typename decltype(tables)::set;

public:
    static constexpr std::size_t size = sizeof...(Patterns);

    /// The index of the first pattern that the key matches; `size` if it matches none.
    [[nodiscard]] static constexpr std::size_t first(std::string_view key) noexcept
    {
        const set matched = walk(key) & tables.accepting;
        for (std::size_t i = 0; i < matched.bits.size(); ++i)
            if (matched.bits[i] != 0)
                return tables.pattern_of[64 * i + static_cast<unsigned>(__builtin_ctzll(matched.bits[i]))];
        return size;
    }
    /// The indices of all patterns that a key matches, from the first to the last.
    class matches {
    public:
        constexpr explicit matches(std::string_view key) noexcept : left_(walk(key) & tables.accepting) {}
        [[nodiscard]] constexpr bool empty() const noexcept { return left_.empty(); }
        /// The next one; only if there is one.
        [[nodiscard]] constexpr std::size_t take() noexcept
        {
            std::size_t i = 0;
            while (left_.bits[i] == 0)
                ++i;
            const std::size_t place = 64 * i + static_cast<unsigned>(__builtin_ctzll(left_.bits[i]));
            left_.bits[i] &= left_.bits[i] - 1;
            return tables.pattern_of[place];
        }

    private:
        set left_;
    };
    /// Whether some key matches this pattern and none before it. That is searched for in bounds; where these are
    /// reached the answer is true.
    [[nodiscard]] static consteval bool is_reachable(std::size_t index) noexcept
    {
        constexpr std::array<std::string_view, size> texts{Patterns::text()...};
        if (routing::detail::takes_its_own(tables, index, texts[index], 0) ||
            routing::detail::takes_its_own(tables, index, texts[index], 1))
            return true;
        for (std::size_t i = 0; i < index; ++i)
            if (topic_covers(texts[i], texts[index]))
                return false;
        return routing::detail::is_reachable(tables, index, 4000);
    }

private:
    [[nodiscard]] static constexpr set walk(std::string_view key) noexcept
    {
        if (key.size() <= routing::detail::short_key::most) [[likely]]
            return walk_words(routing::detail::short_key(key));
        return walk_words(routing::detail::long_key(key));
    }
    template <class Key>
    [[nodiscard]] static constexpr set walk_words(const Key& key) noexcept
    {
        set reached = tables.start;
        for (std::size_t at = key.size() == 0 ? 1 : 0; at <= key.size();) {
            const std::size_t end = key.end_of(at);
            const std::string_view word(key.text().data() + at, end - at);
            const auto& entry = tables.find(word, routing::detail::head_of(word, at, key.size() - at));
            reached = tables.step(reached, entry);
            at = end + 1;
        }
        return reached;
    }
};

} // namespace leveret
