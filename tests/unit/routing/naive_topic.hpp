// Whether a topic pattern matches a key, straight from the definition: what the routers are held against.
#pragma once

#include <cstddef>
#include <string_view>

namespace leveret::test {

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
