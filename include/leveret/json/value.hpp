#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/json/plain_text.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace leveret {

/// A value of JSON: null, a boolean, a number, a text, an array, an object.
using json = nlohmann::json;

/// Levels of arrays and objects inside each other that are read: copying deeper ones would use up the stack.
inline constexpr std::size_t max_json_depth = 256;

namespace detail {

[[nodiscard]] inline bool is_json_too_deep(std::string_view text) noexcept
{
    std::size_t depth = 0;
    bool in_text = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"')
            in_text = !in_text;
        else if (in_text)
            i += c == '\\' ? 1 : 0;
        else if ((c == '[' || c == '{') && ++depth > max_json_depth)
            return true;
        else if ((c == ']' || c == '}') && depth != 0)
            --depth;
    }
    return false;
}
/// A discarded value if it is not JSON that is read.
[[nodiscard]] inline json try_parse_json(std::string_view text)
{
    return is_json_too_deep(text) ? json(json::value_t::discarded) : json::parse(text, nullptr, false);
}

} // namespace detail

/// Reads one value of JSON and nothing behind it. Throws decode_error, which says where the text is wrong and quotes
/// nothing of it; also if it is deeper than max_json_depth.
[[nodiscard]] inline json parse_json(std::string_view text)
{
    json flat;
    if (detail::read_flat(text, flat))
        return flat;
    if (detail::is_json_too_deep(text))
        throw_decode_error("the body is JSON of more than " + std::to_string(max_json_depth) + " levels");
    // The parser's own exceptions quote the text; where it went wrong is all that is told of them.
    try {
        return json::parse(text);
    } catch (const json::parse_error& e) {
        throw_decode_error("the body is not JSON: byte " + std::to_string(e.byte) + " of " +
                           std::to_string(text.size()));
    } catch (const json::exception&) {
        throw_decode_error("the body is not JSON that can be held: a number is too large");
    }
}

namespace detail {

/// Calls `write`, whose failures are texts that are not UTF-8.
template <class Write>
void write_json(Write write)
{
    try {
        write();
    } catch (const json::exception&) {
        throw_invalid_argument("a text that is not UTF-8 can't be written as JSON");
    }
}
/// Appends a text in quotes. Throws as json_text.
inline void append_json_text(std::string& out, std::string_view text)
{
    write_json([&] { append_text(out, text); });
}
/// Appends a value. Throws as json_text.
inline void append_json(std::string& out, const json& value)
{
    const std::size_t before = out.size();
    write_json([&] {
        if (write_flat(value, out))
            return;
        out.resize(before);
        out += value.dump();
    });
}

} // namespace detail

/// The value as text, without spaces. Throws usage_error if a text in it is not UTF-8.
[[nodiscard]] inline std::string json_text(const json& value)
{
    std::string out;
    detail::append_json(out, value);
    return out;
}

/// What kind of value it is, for sentences: `a number`, `null`.
[[nodiscard]] inline std::string_view kind_of(const json& value) noexcept
{
    switch (value.type()) {
    case json::value_t::null: return "null";
    case json::value_t::object: return "an object";
    case json::value_t::array: return "an array";
    case json::value_t::string: return "a text";
    case json::value_t::boolean: return "a boolean";
    case json::value_t::number_integer:
    case json::value_t::number_unsigned: return "an integer";
    case json::value_t::number_float: return "a number";
    default: return "nothing";
    }
}

} // namespace leveret
