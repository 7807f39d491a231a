#pragma once

#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
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

/// Appends null, a boolean, an integer or a plain text; false for all else.
[[nodiscard]] inline bool write_plain(const nlohmann::json& value, std::string& out)
{
    const auto number = [&out](auto n) {
        std::array<char, 24> digits{};
        out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr);
    };
    switch (value.type()) {
    case nlohmann::json::value_t::null: out += "null"; return true;
    case nlohmann::json::value_t::boolean: out += value.get<bool>() ? "true" : "false"; return true;
    case nlohmann::json::value_t::number_integer: number(value.get<std::int64_t>()); return true;
    case nlohmann::json::value_t::number_unsigned: number(value.get<std::uint64_t>()); return true;
    case nlohmann::json::value_t::string: {
        const std::string& text = value.get_ref<const std::string&>();
        for (const char c : text)
            if (!is_plain(c))
                return false;
        out.append(1, '"').append(text).append(1, '"');
        return true;
    }
    default: return false;
    }
}
/// Such a value or an array of such; false for all else, and `out` is to be forgotten.
[[nodiscard]] inline bool write_flat(const nlohmann::json& value, std::string& out)
{
    if (!value.is_array())
        return write_plain(value, out);
    out += '[';
    for (const nlohmann::json& v : *value.get_ptr<const nlohmann::json::array_t*>()) {
        if (out.size() != 1)
            out += ',';
        if (!write_plain(v, out))
            return false;
    }
    out += ']';
    return true;
}

/// Reads an integer or a plain text from the front of `text`; false for all else.
[[nodiscard]] inline bool read_plain(std::string_view& text, nlohmann::json& value)
{
    if (text.empty())
        return false;
    if (text.front() == '"') {
        for (std::size_t i = 1; i < text.size() && is_plain(text[i]); ++i)
            if (i + 1 < text.size() && text[i + 1] == '"') {
                value = std::string(text.substr(1, i));
                text.remove_prefix(i + 2);
                return true;
            }
        return false;
    }
    const bool is_negative = text.front() == '-';
    const std::size_t first = is_negative ? 1 : 0;
    std::size_t end = first;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9')
        ++end;
    // No more than surely fit; not 07; and -0 is a floating-point number to nlohmann-json.
    if (end == first || end - first > std::numeric_limits<std::int64_t>::digits10 || (text[first] == '0' && (end - first > 1 || is_negative)))
        return false;
    std::uint64_t n = 0;
    std::from_chars(text.data() + first, text.data() + end, n);
    if (is_negative)
        value = -static_cast<std::int64_t>(n);
    else
        value = n;
    text.remove_prefix(end);
    return true;
}
/// Such a value or an array of such, without spaces, and nothing behind it; false for all else.
[[nodiscard]] inline bool read_flat(std::string_view text, nlohmann::json& value)
{
    if (text.empty() || text.front() != '[')
        return read_plain(text, value) && text.empty();
    text.remove_prefix(1);
    nlohmann::json::array_t list;
    do {
        if (!list.empty())
            text.remove_prefix(1);
        if (!read_plain(text, list.emplace_back()))
            return false;
    } while (!text.empty() && text.front() == ',');
    if (text != "]")
        return false;
    value = std::move(list);
    return true;
}

} // namespace leveret::detail
