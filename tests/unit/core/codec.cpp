#include "leveret/core/codec.hpp"

#include <doctest/doctest.h>

#include <charconv>
#include <optional>
#include <ostream>

using namespace leveret;

namespace {

struct celsius {
    int degrees = 0;
};

} // namespace

/// A user's own: decimal, in the media type of the codec's name and no other.
template <>
struct leveret::codec<celsius> {
    static constexpr std::string_view content_type = "application/x-celsius";
    static payload encode(const celsius& c) { return payload(std::to_string(c.degrees)); }
    static celsius decode(std::string_view body)
    {
        celsius c;
        const auto end = std::from_chars(body.data(), body.data() + body.size(), c.degrees);
        if (end.ec != std::errc() || end.ptr != body.data() + body.size())
            throw_decode_error("not a number of degrees");
        return c;
    }
};

static_assert(encodable<std::string> && encodable<payload> && encodable<celsius> && !encodable<int>);
static_assert(decodable<std::string> && decodable<std::string_view> && decodable<payload> &&
              decodable<celsius>);
static_assert(decodable<std::span<const std::byte>> && decodable<std::vector<std::byte>> && !decodable<int>);
static_assert(decodable_from_payload<payload> && !decodable_from_payload<std::string>);
static_assert(is_media_type("text/plain", "text/plain") &&
              is_media_type("Text/Plain; charset=utf-8", "text/plain"));
static_assert(is_media_type("text/csv", "text/") && !is_media_type("textual/csv", "text/"));
static_assert(!is_media_type("text/plainer", "text/plain") && !is_media_type("", "text/") &&
              is_media_type("a/b ;c", "a/b"));

namespace {

template <class T>
std::optional<std::string> refusal_of(const message& m)
{
    try {
        static_cast<void>(decode<T>(m));
        return std::nullopt;
    } catch (const decode_error& e) {
        CHECK(e.code() == errc::not_decodable);
        return e.what();
    }
}

} // namespace

TEST_CASE("codec: there and back")
{
    const std::string hare = "a hare, which is born furred and with open eyes"; // more than fit into a payload
    const message text = encode(hare);
    CHECK(text.text() == hare);
    CHECK(text.properties().content_type() == "text/plain");
    CHECK(decode<std::string>(text) == hare);
    CHECK(decode<std::string_view>(text).data() == text.text().data()); // a view
    CHECK(decode<payload>(text).data() == text.text().data());          // shared
    CHECK(decode<std::span<const std::byte>>(text).size() == hare.size());

    const std::vector<std::byte> bytes{std::byte{0}, std::byte{255}};
    const message binary = encode(bytes);
    CHECK(binary.properties().content_type() == "application/octet-stream");
    CHECK(decode<std::vector<std::byte>>(binary) == bytes);

    const message warm = encode(celsius{21});
    CHECK(warm.properties().content_type() == "application/x-celsius");
    CHECK(decode<celsius>(warm).degrees == 21);
}

TEST_CASE("codec: what a body says it is, is looked at")
{
    for (const auto* type :
         {"", "text/plain", "TEXT/HTML; charset=utf-8", "application/json", "application/problem+json"})
        CHECK_FALSE(refusal_of<std::string>(message("x").content_type(type)));
    CHECK(refusal_of<std::string>(message("x").content_type("image/png")) ==
          "a body of content type 'image/png' is not what was to be decoded");
    CHECK(refusal_of<std::string_view>(message("x").content_type("a\n")) ==
          "a body of content type 'a\\n' is not what was to be decoded");
    CHECK(refusal_of<std::string>(message("x").content_encoding("gzip")) ==
          "a body of content encoding 'gzip' can't be decoded");
    CHECK_FALSE(refusal_of<std::string>(message("x").content_encoding("utf-8")));
    CHECK_FALSE(refusal_of<payload>(message("x").content_type("image/png").content_encoding("gzip")));

    CHECK_FALSE(refusal_of<celsius>(message("1"))); // says nothing
    CHECK_FALSE(refusal_of<celsius>(message("1").content_type("application/X-Celsius")));
    CHECK(refusal_of<celsius>(message("1").content_type("text/plain")));
    CHECK(refusal_of<celsius>(message("1x")) == "not a number of degrees");
}
