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

/// Another one: a number is JSON, too.
struct count {
    int n = 0;
};
template <>
struct leveret::codec<count> {
    static constexpr std::string_view content_type = "application/json";
    static payload encode(const count& c) { return payload(std::to_string(c.n)); }
    static count decode(std::string_view body)
    {
        count c;
        std::from_chars(body.data(), body.data() + body.size(), c.n);
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
static_assert(is_json("application/json") && is_json("Application/JSON ; charset=utf-8") &&
              is_json("application/problem+json") && is_json("application/vnd.a.b+JSON;v=1"));
static_assert(!is_json("") && !is_json("json") && !is_json("text/json") && !is_json("application/+json") &&
              !is_json("application/jsonp") && !is_json("application/xjson") && !is_json("/a+json"));

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
         {"", "text/plain", "TEXT/HTML; charset=utf-8", "application/json", "application/problem+json",
          "application/Problem+JSON ; charset=utf-8", "image/svg+xml", "application/XML"})
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

    for (const auto* type : {"", "application/json", "APPLICATION/JSON; charset=utf-8",
                             "application/problem+json", "application/vnd.x+json;v=1"})
        CHECK_FALSE(refusal_of<count>(message("1").content_type(type)));
    for (const auto* type : {"text/plain", "application/xml", "application/json-seq"})
        CHECK(refusal_of<count>(message("1").content_type(type)));
}
