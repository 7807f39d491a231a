#pragma once

#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace leveret::detail {

// Most arguments and results of calls are a few integers and words, for which a parser and a serializer cost more than
// the call. What is not as simple as here is left to nlohmann-json, before anything was done.

[[nodiscard]] inline bool is_plain(char c) noexcept
{
    const auto u = static_cast<unsigned char>(c);
    return u >= ' ' && u < 0x7f && c != '"' && c != '\\'; // ASCII: others are looked at more closely
}

/// Appends a text in quotes. Throws nlohmann::json::type_error if it is not UTF-8.
inline void append_text(std::string& out, std::string_view text)
{
    const std::size_t before = out.size();
    out += '"';
    for (const char c : text) {
        if (!is_plain(c)) {
            if (c != '"' && c != '\\') {
                out.resize(before);
                out += nlohmann::json(std::string(text)).dump();
                return;
            }
            out += '\\';
        }
        out += c;
    }
    out += '"';
}

template <std::integral T>
void append_integer(std::string& out, T value)
{
    std::array<char, 24> digits{};
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
}

/// Appends null, a boolean, an integer or a text; false for all else. Throws as append_text.
[[nodiscard]] inline bool write_plain(const nlohmann::json& value, std::string& out)
{
    switch (value.type()) {
    case nlohmann::json::value_t::null: out += "null"; return true;
    case nlohmann::json::value_t::boolean: out += value.get<bool>() ? "true" : "false"; return true;
    case nlohmann::json::value_t::number_integer: append_integer(out, value.get<std::int64_t>()); return true;
    case nlohmann::json::value_t::number_unsigned: append_integer(out, value.get<std::uint64_t>()); return true;
    case nlohmann::json::value_t::string: append_text(out, value.get_ref<const std::string&>()); return true;
    default: return false;
    }
}
/// Appends such a value or an array of such; false for all else, and some of it may be there. Throws as append_text.
[[nodiscard]] inline bool write_flat(const nlohmann::json& value, std::string& out)
{
    if (!value.is_array())
        return write_plain(value, out);
    char before = '[';
    for (const nlohmann::json& v : *value.get_ptr<const nlohmann::json::array_t*>()) {
        out += std::exchange(before, ',');
        if (!write_plain(v, out))
            return false;
    }
    out += before == '[' ? "[]" : "]";
    return true;
}

/// Takes an integer off the front of `text`; false for all else, also for what does not fit.
template <std::integral T>
[[nodiscard]] bool take_integer(std::string_view& text, T& value)
{
    const auto [end, e] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (e != std::errc())
        return false;
    const auto n = static_cast<std::size_t>(end - text.data());
    const std::size_t sign = text[0] == '-' ? 1 : 0;
    if (text[sign] == '0' && n > 1) // 07 is no JSON, and -0 a floating-point number to nlohmann-json
        return false;
    text.remove_prefix(n);
    return true;
}
/// Takes the elements of an array that is all of `text` and has no spaces between them, each by `take`; false for all else,
/// also for an array without elements.
template <class Take>
[[nodiscard]] bool read_list(std::string_view text, Take take)
{
    if (!text.starts_with('['))
        return false;
    do {
        text.remove_prefix(1);
        if (!take(text))
            return false;
    } while (text.starts_with(','));
    return text == "]";
}
/// Takes an integer or a plain text off the front of `text`; false for all else.
[[nodiscard]] inline bool take_plain(std::string_view& text, nlohmann::json& value)
{
    if (text.starts_with('"')) {
        for (std::size_t i = 1; i < text.size() && is_plain(text[i]); ++i)
            if (i + 1 < text.size() && text[i + 1] == '"') {
                value = std::string(text.substr(1, i));
                text.remove_prefix(i + 2);
                return true;
            }
        return false;
    }
    const auto take = [&](auto n) {
        const bool is_taken = take_integer(text, n);
        if (is_taken)
            value = n;
        return is_taken;
    };
    return text.starts_with('-') ? take(std::int64_t()) : take(std::uint64_t());
}
/// Reads such a value or an array of such, without spaces, and nothing behind it; false for all else.
[[nodiscard]] inline bool read_flat(std::string_view text, nlohmann::json& value)
{
    if (!text.starts_with('['))
        return take_plain(text, value) && text.empty();
    nlohmann::json::array_t list;
    if (!read_list(text, [&list](std::string_view& rest) { return take_plain(rest, list.emplace_back()); }))
        return false;
    value = std::move(list);
    return true;
}

} // namespace leveret::detail
