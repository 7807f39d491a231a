#include <leveret/core/utf8.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace leveret;
using namespace std::string_view_literals;

static_assert(is_utf8("plain"));
static_assert(!is_utf8("\xff"));

TEST_CASE("utf8: what is UTF-8 and what is not")
{
    CHECK(is_utf8(""));
    CHECK(is_utf8("longer than eight bytes of ASCII"));
    CHECK(is_utf8("\0"sv));
    CHECK(is_utf8(
        "gr\xc3\xbc\xc3\x9f dich, \xe2\x82\xac, \xf0\x9f\x90\x87")); // two, three, four bytes
    CHECK(is_utf8("\xf4\x8f\xbf\xbf"));                              // the last character
    CHECK(is_utf8("\xef\xbf\xbf"));
    for (const auto bad :
         {"\x80"sv, "\xc3"sv, "\xc3("sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xe0\x80\x80"sv,
          "\xed\xa0\x80"sv, "\xf0\x80\x80\x80"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv,
          "\xfe"sv, "12345678\xff"sv, "1234567\xc3"sv, "\xe2\x82"sv}) {
        CAPTURE(bad);
        CHECK_FALSE(is_utf8(bad));
    }
}

TEST_CASE("utf8: a prefix is not cut within a character")
{
    CHECK(utf8_prefix("abc", 3) == "abc");
    CHECK(utf8_prefix("abc", 2) == "ab");
    CHECK(utf8_prefix("a\xe2\x82\xac!", 4) == "a\xe2\x82\xac");
    CHECK(utf8_prefix("a\xe2\x82\xac!", 3) == "a");
    CHECK(utf8_prefix("\xe2\x82\xac", 1).empty());
}
