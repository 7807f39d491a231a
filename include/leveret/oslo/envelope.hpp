// The envelope of oslo.messaging's messages, version 2.0.
#pragma once

#include "leveret/core/message.hpp"
#include "leveret/core/payload.hpp"
#include "leveret/json/value.hpp"

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace leveret::oslo {

namespace detail {

/// The code unit of an escape \\uXXXX at the front of `text`, or -1.
[[nodiscard]] inline int escaped_unit(std::string_view text) noexcept
{
    unsigned unit = 0;
    if (text.size() < 6 || !text.starts_with("\\u"))
        return -1;
    const auto [end, e] = std::from_chars(text.data() + 2, text.data() + 6, unit, 16);
    return e == std::errc() && end == text.data() + 6 ? static_cast<int>(unit) : -1;
}

/// Python writes NaN, Infinity and -Infinity, which JSON has not: they become null. And it writes halves of surrogate
/// pairs, which stand for bytes that were no UTF-8 (PEP 383): they become U+FFFD.
[[nodiscard]] inline std::string without_python(std::string_view text)
{
    std::string out;
    bool in_text = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_text) {
            std::size_t taken = c == '\\' ? 2 : 1;
            const int unit = escaped_unit(text.substr(i));
            if (unit >= 0xd800 && unit <= 0xdfff) {
                const int next = escaped_unit(text.substr(i + 6));
                const bool is_pair = unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff;
                taken = is_pair ? 12 : 6;
                out += is_pair ? text.substr(i, taken) : std::string_view("\\ufffd");
            } else {
                out += text.substr(i, taken);
            }
            i += taken - 1;
            in_text = c != '"';
            continue;
        }
        in_text = c == '"';
        bool is_number = false;
        for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
            if (!is_number && text.substr(i).starts_with(word)) {
                out += "null";
                i += word.size() - 1;
                is_number = true;
            }
        }
        if (!is_number)
            out.push_back(c);
    }
    return out;
}

} // namespace detail

/// JSON as Python writes it: numbers that are none become null, texts that are none get U+FFFD. Throws decode_error.
[[nodiscard]] inline json parse(std::string_view text)
{
    json value = leveret::detail::try_parse_json(text);
    if (value.is_discarded())
        value = parse_json(detail::without_python(text));
    return value;
}

/// Makes `m` a message of oslo.messaging around `inner`, an object of JSON, with the properties that it has there. Throws
/// usage_error if that is not UTF-8.
inline void envelop(std::string_view inner, message& m)
{
    std::string body = R"({"oslo.version": "2.0", "oslo.message": )";
    body.reserve(body.size() + inner.size() + inner.size() / 4 + 8);
    leveret::detail::append_json_text(body, inner);
    body.push_back('}');
    m.body(payload(body)).persistent().content_type("application/json").content_encoding("utf-8").headers(table()).priority(0);
}
[[nodiscard]] inline message enveloped(const json& inner)
{
    message m;
    envelop(json_text(inner), m);
    return m;
}

/// What is in the envelope: an object. A message without one is the object itself (version 1.0). Throws decode_error
/// for everything that oslo.messaging rejects.
[[nodiscard]] inline json opened(std::string_view body, std::string_view content_type)
{
    if (content_type != "application/json")
        throw_decode_error("a message of oslo.messaging is application/json");
    json outer = parse(body);
    if (!outer.is_object())
        throw_decode_error("a message of oslo.messaging is an object");
    const auto version = outer.find("oslo.version");
    const auto text = outer.find("oslo.message");
    if (version == outer.end() && text == outer.end())
        return outer;
    if (version == outer.end() || (*version != "2.0" && *version != "2.0.0"))
        throw_decode_error("an envelope of oslo.messaging has version 2.0");
    if (text == outer.end() || !text->is_string())
        throw_decode_error("the envelope of oslo.messaging has no text in it");
    json inner = parse(text->get_ref<const std::string&>());
    if (!inner.is_object())
        throw_decode_error("a message of oslo.messaging is an object");
    return inner;
}

/// A text of an object, or "" if it has none of that name. Throws decode_error if it is something else.
[[nodiscard]] inline std::string text_of(const json& object, const char* key)
{
    const auto found = object.find(key);
    if (found == object.end() || found->is_null())
        return {};
    if (!found->is_string())
        throw_decode_error(std::string(key) + " is " + std::string(kind_of(*found)) + " and no text");
    return found->get<std::string>();
}

/// The same, and what is no text as JSON.
[[nodiscard]] inline std::string any_text_of(const json& object, const char* key)
{
    const auto found = object.find(key);
    if (found == object.end() || found->is_null())
        return {};
    return found->is_string() ? found->get<std::string>() : json_text(*found);
}

/// The entries `_context_*` of a message, taken out of it.
[[nodiscard]] inline json take_context(json& inner)
{
    constexpr std::string_view prefix = "_context_";
    json context = json::object();
    for (auto at = inner.begin(); at != inner.end();) {
        if (at.key().starts_with(prefix)) {
            context[at.key().substr(prefix.size())] = std::move(at.value());
            at = inner.erase(at);
        } else {
            ++at;
        }
    }
    return context;
}
inline void put_context(json& inner, const json& context)
{
    for (const auto& [key, value] : context.items())
        inner["_context_" + key] = value;
}

} // namespace leveret::oslo
