// Content headers that a hostile peer sends.
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
using leveret::protocol_errc;
using leveret::test::big_endian;
using leveret::test::bytes;
using leveret::test::exact_bytes;
using leveret::test::random_values;

namespace {

protocol_errc parse(std::string_view payload, std::uint32_t depth = 4)
{
    const exact_bytes copy(payload);
    content_header header;
    return parse_content_header(copy.view(), depth, header);
}

std::string encoded(const properties& p)
{
    std::string payload(content_header_size + encoded_size(p), '?');
    writer out(payload.data(), payload.size());
    encode_content_header(out, 5, p);
    REQUIRE(out.ok());
    return payload;
}

const std::string front = bytes("003c 0000 0000000000000005");

} // namespace

TEST_CASE("hostile headers: every set of properties cut at every byte")
{
    random_values random(2);
    std::size_t cuts = 0;
    for (std::uint32_t flags = 4; flags < 0x10000; flags += 4) {
        CAPTURE(flags);
        // Few values, so that 16,383 headers with all their cuts take a moment only.
        std::string payload = front + big_endian(flags, 2);
        for (unsigned i = 0; i < 14; ++i) {
            if ((flags & (1U << (15U - i))) == 0)
                continue;
            switch (detail::property_kinds[i]) {
            case detail::property_kind::short_text: payload += bytes("02 'xy'"); break;
            case detail::property_kind::table: payload += bytes("00000003 01 'k' 'V'"); break;
            case detail::property_kind::octet: payload += bytes("02"); break;
            case detail::property_kind::seconds: payload += big_endian(1, 8); break;
            }
        }
        REQUIRE(parse(payload) == protocol_errc::none);
        REQUIRE(parse(payload + "x") == protocol_errc::trailing_bytes);
        for (std::size_t n = 0; n < payload.size(); ++n, ++cuts)
            REQUIRE(parse(std::string_view(payload).substr(0, n)) == protocol_errc::malformed_header);
    }
    CHECK(cuts > 500000);
}

TEST_CASE("hostile headers: large values cut at every byte")
{
    random_values random(5);
    for (int round = 0; round < 20; ++round) {
        const std::string payload = encoded(random.properties_of(0xfffc));
        REQUIRE(parse(payload) == protocol_errc::none);
        for (std::size_t n = 0; n < payload.size(); ++n)
            REQUIRE(parse(std::string_view(payload).substr(0, n)) == protocol_errc::malformed_header);
    }
}

TEST_CASE("hostile headers: flags that class basic does not have")
{
    CHECK(parse(front + bytes("0001")) == protocol_errc::malformed_header); // another word of flags
    CHECK(parse(front + bytes("0001 0000")) == protocol_errc::malformed_header);
    CHECK(parse(front + bytes("0002")) == protocol_errc::malformed_header); // a 15th property
    CHECK(parse(front + bytes("0003")) == protocol_errc::malformed_header);
    CHECK(parse(front + bytes("8001 0000 01 'x'")) == protocol_errc::malformed_header);
    CHECK(parse(front + bytes("8002 01 'x'")) == protocol_errc::malformed_header);
    std::string without_end = front;
    for (int i = 0; i < 50000; ++i)
        without_end += bytes("ffff");
    CHECK(parse(without_end) == protocol_errc::malformed_header);
    CHECK(parse(front + bytes("fffc")) == protocol_errc::malformed_header); // all, and no values
}

TEST_CASE("hostile headers: class and weight")
{
    for (const unsigned class_id : {0U, 10U, 50U, 59U, 61U, 0x3c00U, 0xffffU})
        CHECK(parse(big_endian(class_id, 2) + bytes("0000 0000000000000005 0000")) ==
              protocol_errc::header_class);
    // The class is judged before the rest, but not before the rest is there.
    CHECK(parse(bytes("0032 0000 0000000000000005 ffff")) == protocol_errc::header_class);
    CHECK(parse(bytes("0032")) == protocol_errc::malformed_header);
    CHECK(parse(bytes("003c ffff 0000000000000005 0000")) == protocol_errc::none); // as RabbitMQ
}

TEST_CASE("hostile headers: bytes behind the last property")
{
    CHECK(parse(front + bytes("0000 00")) == protocol_errc::trailing_bytes);
    CHECK(parse(front + bytes("0000") + std::string(1000, 'x')) == protocol_errc::trailing_bytes);
    CHECK(parse(front + bytes("1000 02 00")) == protocol_errc::trailing_bytes);
    CHECK(parse(front + bytes("8000 01 'xy'")) == protocol_errc::trailing_bytes);
}

TEST_CASE("hostile headers: a malformed table inside")
{
    const auto with = [](std::string_view entries, std::uint32_t depth = 1) {
        const std::string table = bytes(entries);
        return parse(front + bytes("2000") + big_endian(table.size(), 4) + table, depth);
    };
    CHECK(with("") == protocol_errc::none);
    CHECK(with("01 'k' 'V'") == protocol_errc::none);
    CHECK(with("01 'k' 'q'") == protocol_errc::field_type);
    CHECK(with("01 'k' 'S' 00000001") == protocol_errc::malformed_table);
    CHECK(with("01 'k' 'F' 00000000") == protocol_errc::none);
    CHECK(with("01 'k' 'F' 00000000", 0) == protocol_errc::table_depth);
    CHECK(with("01 'k' 'F' 00000007 01 'k' 'F' 00000000") == protocol_errc::table_depth);
    // Its length: past the end, and short of it.
    CHECK(parse(front + bytes("2000 ffffffff 01 'k' 'V'")) == protocol_errc::malformed_header);
    CHECK(parse(front + bytes("2000 00000004 01 'k' 'V'")) == protocol_errc::malformed_header);
    CHECK(parse(front + bytes("2000 00000000 01 'k' 'V'")) == protocol_errc::trailing_bytes);
    // And what follows it is not read.
    CHECK(parse(front + bytes("3000 00000003 01 'k' 'q' 02")) == protocol_errc::field_type);
}
