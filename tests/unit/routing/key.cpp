#include "leveret/routing/key.hpp"
#include "support/coro_test.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>

using leveret::key;

static_assert(key{"stock", "usd", "nyse"}.view() == "stock.usd.nyse");
static_assert(key{"sensor", 42, -7}.view() == "sensor.42.-7");
static_assert(leveret::key_word<std::string> && leveret::key_word<const char*> &&
              leveret::key_word<std::uint8_t>);
static_assert(!leveret::key_word<bool> && !leveret::key_word<char> && !leveret::key_word<double>);
static_assert(!std::is_convertible_v<const char*, key>);

namespace {

template <class... Words>
std::string refusal_of(const Words&... words)
{
    try {
        static_cast<void>(key{words...});
        return "";
    } catch (const leveret::usage_error& e) {
        CHECK(e.code() == leveret::errc::invalid_argument);
        return e.what();
    }
}

asio::awaitable<std::string> take(std::string_view routing_key, std::string_view body)
{
    std::string taken = std::string(routing_key) + " " + std::string(body);
    co_return taken;
}

} // namespace

TEST_CASE("key: words at run time")
{
    const std::string symbol = "usd";
    const char* const market = "nyse";
    const key k{"stock",
                symbol,
                market,
                std::string_view("x"),
                0,
                std::numeric_limits<std::int64_t>::min(),
                std::numeric_limits<std::uint64_t>::max()};
    CHECK(k.view() == "stock.usd.nyse.x.0.-9223372036854775808.18446744073709551615");
    const key copy{k};
    CHECK(copy == k);
    CHECK(std::string_view(copy) == k.view());
    CHECK(copy.size() == k.view().size());
}

TEST_CASE("key: what is refused")
{
    CHECK(refusal_of("a", std::string("b.c")) == "a word of a routing key holds a dot: 'b.c'");
    CHECK(refusal_of(".") == "a word of a routing key holds a dot: '.'");
    CHECK(refusal_of("a\n.") == "a word of a routing key holds a dot: 'a\\n.'");
    CHECK(refusal_of("") == "a word of a routing key is empty");
    CHECK(refusal_of("a", "", "b") == "a word of a routing key is empty");
    CHECK(refusal_of(std::string(255, 'a')).empty());
    CHECK(refusal_of(std::string(256, 'a')) == "a routing key is longer than 255 bytes");
    CHECK(refusal_of(std::string(253, 'a'), "b").empty());
    CHECK(refusal_of(std::string(254, 'a'), "b") == "a routing key is longer than 255 bytes");
    CHECK(refusal_of(std::string(255, 'a'), "b") == "a routing key is longer than 255 bytes");
}

LEVERET_CORO_TEST_CASE("key: in the line of a co_await")
{
    const std::string symbol = "usd";
    const std::string taken = co_await take(key{"stock", symbol, 7}, "body");
    CHECK(taken == "stock.usd.7 body");
    const std::string twice =
        co_await take(key{"a", co_await take(key{"b"}, "c") == "b c" ? "yes" : "no"}, symbol);
    CHECK(twice == "a.yes usd");
}

TEST_CASE("key: compares with texts of all kinds, from either side")
{
    const leveret::key k{"stock", 7};
    const char* const literal = "stock.7";
    const std::string text = "stock.7";
    CHECK(k == "stock.7");
    CHECK("stock.7" == k);
    CHECK(k == literal);
    CHECK(k == text);
    CHECK(text == k);
    CHECK(k == std::string_view(text));
    CHECK(std::string_view(text) == k);
    CHECK(k != "stock.8");
    CHECK(k == leveret::key{"stock", 7});
    CHECK(k != leveret::key{"stock"});
}
static_assert(leveret::key{"a", "b"} == "a.b");
