#include <leveret/core/table.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using leveret::byte_array;
using leveret::decimal;
using leveret::field_array;
using leveret::field_type;
using leveret::field_value;
using leveret::table;
using leveret::timestamp;

namespace {

// What converts, and what must not: an unsigned 64-bit number has no type on the wire, and a pointer
// would silently become a bool.
static_assert(std::convertible_to<int, field_value> && std::convertible_to<bool, field_value>);
static_assert(std::convertible_to<const char*, field_value>);
static_assert(!std::convertible_to<unsigned long, field_value>);
static_assert(!std::convertible_to<unsigned long long, field_value>);
static_assert(!std::convertible_to<std::size_t, field_value>);
static_assert(!std::convertible_to<int*, field_value>);
static_assert(!std::convertible_to<const void*, field_value>);
static_assert(std::is_nothrow_move_constructible_v<field_value> &&
              std::is_nothrow_move_assignable_v<field_value>);
static_assert(std::is_nothrow_move_constructible_v<table> && std::is_nothrow_move_assignable_v<table>);
static_assert(!std::is_aggregate_v<field_value> && !std::is_aggregate_v<table>);

/// One value of each type, no two of them equal.
std::vector<field_value> one_of_each()
{
    return {{},
            true,
            std::int8_t{1},
            std::uint8_t{1},
            std::int16_t{1},
            std::uint16_t{1},
            std::int32_t{1},
            std::uint32_t{1},
            std::int64_t{1},
            1.0F,
            1.0,
            decimal{0, 1},
            timestamp{1},
            "1",
            byte_array("1"),
            field_array{1},
            table{{"1", 1}}};
}

/// How many of the types `as` knows fit; text and bytes are both std::string.
int types_of(const field_value& v)
{
    int n = v.is_void() ? 1 : 0;
    const auto add = [&](const auto* value) { n += value != nullptr ? 1 : 0; };
    add(v.as<bool>());
    add(v.as<std::int8_t>());
    add(v.as<std::uint8_t>());
    add(v.as<std::int16_t>());
    add(v.as<std::uint16_t>());
    add(v.as<std::int32_t>());
    add(v.as<std::uint32_t>());
    add(v.as<std::int64_t>());
    add(v.as<float>());
    add(v.as<double>());
    add(v.as<decimal>());
    add(v.as<timestamp>());
    add(v.as<std::string>());
    add(v.as<field_array>());
    add(v.as<table>());
    return n;
}

} // namespace

TEST_CASE("field value: each C++ type has its type octet")
{
    const std::string_view octets = "VtbBsuIilfdDTSxAF";
    const auto values = one_of_each();
    REQUIRE(values.size() == octets.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        CHECK(static_cast<char>(values[i].type()) == octets[i]);
        CHECK(types_of(values[i]) == 1);
        CHECK(values[i].is_void() == (i == 0));
    }
    CHECK(field_value(1L).type() == field_type::int64);
    CHECK(field_value(1LL).type() == field_type::int64);
    CHECK(field_value(std::string("x")).type() == field_type::string);
    CHECK(field_value(std::string_view("x")).type() == field_type::string);
}

TEST_CASE("field value: gives back what it was made of")
{
    CHECK(*field_value(false).as<bool>() == false);
    CHECK(*field_value(std::int8_t{-128}).as<std::int8_t>() == -128);
    CHECK(*field_value(std::uint8_t{255}).as<std::uint8_t>() == 255);
    CHECK(*field_value(std::int16_t{-32768}).as<std::int16_t>() == -32768);
    CHECK(*field_value(std::uint16_t{65535}).as<std::uint16_t>() == 65535);
    CHECK(*field_value(-5).as<std::int32_t>() == -5);
    CHECK(*field_value(4000000000U).as<std::uint32_t>() == 4000000000U);
    CHECK(*field_value(std::numeric_limits<std::int64_t>::min()).as<std::int64_t>() ==
          std::numeric_limits<std::int64_t>::min());
    CHECK(*field_value(2.5F).as<float>() == 2.5F);
    CHECK(*field_value(-2.5).as<double>() == -2.5);
    CHECK(*field_value(decimal{3, -7}).as<decimal>() == decimal{3, -7});
    CHECK(field_value(timestamp{9}).as<timestamp>()->seconds == 9);
    CHECK(*field_value("text").as<std::string>() == "text");
    CHECK(*field_value(byte_array("bytes")).as<std::string>() == "bytes");
    CHECK(field_value("text").text() == "text");
    CHECK(field_value(byte_array("bytes")).text() == "bytes");
    CHECK(field_value(1).text().empty());
    CHECK(field_value(field_array{1, "a"}).as<field_array>()->size() == 2);
    CHECK(field_value(table{{"k", 1}}).as<table>()->contains("k"));
}

TEST_CASE("field value: every integer type as 64 bits")
{
    CHECK(field_value(std::int8_t{-1}).integer() == -1);
    CHECK(field_value(std::uint8_t{255}).integer() == 255);
    CHECK(field_value(std::int16_t{-1}).integer() == -1);
    CHECK(field_value(std::uint16_t{65535}).integer() == 65535);
    CHECK(field_value(-1).integer() == -1);
    CHECK(field_value(4294967295U).integer() == 4294967295);
    CHECK(field_value(std::int64_t{-1}).integer() == -1);
    int others = 0;
    for (const field_value& v : one_of_each())
        others += v.integer(77) == 77 ? 1 : 0;
    CHECK(others == 10);
    CHECK(field_value("5").integer() == 0);
}

TEST_CASE("field value: equal are values of the same type only")
{
    const auto values = one_of_each();
    const auto same = one_of_each();
    for (std::size_t i = 0; i < values.size(); ++i)
        for (std::size_t j = 0; j < values.size(); ++j) {
            CAPTURE(i);
            CAPTURE(j);
            CHECK((values[i] == same[j]) == (i == j));
        }
    const std::vector<field_value> others{false,          std::int8_t{2},  std::uint8_t{2},
                                          std::int16_t{2}, std::uint16_t{2}, 2,
                                          2U,             2L,              2.0F,
                                          2.0,            decimal{1, 1},   timestamp{2},
                                          "2",            byte_array("2"), field_array{2},
                                          table{{"1", 2}}};
    for (std::size_t i = 0; i < others.size(); ++i)
        CHECK(values[i + 1] != others[i]);
    CHECK(field_value(decimal{0, 1}) != field_value(decimal{0, 2}));
}

TEST_CASE("field value: NaN equals NaN, and nothing else")
{
    const auto nan = std::numeric_limits<double>::quiet_NaN();
    const auto nanf = std::numeric_limits<float>::quiet_NaN();
    CHECK(field_value(nan) == field_value(nan));
    CHECK(field_value(nanf) == field_value(nanf));
    CHECK(field_value(nan) != field_value(1.0));
    CHECK(field_value(1.0) != field_value(nan));
    CHECK(field_value(nanf) != field_value(1.0F));
    CHECK(field_value(1.0F) != field_value(nanf));
    CHECK(field_value(nan) != field_value(std::numeric_limits<double>::infinity()));
    CHECK(field_value(nan) != field_value(nanf)); // another type
    const table t{{"k", field_array{nan}}};
    CHECK(t == table(t));
}

TEST_CASE("field value: copies are deep, moves leave something that can be assigned")
{
    field_value a(table{{"k", field_array{"x", table{{"deep", 1}}}}});
    const field_value copy = a;
    CHECK(copy == a);
    field_value moved = std::move(a);
    CHECK(moved == copy);
    a = 5; // NOLINT: used after it was moved from, on purpose
    CHECK(a == field_value(5));
    CHECK(moved == copy);
    moved = copy;
    moved = *&moved;
    CHECK(moved == copy);
}
