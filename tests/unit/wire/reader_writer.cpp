// The sticky failures of reader and writer.
#include "support/bytes.hpp"

#include <leveret/wire/reader.hpp>
#include <leveret/wire/writer.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace leveret::wire;
using leveret::protocol_errc;
using leveret::test::bytes;
using leveret::test::hex;

TEST_CASE("reader: takes values off the front, highest octet first")
{
    const std::string input = bytes("01 0203 04050607 08090a0b0c0d0e0f 03 'abc' 00000002 'xy' 00000001 'z'");
    reader in(input);
    CHECK(in.u8() == 0x01);
    CHECK(in.u16() == 0x0203);
    CHECK(in.u32() == 0x04050607);
    CHECK(in.u64() == 0x08090a0b0c0d0e0f);
    CHECK(in.short_string() == "abc");
    long_string text;
    in.take(text);
    CHECK(text.text == "xy");
    table_view table;
    in.take(table);
    CHECK(table.encoded == "z");
    CHECK(in.ok());
    CHECK(in.remaining() == 0);
    CHECK(in.position() == input.data() + input.size());
}

TEST_CASE("reader: the first failure sticks and nothing more is read")
{
    const std::string input = bytes("0102030405");
    reader in(input, protocol_errc::malformed_table);
    CHECK(in.u32() == 0x01020304);
    CHECK(in.u16() == 0); // one octet is there
    CHECK(in.error() == protocol_errc::malformed_table);
    CHECK(in.remaining() == 0);
    CHECK(in.u8() == 0);
    CHECK(in.u64() == 0);
    CHECK(in.bytes(1).empty());
    CHECK(in.short_string().empty());
    bool bit = true;
    in.take(bit);
    CHECK_FALSE(bit);
    in.fail(protocol_errc::table_depth);
    CHECK(in.error() == protocol_errc::malformed_table);
}

TEST_CASE("reader: a length past the end takes nothing")
{
    for (const char* notation : {"04 'abc'", "ff", "01", "ff 'abc'"}) {
        const std::string input = bytes(notation);
        reader in(input);
        CHECK(in.short_string().empty());
        CHECK(in.error() == protocol_errc::malformed_arguments);
    }
    for (const char* notation : {"00000004 'abc'", "ffffffff 'abc'", "80000000", "000000", "7fffffff 00"}) {
        const std::string input = bytes(notation);
        reader in(input);
        long_string text("before");
        in.take(text);
        CHECK(text.text.empty());
        CHECK_FALSE(in.ok());
    }
    reader nothing{std::string_view()};
    CHECK(nothing.bytes(0).empty());
    CHECK(nothing.ok());
    CHECK(nothing.u8() == 0);
    CHECK_FALSE(nothing.ok());
}

TEST_CASE("writer: what does not fit is not written, and the failure sticks")
{
    std::string memory(6, 0x3f);
    writer out(memory.data(), 5);
    out.u32(0x01020304);
    out.u16(0x0506);
    CHECK_FALSE(out.ok());
    CHECK(out.size() == 4);
    out.u8(7); // would fit
    out.put(true);
    out.bytes("x");
    CHECK_FALSE(out.ok());
    CHECK(out.size() == 4);
    CHECK(memory == bytes("01020304 3f3f"));
}

TEST_CASE("writer: a short text has at most 255 bytes")
{
    std::string memory(300, '?');
    writer longest(memory.data(), memory.size());
    longest.short_string(std::string(255, 'x'));
    CHECK(longest.ok());
    CHECK(longest.size() == 256);
    CHECK(memory.substr(0, 257) == "\xff" + std::string(255, 'x') + "?");

    memory.assign(300, '?');
    writer longer(memory.data(), memory.size());
    longer.short_string(std::string(256, 'x'));
    CHECK_FALSE(longer.ok());
    CHECK(longer.size() == 0);
    CHECK(memory == std::string(300, '?'));
    longer.u8(1);
    CHECK(memory == std::string(300, '?'));
}

TEST_CASE("writer: all kinds of values, filling their memory to the last octet")
{
    std::string memory(26, '?');
    writer out(memory.data(), memory.size());
    out.put(std::uint8_t{1});
    out.put(std::uint16_t{0x0203});
    out.put(std::uint32_t{0x04050607});
    out.put(std::uint64_t{0x08090a0b0c0d0e0f});
    out.put(std::string_view("ab"));
    out.put(long_string("c"));
    out.put(table_view{""});
    CHECK_FALSE(out.ok()); // one octet too few
    CHECK(out.size() == 23);

    memory.assign(27, '?');
    writer again(memory.data(), memory.size());
    again.put(std::uint8_t{1});
    again.put(std::uint16_t{0x0203});
    again.put(std::uint32_t{0x04050607});
    again.put(std::uint64_t{0x08090a0b0c0d0e0f});
    again.put(std::string_view("ab"));
    again.put(long_string("c"));
    again.put(table_view{""});
    CHECK(again.ok());
    CHECK(again.size() == memory.size());
    CHECK(again.position() == memory.data() + memory.size());
    CHECK(hex(memory) == hex(bytes("01 0203 04050607 08090a0b0c0d0e0f 02 'ab' 00000001 'c' 00000000")));
}
