// Topic matching as the definition says it: split, and try every way. What all others are held against.
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

} // namespace leveret::test
