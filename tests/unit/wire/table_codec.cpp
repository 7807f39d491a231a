// Golden bytes of every field type, as RabbitMQ reads and writes them, and what comes back of any table.
#include "support/bytes.hpp"
#include "support/random_values.hpp"

#include <leveret/wire/table_codec.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using namespace leveret::wire;
using leveret::byte_array;
using leveret::decimal;
using leveret::field_array;
using leveret::field_type;
using leveret::field_value;
using leveret::protocol_errc;
using leveret::table;
using leveret::timestamp;
using leveret::test::bytes;
using leveret::test::exact_bytes;
using leveret::test::hex;
using leveret::test::random_values;

namespace {

void check_golden(const table& t, const std::string& golden)
{
    CHECK(encoded_size(t) == golden.size());
    CHECK(hex(encode_table(t)) == hex(golden));
    REQUIRE(check_table({golden}, 8) == protocol_errc::none);
    CHECK(decode_table({golden}) == t);
}

void check_value(const field_value& value, std::string_view notation)
{
    CAPTURE(notation);
    table t;
    t.append("k", value);
    check_golden(t, bytes("01 'k'") + bytes(notation));
}

} // namespace

TEST_CASE("table codec: every type that RabbitMQ has")
{
    check_value({}, "'V'");
    check_value(true, "'t' 01");
    check_value(false, "'t' 00");
    check_value(std::int8_t{-2}, "'b' fe");
    check_value(std::uint8_t{0xfe}, "'B' fe");
    check_value(std::int16_t{-2}, "'s' fffe"); // a short string in the text of AMQP 0-9-1
    check_value(std::uint16_t{0xfffe}, "'u' fffe");
    check_value(std::int32_t{-2}, "'I' fffffffe");
    check_value(std::uint32_t{0xfffffffe}, "'i' fffffffe");
    check_value(std::int64_t{-2}, "'l' fffffffffffffffe"); // `L` in the text
    check_value(1.5F, "'f' 3fc00000");
    check_value(-2.25, "'d' c002000000000000");
    check_value(decimal{2, 314}, "'D' 02 0000013a");
    check_value(decimal{255, -1}, "'D' ff ffffffff"); // signed, the text says unsigned
    check_value("text", "'S' 00000004 'text'");
    check_value("", "'S' 00000000");
    check_value(byte_array(std::string("\0\xff", 2)), "'x' 00000002 00ff");
    check_value(timestamp{1700000000}, "'T' 000000006553f100");
    check_value(timestamp{0xffffffffffffffff}, "'T' ffffffffffffffff");
    check_value(field_array{}, "'A' 00000000");
    check_value(field_array{1, "a", {}}, "'A' 0000000c 'I' 00000001 'S' 00000001 'a' 'V'");
    check_value(table{}, "'F' 00000000");
    check_value(table{{"k", "v"}}, "'F' 00000008 01 'k' 'S' 00000001 'v'");
    check_value(std::numeric_limits<double>::infinity(), "'d' 7ff0000000000000");
    check_value(-0.0F, "'f' 80000000");
}

TEST_CASE("table codec: a whole table as pika 1.2.0 writes it")
{
    check_golden(table{{"t", true},
                       {"i", -2},
                       {"big", std::int64_t{1} << 40},
                       {"D", decimal{2, 314}},
                       {"S", "text"},
                       {"x", byte_array(std::string("\0\xff", 2))},
                       {"T", timestamp{1700000000}},
                       {"A", field_array{1, "a", {}}},
                       {"F", table{{"k", "v"}}},
                       {"V", {}}},
                 bytes("0174740101 6949fffffffe 03 626967 6c 0000010000000000 0144 44 02 0000013a 0153 53"
                       "00000004 74657874 0178 78 00000002 00ff 0154 54 000000006553f100 0141 41 0000000c"
                       "49 00000001 53 00000001 61 56 0146 46 00000008 01 6b 53 00000001 76 0156 56"));
    check_golden(table{}, "");
}

TEST_CASE("table codec: names are bytes, empty ones and equal ones included")
{
    table t;
    t.append("", 1);
    t.append("same", 2);
    t.append("same", 3);
    t.append(std::string("\0\n\xff", 3), 4);
    check_golden(t, bytes("00 'I' 00000001 04 'same' 'I' 00000002 04 'same' 'I' 00000003 03 000aff 'I' 00000004"));
}

TEST_CASE("table codec: any boolean but 0 is true")
{
    for (const char* octet : {"01", "02", "80", "ff"}) {
        const std::string encoded = bytes("01 'k' 't'") + bytes(octet);
        REQUIRE(check_table({encoded}, 0) == protocol_errc::none);
        CHECK(decode_table({encoded}) == table{{"k", true}});
    }
}

TEST_CASE("table codec: NaN and the sign of zero come back bit by bit")
{
    for (const char* notation :
         {"01 'k' 'f' 7fc00001", "01 'k' 'f' ffc00000", "01 'k' 'd' 7ff8000000000001",
          "01 'k' 'd' fff8000000000000", "01 'k' 'd' 8000000000000000", "01 'k' 'f' 80000000"}) {
        const std::string golden = bytes(notation);
        const table t = decode_table({golden});
        CHECK(hex(encode_table(t)) == hex(golden));
    }
}

TEST_CASE("table codec: any table comes back, and no table that is cut does")
{
    random_values random(42);
    std::size_t cuts = 0;
    for (int round = 0; round < 500; ++round) {
        const table sent = random.table_of(3);
        const std::string encoded = encode_table(sent);
        CAPTURE(hex(encoded));
        REQUIRE(encoded.size() == encoded_size(sent));
        REQUIRE(is_encodable(sent));
        REQUIRE(check_table({encoded}, 64) == protocol_errc::none);
        const table back = decode_table({encoded});
        REQUIRE(back == sent);
        REQUIRE(encode_table(back) == encoded);

        // Every cut that is not between two entries is seen.
        std::string entries;
        std::size_t between = 0;
        table first;
        for (std::size_t n = 0; n < encoded.size() && encoded.size() < 2000; ++n) {
            while (entries.size() < n && between < sent.size()) {
                const auto& entry = *(sent.begin() + static_cast<std::ptrdiff_t>(between++));
                first.append(entry.first, entry.second);
                entries = encode_table(first);
            }
            const exact_bytes cut(std::string_view(encoded).substr(0, n));
            const auto wanted = n == 0 || entries.size() == n ? protocol_errc::none
                                                              : protocol_errc::malformed_table;
            REQUIRE(check_table({cut.view()}, 64) == wanted);
            ++cuts;
        }
    }
    CHECK(cuts > 10000);
}

TEST_CASE("table codec: the fixed sizes are those that are written")
{
    random_values random(3);
    for (int round = 0; round < 2000; ++round) {
        const field_value value = random.value(1);
        const std::string encoded = encode_table(table{{"", value}});
        const int size = detail::fixed_field_size(static_cast<std::uint8_t>(value.type()));
        CHECK(static_cast<unsigned char>(encoded[1]) == static_cast<unsigned char>(value.type()));
        if (size >= 0)
            CHECK(encoded.size() == 2 + static_cast<std::size_t>(size));
        else
            CHECK(encoded.size() >= 6);
    }
}
