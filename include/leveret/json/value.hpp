#pragma once

#include "leveret/core/codec.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace leveret {

/// A value of JSON: null, a boolean, a number, a text, an array, an object.
using json = nlohmann::json;

/// Reads one value of JSON and nothing behind it. Throws decode_error, which says where the text is wrong and quotes
/// nothing of it.
[[nodiscard]] inline json parse_json(std::string_view text)
{
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

/// The value as text, without spaces. Throws usage_error if a text in it is not UTF-8.
[[nodiscard]] inline std::string json_text(const json& value)
{
    try {
        return value.dump();
    } catch (const json::exception&) {
        throw_invalid_argument("a text that is not UTF-8 can't be written as JSON");
    }
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
