#include <leveret/engine/octets_text.hpp>

#include <doctest/doctest.h>

#include <string>

using leveret::engine::octets_text;

TEST_CASE("octets_text: bytes as RabbitMQ prints them")
{
    CHECK(octets_text("") == "<<>>");
    CHECK(octets_text("abc d") == "<<\"abc d\">>");
    CHECK(octets_text("a\"b\\") == "<<\"a\\\"b\\\\\">>");
    CHECK(octets_text(std::string("\0\x14\xff", 3)) == "<<0,20,255>>");
    CHECK(octets_text("abcdef", 3) == "<<\"abc\">>");
}
