#include "support/bytes.hpp"
#include "support/random_values.hpp"

#include <leveret/wire/content_header.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace leveret::wire;
using leveret::properties;
using leveret::property;
using leveret::protocol_errc;
using leveret::table;
using leveret::test::bytes;
using leveret::test::hex;
using leveret::test::random_values;

namespace {

std::string encoded(std::uint64_t body_size, const properties& p)
{
    std::string payload(content_header_size + encoded_size(p), '?');
    writer out(payload.data(), payload.size());
    encode_content_header(out, body_size, p);
    REQUIRE(out.ok());
    REQUIRE(out.size() == payload.size());
    return payload;
}

/// The properties through the view's own getters.
properties through_getters(const properties_view& v)
{
    properties p;
    if (v.has(property::content_type)) p.content_type(v.content_type());
    if (v.has(property::content_encoding)) p.content_encoding(v.content_encoding());
    if (v.has(property::headers)) p.headers(decode_table(v.headers()));
    if (v.has(property::delivery_mode)) p.delivery_mode(v.delivery_mode());
    if (v.has(property::priority)) p.priority(v.priority());
    if (v.has(property::correlation_id)) p.correlation_id(v.correlation_id());
    if (v.has(property::reply_to)) p.reply_to(v.reply_to());
    if (v.has(property::expiration)) p.expiration(v.expiration());
    if (v.has(property::message_id)) p.message_id(v.message_id());
    if (v.has(property::timestamp)) p.timestamp(v.timestamp());
    if (v.has(property::type)) p.type(v.type());
    if (v.has(property::user_id)) p.user_id(v.user_id());
    if (v.has(property::app_id)) p.app_id(v.app_id());
    if (v.has(property::cluster_id)) p.cluster_id(v.cluster_id());
    return p;
}

void check_absent_are_empty(const properties_view& v)
{
    const auto text = [&](property which, std::string_view value) {
        if (!v.has(which))
            CHECK(value.empty());
    };
    text(property::content_type, v.content_type());
    text(property::content_encoding, v.content_encoding());
    text(property::headers, v.headers().encoded);
    text(property::correlation_id, v.correlation_id());
    text(property::reply_to, v.reply_to());
    text(property::expiration, v.expiration());
    text(property::message_id, v.message_id());
    text(property::type, v.type());
    text(property::user_id, v.user_id());
    text(property::app_id, v.app_id());
    text(property::cluster_id, v.cluster_id());
    if (!v.has(property::delivery_mode))
        CHECK(v.delivery_mode() == 0);
    if (!v.has(property::priority))
        CHECK(v.priority() == 0);
    if (!v.has(property::timestamp))
        CHECK(v.timestamp().seconds == 0);
}

} // namespace

TEST_CASE("content header: all 14 properties as pika 1.2.0 writes them")
{
    properties p;
    p.content_type("text/plain").content_encoding("gzip").header("n", 1).delivery_mode(2).priority(5);
    p.correlation_id("id").reply_to("r").expiration("1000").message_id("m").timestamp({1700000000});
    p.type("t").user_id("guest").app_id("app").cluster_id("");
    const std::string golden =
        bytes("003c0000000000000000000bfffc0a746578742f706c61696e04677a697000000007016e49000000010205"
              "02696401720431303030016d000000006553f100017405677565737403617070 00");
    CHECK(hex(encoded(11, p)) == hex(golden));

    content_header header;
    REQUIRE(parse_content_header(golden, 0, header) == protocol_errc::none);
    CHECK(header.body_size == 11);
    CHECK(header.properties.flags() == 0xfffc);
    CHECK(header.properties.has(property::cluster_id));
    CHECK(decode_properties(header.properties) == p);
    CHECK(through_getters(header.properties) == p);
}

TEST_CASE("content header: none of them")
{
    const std::string golden = bytes("003c 0000 ffffffffffffffff 0000");
    CHECK(encoded(0xffffffffffffffff, properties{}) == golden);
    content_header header;
    REQUIRE(parse_content_header(golden, 0, header) == protocol_errc::none);
    CHECK(header.body_size == 0xffffffffffffffff); // judged by who knows the limit
    CHECK(header.properties.flags() == 0);
    CHECK(decode_properties(header.properties) == properties{});
    check_absent_are_empty(header.properties);
}

TEST_CASE("content header: every set of properties comes back")
{
    random_values random(14);
    for (std::uint32_t flags = 0; flags < 0x10000; flags += 4) {
        CAPTURE(flags);
        const properties sent = random.properties_of(static_cast<std::uint16_t>(flags));
        REQUIRE(sent.flags() == flags);
        REQUIRE(unencodable(sent).empty());
        const std::string payload = encoded(flags, sent);
        content_header header;
        REQUIRE(parse_content_header(payload, 2, header) == protocol_errc::none);
        REQUIRE(header.body_size == flags);
        REQUIRE(header.properties.flags() == flags);
        REQUIRE(decode_properties(header.properties) == sent);
        if (flags % 16 == 0) {
            CHECK(through_getters(header.properties) == sent);
            check_absent_are_empty(header.properties);
        }
    }
}

TEST_CASE("content header: what AMQP can't carry is named")
{
    const std::string longest(255, 'x');
    const std::string longer(256, 'x');
    struct row {
        const char* name;
        properties& (properties::*set)(std::string_view);
    };
    const row rows[] = {
        {"content_type", &properties::content_type},
        {"content_encoding", &properties::content_encoding},
        {"correlation_id", &properties::correlation_id},
        {"reply_to", &properties::reply_to},
        {"expiration", &properties::expiration},
        {"message_id", &properties::message_id},
        {"type", &properties::type},
        {"user_id", &properties::user_id},
        {"app_id", &properties::app_id},
        {"cluster_id", &properties::cluster_id},
    };
    for (const row& item : rows) {
        CAPTURE(item.name);
        properties p;
        CHECK(unencodable((p.*item.set)(longest)).empty());
        CHECK(unencodable((p.*item.set)(longer)) == item.name);
        std::string payload(content_header_size + encoded_size(p), '?');
        writer out(payload.data(), payload.size());
        encode_content_header(out, 0, p);
        CHECK_FALSE(out.ok());
        // One that is not set any more is not sent.
        p.clear(static_cast<property>(p.flags()));
        CHECK(unencodable(p).empty());
    }
    properties p;
    CHECK(unencodable(p.header(longest, 1)).empty());
    CHECK(unencodable(p.header(longer, 1)) == "headers");
    p.clear(property::headers);
    CHECK(unencodable(p).empty());
}
