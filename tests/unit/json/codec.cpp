// JSON as bodies: what goes out comes back, and what is not of the type is told and not bent.
#include <leveret/json.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace lv = leveret;

namespace desk {

struct quote {
    std::string symbol;
    double price = 0;
    std::optional<int> size;
    bool operator==(const quote&) const = default;
};
constexpr auto json_members(lv::json_type<quote>)
{
    return std::tuple(lv::json_member{"symbol", &quote::symbol}, lv::json_member{"price", &quote::price},
                      lv::json_member{"size", &quote::size});
}

struct book {
    std::string name;
    std::vector<quote> quotes;
    std::map<std::string, quote> best;
    bool operator==(const book&) const = default;
};
constexpr auto json_members(lv::json_type<book>)
{
    return std::tuple(lv::json_member{"name", &book::name}, lv::json_member{"quotes", &book::quotes},
                      lv::json_member{"best", &book::best});
}

/// As programs that use nlohmann-json have them.
struct point {
    int x = 0, y = 0;
    bool operator==(const point&) const = default;
};
void to_json(nlohmann::json& j, const point& p) { j = {{"x", p.x}, {"y", p.y}}; }
void from_json(const nlohmann::json& j, point& p)
{
    j.at("x").get_to(p.x);
    j.at("y").get_to(p.y);
}

struct nothing_of_json {
    int* p = nullptr;
};

} // namespace desk

namespace {

static_assert(lv::json_value<desk::quote> && lv::json_value<desk::book> && lv::json_value<desk::point>);
static_assert(lv::json_value<int> && lv::json_value<std::vector<std::optional<double>>> && lv::json_value<lv::json>);
static_assert(!lv::json_value<desk::nothing_of_json> && !lv::json_value<char> && !lv::json_value<int*>);
static_assert(!lv::json_value<std::vector<desk::nothing_of_json>> && !lv::json_value<std::vector<std::byte>>);
static_assert(lv::encodable<desk::quote> && lv::decodable<desk::quote> && lv::decodable<int>);
static_assert(!lv::decodable<desk::nothing_of_json>);

template <class T>
std::string text_of(const T& value)
{
    return std::string(lv::encode(value).text());
}
template <class T>
T read(std::string_view text)
{
    return lv::decode<T>(lv::message(text).content_type("application/json"));
}
template <class T>
std::string refusal(std::string_view text)
{
    try {
        static_cast<void>(read<T>(text));
    } catch (const lv::decode_error& e) {
        CHECK(e.code() == lv::errc::not_decodable);
        return e.what();
    }
    return "it was read";
}

} // namespace

TEST_CASE("json: a message says what it is")
{
    const lv::message m = lv::encode(desk::quote{"HARE", 12.5, {}});
    CHECK(m.properties().content_type() == "application/json");
    CHECK(m.text() == R"({"price":12.5,"size":null,"symbol":"HARE"})");
}

TEST_CASE("json: what is written is read")
{
    const desk::quote q{"h\u00e9", 0.1, 3};
    CHECK(read<desk::quote>(text_of(q)) == q);
    const desk::book b{"b", {q, {"X", -1, {}}}, {{"best", q}}};
    CHECK(read<desk::book>(text_of(b)) == b);
    CHECK(read<desk::point>(text_of(desk::point{1, -2})) == desk::point{1, -2});
    CHECK(read<std::vector<desk::point>>("[{\"x\":1,\"y\":2}]") == std::vector{desk::point{1, 2}});
    CHECK(read<std::uint64_t>(text_of(UINT64_MAX)) == UINT64_MAX);
    CHECK(read<std::int64_t>(text_of(INT64_MIN)) == INT64_MIN);
    CHECK(read<double>("3") == 3);
    CHECK(read<std::vector<bool>>(text_of(std::vector<bool>{true, false})) == std::vector<bool>{true, false});
    using pair = std::pair<int, std::string>;
    CHECK(read<pair>(text_of(pair{1, "a"})) == pair{1, "a"});
    CHECK(read<std::optional<int>>("null") == std::nullopt);
    CHECK(read<std::optional<int>>("7") == 7);
    CHECK(nlohmann::json(q).get<desk::quote>() == q); // nlohmann-json itself knows it
}

TEST_CASE("json: what is absent and what is more")
{
    CHECK(read<desk::quote>(R"({"symbol":"A","price":1,"colour":"red"})") == desk::quote{"A", 1, {}});
    CHECK(refusal<desk::quote>(R"({"symbol":"A"})") == "price: is missing");
    CHECK(refusal<desk::quote>("[]") == "an object is wanted and not an array");
}

TEST_CASE("json: nothing is bent into another type")
{
    CHECK(refusal<int>("2.5") == "an integer is wanted and not a number");
    CHECK(refusal<int>("true") == "an integer is wanted and not a boolean");
    CHECK(refusal<int>("\"1\"") == "an integer is wanted and not a text");
    CHECK(refusal<bool>("1") == "a boolean is wanted and not an integer");
    CHECK(refusal<double>("null") == "a number is wanted and not null");
    CHECK(refusal<std::uint8_t>("256") == "the integer is too large");
    CHECK(refusal<unsigned>("-1") == "the integer is out of range");
    CHECK(refusal<std::vector<int>>("[1,2,\"x\"]") == "2: an integer is wanted and not a text");
    CHECK(refusal<desk::book>(R"({"name":"b","best":{},"quotes":[{"symbol":1}]})") ==
          "quotes: 0: symbol: a text is wanted and not an integer");
    using pair = std::pair<int, int>;
    CHECK(refusal<pair>("[1]") == "an array of 2 is wanted");
    CHECK(refusal<desk::point>("{\"x\":1}").find("key 'y' not found") != std::string::npos);
}

TEST_CASE("json: a body that is none")
{
    CHECK(refusal<lv::json>("{\"secret\":") == "the body is not JSON: byte 11 of 10");
    CHECK(refusal<lv::json>("") == "the body is not JSON: byte 1 of 0");
    CHECK(refusal<lv::json>("1 2") == "the body is not JSON: byte 3 of 3");
    CHECK(refusal<lv::json>("1e999") == "the body is not JSON that can be held: a number is too large");
    CHECK(refusal<lv::json>("\"\xff\"").starts_with("the body is not JSON"));
}

TEST_CASE("json: content types and encodings")
{
    const auto decode = [](std::string_view type, std::string_view encoding) {
        return lv::decode<int>(lv::message("1").content_type(type).content_encoding(encoding));
    };
    CHECK(decode("application/json", "utf-8") == 1);
    CHECK(decode("application/problem+json; charset=utf-8", "") == 1);
    CHECK(lv::decode<int>(lv::message("1")) == 1);
    CHECK_THROWS_AS(decode("text/plain", ""), lv::decode_error);
    CHECK_THROWS_AS(decode("application/json", "gzip"), lv::decode_error);
}

TEST_CASE("json: a text that is not UTF-8 can't be written")
{
    CHECK_THROWS_AS(static_cast<void>(lv::encode(std::vector<std::string>{"\xff"})), lv::usage_error);
}

TEST_CASE("json: what is read and written without nlohmann-json is what that would read and write")
{
    for (const std::string_view t :
         {"1", "-1", "0", "-0", "007", "1.5", "1e3", "\"a\"", "\"\"", "\"a\\n\"", "[1]", "[]", "[1,2]", "[1,]", "[,1]",
          "[1,\"x\",-3]", "[[1]]", " 1", "1 ", "[1] ", "null", "true", "[null]", "9223372036854775807",
          "18446744073709551615", "18446744073709551616", "-9223372036854775808", "\"\xc3\xa4\"", "\"\xc3\"", "\"\x01\"",
          "-", "", "[", "]", "[1", "\"", "\"a", "[\"]", "[\"a\"\"b\"]", "1234567890123456789", "999999999999999999",
          "\"\x7f\"", "[1 ,2]", "[1,2]]", "[1,2", "1,2", "{\"a\":1}", "[{\"a\":1},2]"}) {
        CAPTURE(t);
        const lv::json wanted = lv::json::parse(t, nullptr, false);
        if (wanted.is_discarded()) {
            CHECK_THROWS_AS(static_cast<void>(lv::parse_json(t)), lv::decode_error);
            continue;
        }
        const lv::json found = lv::parse_json(t);
        CHECK(found == wanted);
        CHECK(found.type() == wanted.type());
        CHECK(lv::json_text(found) == wanted.dump());
    }
    CHECK_THROWS_AS(static_cast<void>(lv::json_text(lv::json("\xc3"))), lv::usage_error);
}

TEST_CASE("json: integers and lists of them read from text are those of the tree, and what is none is refused as there")
{
    const auto same = []<class T>(T, std::string_view text) {
        CAPTURE(text);
        const auto outcome = [](auto read) -> std::pair<std::optional<T>, std::string> {
            try {
                return {read(), ""};
            } catch (const lv::decode_error& e) {
                return {std::nullopt, e.what()};
            }
        };
        CHECK(outcome([&] { return lv::from_json_text<T>(text); }) == outcome([&] { return lv::json_to<T>(lv::parse_json(text)); }));
    };
    for (const std::string_view text : {"", "0", "7", "-7", "-0", "07", "-07", "+7", " 7", "7 ", "7.0", "7e1", "127", "128", "-128", "-129", "255",
                                        "256", "18446744073709551615", "18446744073709551616", "-9223372036854775808",
                                        "9223372036854775808", "true", "null", "[7]", "0x7", "7,", "-", "--7"}) {
        same(std::int8_t(), text);
        same(std::uint8_t(), text);
        same(std::int64_t(), text);
        same(std::uint64_t(), text);
        same(bool(), text);
        same(double(), text);
    }
    for (const std::string_view text : {"[]", "[1]", "[1,2]", "[-1,0]", "[1, 2]", "[ 1]", "[1 ]", "[1,]", "[,1]", "[1,2", "1]", "[[1]]", "[1,256]",
                                        "[1]x", "[01]", "[1.5]", "[true]"}) {
        same(std::vector<std::uint8_t>(), text);
        same(std::vector<int>(), text);
        same(std::vector<bool>(), text);
    }
}

TEST_CASE("json: as deep as it may be, and no deeper")
{
    const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
    CHECK(lv::parse_json(nested(lv::max_json_depth)).is_array());
    CHECK_THROWS_WITH_AS(static_cast<void>(lv::parse_json(nested(lv::max_json_depth + 1))),
                         doctest::Contains("more than 256 levels"), lv::decode_error);
    CHECK_THROWS_AS(static_cast<void>(lv::parse_json(std::string(1'000'000, '['))), lv::decode_error);
    CHECK_THROWS_AS(static_cast<void>(lv::parse_json("{\"a\\\"[\":" + nested(lv::max_json_depth) + "}")), lv::decode_error);
    // Brackets in texts are none.
    const std::string text = "[\"" + std::string(1000, '[') + "\\\"" + std::string(1000, '{') + "\",{\"" + std::string(1000, '[') + "\":1}]";
    CHECK(lv::parse_json(text).size() == 2);
}
