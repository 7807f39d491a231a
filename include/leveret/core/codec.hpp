#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/payload.hpp"

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret {

/// How values of a type become bodies of messages, and the other way round. To give a type a codec, specialise this
/// with what is wanted of
///
///     static constexpr std::string_view content_type = "application/json"; // what encoded messages say
///     static payload encode(const T& value);
///     static T decode(std::string_view body);       // or decode(payload), to share the bytes
///     static bool accepts(std::string_view content_type);         // without it: content_type's, and none;
///                                                                    // of application/json all that is_json
///     static bool accepts_encoding(std::string_view content_encoding); // without it: none, identity, utf-8
///
/// Use `encode` and `decode`, which check content type and content encoding. What can't be decoded is a
/// decode_error (`throw_decode_error`).
template <class T>
struct codec;

/// A body is not what it was to be decoded as; its message can be rejected for it.
class decode_error : public error {
public:
    using error::error;
};

/// Throws decode_error(errc::not_decodable).
[[noreturn]] inline void throw_decode_error(std::string what)
{
    throw decode_error(make_error_code(errc::not_decodable), std::move(what));
}

template <class T>
concept encodable = requires(const T& value) {
    { codec<T>::encode(value) } -> std::same_as<payload>;
    { codec<T>::content_type } -> std::convertible_to<std::string_view>;
};
template <class T>
concept decodable_from_payload = requires(payload p) {
    { codec<T>::decode(std::move(p)) } -> std::same_as<T>;
};
template <class T>
concept decodable = decodable_from_payload<T> || requires(std::string_view body) {
    { codec<T>::decode(body) } -> std::same_as<T>;
};

namespace detail {

/// A content type without its parameters.
[[nodiscard]] constexpr std::string_view media_type_of(std::string_view content_type) noexcept
{
    std::string_view type = content_type.substr(0, content_type.find(';'));
    while (type.ends_with(' ') || type.ends_with('\t'))
        type.remove_suffix(1);
    return type;
}
/// `wanted` is in lower case.
[[nodiscard]] constexpr bool is_same_word(std::string_view word, std::string_view wanted) noexcept
{
    if (word.size() != wanted.size())
        return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
        const char c = word[i];
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != wanted[i])
            return false;
    }
    return true;
}
/// application/`name`, or something that ends in +`name` (RFC 6839).
[[nodiscard]] constexpr bool is_written_in(std::string_view content_type, std::string_view name) noexcept
{
    const std::string_view type = media_type_of(content_type);
    const std::size_t slash = type.find('/');
    if (slash == type.npos || slash == 0 || type.size() - slash - 1 < name.size() ||
        !is_same_word(type.substr(type.size() - name.size()), name))
        return false;
    const std::string_view before = type.substr(slash + 1, type.size() - slash - 1 - name.size());
    return before.empty() ? is_same_word(type.substr(0, slash), "application")
                          : before.size() > 1 && before.ends_with('+');
}

} // namespace detail

/// Whether a content type is of this media type ("text/plain"), whatever its case and its parameters are.
/// `wanted` is in lower case; one that ends in `/` stands for all subtypes.
[[nodiscard]] constexpr bool is_media_type(std::string_view content_type, std::string_view wanted) noexcept
{
    const std::string_view type = detail::media_type_of(content_type);
    return detail::is_same_word(wanted.ends_with('/') ? type.substr(0, wanted.size()) : type, wanted);
}
/// Whether it is JSON: application/json, or a type that is written in it, as application/problem+json.
[[nodiscard]] constexpr bool is_json(std::string_view content_type) noexcept
{
    return detail::is_written_in(content_type, "json");
}

/// Whether a body of this content encoding is as it was written: not compressed, and text in UTF-8.
[[nodiscard]] constexpr bool is_uncoded(std::string_view content_encoding) noexcept
{
    return content_encoding.empty() || is_media_type(content_encoding, "identity") || is_media_type(content_encoding, "utf-8");
}

namespace detail {

inline void check_uncoded(std::string_view content_encoding)
{
    if (!is_uncoded(content_encoding))
        throw_decode_error("a body of content encoding '" + escaped(content_encoding, 64) + "' can't be decoded");
}

template <class T>
[[nodiscard]] bool codec_accepts(std::string_view content_type)
{
    if constexpr (requires { codec<T>::accepts(content_type); })
        return codec<T>::accepts(content_type);
    else
        return content_type.empty() || is_media_type(content_type, codec<T>::content_type) ||
               (is_media_type(codec<T>::content_type, "application/json") && is_json(content_type));
}
template <class T>
[[nodiscard]] bool codec_accepts_encoding(std::string_view encoding)
{
    if constexpr (requires { codec<T>::accepts_encoding(encoding); })
        return codec<T>::accepts_encoding(encoding);
    else
        return is_uncoded(encoding);
}
template <decodable T, class Properties>
void check_content(const Properties& properties)
{
    if (const std::string_view type = properties.content_type(); !codec_accepts<T>(type))
        throw_decode_error("a body of content type '" + escaped(type, 64) + "' is not what was to be decoded");
    if (const std::string_view encoding = properties.content_encoding(); !codec_accepts_encoding<T>(encoding))
        throw_decode_error("a body of content encoding '" + escaped(encoding, 64) + "' can't be decoded");
}

/// What codecs of text have in common.
struct text_codec {
    static constexpr std::string_view content_type = "text/plain";
    [[nodiscard]] static payload encode(std::string_view text) { return payload(text); }
    /// Text, what is written as text, and what says nothing.
    [[nodiscard]] static bool accepts(std::string_view type) noexcept
    {
        return type.empty() || is_media_type(type, "text/") || is_json(type) || is_written_in(type, "xml");
    }
};
/// What codecs of bytes have in common: they take everything as it is.
struct bytes_codec {
    static constexpr std::string_view content_type = "application/octet-stream";
    [[nodiscard]] static bool accepts(std::string_view) noexcept { return true; }
    [[nodiscard]] static bool accepts_encoding(std::string_view) noexcept { return true; }
};

} // namespace detail

/// A message with the value as its body and the codec's content type. Throws what the codec throws.
template <encodable T>
[[nodiscard]] message encode(const T& value)
{
    message m(codec<T>::encode(value));
    m.content_type(codec<T>::content_type);
    return m;
}

/// The body of a delivery as a value. A view (std::string_view, std::span) is one of the delivery's bytes.
/// Throws decode_error if the content type or encoding is another, or the body does not decode.
template <decodable T, class Delivery>
requires requires(const Delivery& d)
{
    {
        d.body()
        } -> std::same_as<std::string_view>;
    {
        d.payload()
        } -> std::same_as<payload>;
    {
        d.properties().content_type()
        } -> std::convertible_to<std::string_view>;
}
[[nodiscard]] T decode(const Delivery& delivery)
{
    detail::check_content<T>(delivery.properties());
    if constexpr (decodable_from_payload<T>)
        return codec<T>::decode(delivery.payload());
    else
        return codec<T>::decode(delivery.body());
}
/// The body of a message as a value.
template <decodable T>
[[nodiscard]] T decode(const message& m)
{
    detail::check_content<T>(m.properties());
    if constexpr (decodable_from_payload<T>)
        return codec<T>::decode(m.body());
    else
        return codec<T>::decode(m.text());
}

/// Text is taken as it is: whether it is well-formed UTF-8 is not looked at.
template <>
struct codec<std::string> : detail::text_codec {
    [[nodiscard]] static std::string decode(std::string_view body) { return std::string(body); }
};
/// A view of the body where it lies.
template <>
struct codec<std::string_view> : detail::text_codec {
    [[nodiscard]] static std::string_view decode(std::string_view body) noexcept { return body; }
};
/// The body, shared.
template <>
struct codec<payload> : detail::bytes_codec {
    [[nodiscard]] static payload encode(const payload& bytes) noexcept { return bytes; }
    [[nodiscard]] static payload decode(payload body) noexcept { return body; }
};
/// A view of the body where it lies.
template <>
struct codec<std::span<const std::byte>> : detail::bytes_codec {
    [[nodiscard]] static payload encode(std::span<const std::byte> bytes) { return payload(bytes); }
    [[nodiscard]] static std::span<const std::byte> decode(std::string_view body) noexcept
    {
        return {reinterpret_cast<const std::byte*>(body.data()), body.size()};
    }
};
template <>
struct codec<std::vector<std::byte>> : detail::bytes_codec {
    [[nodiscard]] static payload encode(const std::vector<std::byte>& bytes)
    {
        return payload(std::span<const std::byte>(bytes));
    }
    [[nodiscard]] static std::vector<std::byte> decode(std::string_view body)
    {
        const auto* const first = reinterpret_cast<const std::byte*>(body.data());
        return {first, first + body.size()};
    }
};

} // namespace leveret
