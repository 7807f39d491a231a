// Tables that a hostile peer sends: depth, lengths, types, and the memory that they may cost.
#include "support/allocated.hpp"
#include "support/bytes.hpp"
#include "support/random_values.hpp"

#include <leveret/wire/table_codec.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace leveret::wire;
using leveret::field_array;
using leveret::field_value;
using leveret::protocol_errc;
using leveret::table;
using leveret::test::allocation_watch;
using leveret::test::big_endian;
using leveret::test::bytes;
using leveret::test::exact_bytes;
using leveret::test::random_values;

namespace {

/// `depth` tables or arrays inside one another, below the table itself.
std::string nested(std::uint32_t depth, bool as_arrays)
{
    std::string encoded;
    for (std::uint32_t below = depth; below-- > 0;) {
        // What is in the table itself is always an entry; what is in an array has no name.
        if (!as_arrays || encoded.empty())
            encoded += bytes("01 'k'");
        encoded += as_arrays ? 'A' : 'F';
        encoded += big_endian(std::size_t{below} * (as_arrays ? 5U : 7U), 4);
    }
    return encoded;
}

table nested_table(std::uint32_t depth)
{
    table t;
    for (; depth > 0; --depth) {
        table outer;
        outer.append("k", std::move(t));
        t = std::move(outer);
    }
    return t;
}

protocol_errc check(std::string_view notation, std::uint32_t depth = 4)
{
    const exact_bytes encoded(bytes(notation));
    return check_table({encoded.view()}, depth);
}

} // namespace

TEST_CASE("hostile tables: the depth limit at its edge")
{
    for (const bool as_arrays : {false, true}) {
        CAPTURE(as_arrays);
        for (const std::uint32_t depth : {0U, 1U, 2U, 63U, 64U, 65U, 650U}) {
            CAPTURE(depth);
            const std::string encoded = nested(depth, as_arrays);
            CHECK(check_table({encoded}, depth) == protocol_errc::none);
            CHECK(check_table({encoded}, depth + 1) == protocol_errc::none);
            if (depth > 0)
                CHECK(check_table({encoded}, depth - 1) == protocol_errc::table_depth);
        }
    }
    CHECK(limits{}.table_depth == 64);
    CHECK(is_encodable(nested_table(64)));
    CHECK_FALSE(is_encodable(nested_table(65)));
    CHECK(is_encodable(nested_table(3), 3));
    CHECK_FALSE(is_encodable(nested_table(3), 2));
    CHECK(encode_table(nested_table(20)) == nested(20, false));
    CHECK(decode_table({nested(64, false)}) == nested_table(64));
}

TEST_CASE("hostile tables: 25,000 nested ones cost neither stack nor memory")
{
    for (const bool as_arrays : {false, true}) {
        const std::string encoded = nested(25000, as_arrays);
        const allocation_watch watch;
        CHECK(check_table({encoded}, limits{}.table_depth) == protocol_errc::table_depth);
        CHECK(watch.grown() == 0);
    }
    // Many beside one another are fine.
    std::string encoded;
    for (int i = 0; i < 25000; ++i)
        encoded += bytes("00 'F' 00000000");
    CHECK(check_table({encoded}, 1) == protocol_errc::none);
    CHECK(check_table({encoded}, 0) == protocol_errc::table_depth);
    CHECK(decode_table({encoded}).size() == 25000);
}

TEST_CASE("hostile tables: lengths past the end")
{
    CHECK(check("01") == protocol_errc::malformed_table);
    CHECK(check("ff 'k'") == protocol_errc::malformed_table);
    CHECK(check("01 'k'") == protocol_errc::malformed_table);
    for (const char type : {'S', 'x', 'A', 'F'}) {
        CAPTURE(type);
        const std::string front = bytes("01 'k'") + type;
        for (const std::uint64_t length : {1ULL, 4ULL, 0x7fffffffULL, 0x80000000ULL, 0xffffffffULL}) {
            const std::string encoded = front + big_endian(length, 4);
            CHECK(check_table({encoded}, 4) == protocol_errc::malformed_table);
            CHECK(check_table({encoded + "\x01"}, 4) ==
                  (length == 1 && (type == 'S' || type == 'x') ? protocol_errc::none
                   : length == 1 && type == 'A'                ? protocol_errc::field_type
                                                               : protocol_errc::malformed_table));
        }
        CHECK(check_table({front}, 4) == protocol_errc::malformed_table);
        CHECK(check_table({front + std::string(3, '\0')}, 4) == protocol_errc::malformed_table);
    }
    // A value of an inner table that reaches into the outer one, where there would be enough.
    CHECK(check("01 'k' 'F' 00000006 01 'i' 'I' 000000 00 0000000000") == protocol_errc::malformed_table);
    CHECK(check("01 'k' 'A' 00000004 'I' 000000 01 'm' 'V'") == protocol_errc::malformed_table);
    CHECK(check("01 'k' 'A' 00000005 'S' 00000001 01 'm' 'V'") == protocol_errc::malformed_table);
    // A name that does.
    CHECK(check("01 'k' 'F' 00000001 01 'm' 'V'") == protocol_errc::malformed_table);
}

TEST_CASE("hostile tables: unknown types, everywhere")
{
    const std::string_view known = "VtbBsuIilLfdDSxTAF";
    for (unsigned octet = 0; octet < 256; ++octet) {
        const std::string type(1, static_cast<char>(static_cast<unsigned char>(octet)));
        CAPTURE(octet);
        const bool is_known = known.find(type[0]) != std::string_view::npos;
        const auto wanted = !is_known     ? protocol_errc::field_type
                            : octet == 'V' ? protocol_errc::none
                                           : protocol_errc::malformed_table; // nothing follows
        CHECK(check_table({bytes("01 'k'") + type}, 4) == wanted);
        CHECK(check_table({bytes("01 'k' 'A' 00000001") + type}, 4) == wanted);
    }
}

TEST_CASE("hostile tables: an error inside is found before the end and nothing after it counts")
{
    CHECK(check("01 'a' 'q' 01 'b' 'F' ffffffff") == protocol_errc::field_type);
    CHECK(check("01 'a' 'F' ffffffff 01 'b' 'q'") == protocol_errc::malformed_table);
    CHECK(check("01 'a' 'F' 00000008 01 'b' 'A' 00000001 'q' 01 'c' 'V'") == protocol_errc::field_type);
    CHECK(check("01 'a' 'F' 00000008 01 'b' 'A' 00000001 'V' 01 'c' 'V'") == protocol_errc::none);
    CHECK(check("01 'a' 'F' 00000008 01 'b' 'A' 00000001 'V' 01 'c' 'V'", 1) == protocol_errc::table_depth);
}

TEST_CASE("hostile tables: names that AMQP can't carry are not encodable")
{
    const std::string longest(255, 'k');
    const std::string longer(256, 'k');
    CHECK(is_encodable(table{{longest, 1}}));
    CHECK_FALSE(is_encodable(table{{longer, 1}}));
    CHECK_FALSE(is_encodable(table{{"a", table{{longer, 1}}}}));
    CHECK_FALSE(is_encodable(table{{"a", field_array{1, table{{longer, 1}}}}}));
    CHECK_FALSE(is_encodable(table{{"a", 1}, {longer, 1}}));
    CHECK(check_table({encode_table(table{{longest, 1}})}, 0) == protocol_errc::none);
}

TEST_CASE("hostile tables: checking allocates nothing, and decoding a multiple of what arrived")
{
    // The cheapest value is one octet; here it is as large as a field_value, and the vector that holds
    // them may be half empty.
    constexpr std::size_t most = 2 * sizeof(field_value) + 2;
    const std::string voids = bytes("01 'k' 'A'") + big_endian(100000, 4) + std::string(100000, 'V');
    std::string entries;
    for (int i = 0; i < 20000; ++i)
        entries += bytes("00 'V'");
    for (const std::string& encoded : {voids, entries}) {
        const allocation_watch watch;
        REQUIRE(check_table({encoded}, 64) == protocol_errc::none);
        CHECK(watch.grown() == 0);
        const table t = decode_table({encoded});
        CHECK(watch.grown() <= most * encoded.size());
        CHECK(watch.grown() > 0);
    }
}

TEST_CASE("hostile tables: any bytes are refused or come back as they were")
{
    random_values random(99);
    constexpr char types[] = "VtbBsuIilfdDSxTAFqL";
    std::size_t accepted = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string encoded;
        for (std::uint64_t n = random.below(6); n > 0; --n) {
            encoded += static_cast<char>(random.below(3));
            encoded += random.text(2);
            encoded += types[random.below(sizeof(types) - 1)];
            if (random.one_in(2))
                encoded += big_endian(random.below(4), 4);
            encoded += random.text(8);
        }
        if (check_table({encoded}, 4) != protocol_errc::none)
            continue;
        ++accepted;
        const table t = decode_table({encoded});
        REQUIRE(encoded_size(t) == encoded.size());
        REQUIRE(decode_table({encode_table(t)}) == t);
    }
    CHECK(accepted > 100);
}
