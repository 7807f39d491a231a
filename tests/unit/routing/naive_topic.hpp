// Topic matching as the definition says it: try every way. What all others are held against. Once over words that
// were split before, once without allocating, for many pairs.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace leveret::test {

inline std::vector<std::string> split(std::string_view key)
{
    std::vector<std::string> words;
    if (key.empty())
        return words;
    for (;;) {
        const auto dot = key.find('.');
        words.emplace_back(key.substr(0, dot));
        if (dot == std::string_view::npos)
            return words;
        key.remove_prefix(dot + 1);
    }
}

inline bool naive_matches(const std::vector<std::string>& pattern, const std::vector<std::string>& key,
                          std::size_t p = 0, std::size_t k = 0)
{
    if (p == pattern.size())
        return k == key.size();
    if (pattern[p] == "#")
        return naive_matches(pattern, key, p + 1, k) ||
               (k < key.size() && naive_matches(pattern, key, p, k + 1));
    return k < key.size() && (pattern[p] == "*" || pattern[p] == key[k]) &&
           naive_matches(pattern, key, p + 1, k + 1);
}

/// Up to `most` words of an alphabet.
inline std::string random_text(std::mt19937_64& random, const std::vector<std::string>& alphabet,
                               std::size_t most)
{
    std::string text;
    const std::size_t words = random() % (most + 1);
    for (std::size_t i = 0; i < words; ++i)
        text += (i > 0 ? "." : "") + alphabet[random() % alphabet.size()];
    return text;
}

namespace detail {

/// The first word and what is behind it; nothing is left after the last one.
struct key_rest {
    explicit key_rest(std::string_view key) noexcept : rest(key), is_over(key.empty()) {}
    std::string_view rest;
    bool is_over;

    [[nodiscard]] std::string_view word() const noexcept { return rest.substr(0, rest.find('.')); }
    [[nodiscard]] key_rest behind() const noexcept
    {
        key_rest r = *this;
        const std::size_t dot = rest.find('.');
        r.is_over = dot == std::string_view::npos;
        r.rest = r.is_over ? std::string_view() : rest.substr(dot + 1);
        return r;
    }
};

inline bool naive_matches(key_rest pattern, key_rest key)
{
    if (pattern.is_over)
        return key.is_over;
    const std::string_view wanted = pattern.word();
    if (wanted == "#")
        return naive_matches(pattern.behind(), key) ||
               (!key.is_over && naive_matches(pattern, key.behind()));
    return !key.is_over && (wanted == "*" || wanted == key.word()) &&
           naive_matches(pattern.behind(), key.behind());
}

} // namespace detail

/// Words are between dots, an empty text has none; `*` is one word, `#` any number of them. Takes exponential time
/// for hostile patterns.
inline bool naive_topic_matches(std::string_view pattern, std::string_view key)
{
    return detail::naive_matches(detail::key_rest(pattern), detail::key_rest(key));
}

} // namespace leveret::test
