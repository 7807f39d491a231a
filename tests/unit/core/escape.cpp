#include <leveret/core/escape.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

using leveret::escaped;

namespace {

std::string encode(unsigned point)
{
    const auto octet = [](unsigned v) { return static_cast<char>(static_cast<unsigned char>(v)); };
    std::string out;
    if (point < 0x80) {
        out += octet(point);
    } else if (point < 0x800) {
        out += octet(0xc0U | (point >> 6U));
        out += octet(0x80U | (point & 0x3fU));
    } else if (point < 0x10000) {
        out += octet(0xe0U | (point >> 12U));
        out += octet(0x80U | ((point >> 6U) & 0x3fU));
        out += octet(0x80U | (point & 0x3fU));
    } else {
        out += octet(0xf0U | (point >> 18U));
        out += octet(0x80U | ((point >> 12U) & 0x3fU));
        out += octet(0x80U | ((point >> 6U) & 0x3fU));
        out += octet(0x80U | (point & 0x3fU));
    }
    return out;
}

bool is_untouched(unsigned point) { return escaped(encode(point)) == encode(point); }

} // namespace

TEST_CASE("escape: what people can read stays as it is")
{
    for (const std::string_view text :
         {"", "NOT_FOUND - no queue 'task' in vhost '/'", "gr\xc3\xbc\xc3\x9f" "e",
          "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x90\x87", "\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7"})
        CHECK(escaped(text) == text);
    for (unsigned c = 0x20; c < 0x7f; ++c)
        CHECK(is_untouched(c));
    for (const unsigned point : {0xa0U, 0xffU, 0x7ffU, 0x800U, 0x2010U, 0x2030U, 0xd7ffU, 0xe000U,
                                 0xfffdU, 0x10000U, 0x1f407U, 0x10fffdU}) {
        CAPTURE(point);
        CHECK(is_untouched(point));
    }
}

TEST_CASE("escape: control characters")
{
    CHECK(escaped("a\nb") == "a\\nb");
    CHECK(escaped("\x1b[2J\x1b]0;title\x07") == "\\x1b[2J\\x1b]0;title\\x07");
    CHECK(escaped(std::string_view("a\0b", 3)) == "a\\x00b");
    CHECK(escaped("\r\t\x7f") == "\\x0d\\x09\\x7f");
    for (unsigned c = 0; c < 0x20; ++c)
        CHECK_FALSE(is_untouched(c));
    for (unsigned point = 0x7f; point < 0xa0; ++point) // DEL and C1, among them the 8-bit CSI
        CHECK_FALSE(is_untouched(point));
    CHECK(escaped("\xc2\x9b") == "\\xc2\\x9b");
}

TEST_CASE("escape: characters that are invisible or change the direction")
{
    for (const unsigned point :
         {0x00adU, 0x061cU, 0x180eU, 0x200bU, 0x200cU, 0x200dU, 0x200eU, 0x200fU, 0x2028U, 0x2029U,
          0x202aU, 0x202bU, 0x202cU, 0x202dU, 0x202eU, 0x2060U, 0x2061U, 0x2064U, 0x2065U, 0x2066U,
          0x2067U, 0x2068U, 0x2069U, 0x206aU, 0x206fU, 0xfeffU, 0xfff9U, 0xfffaU, 0xfffbU, 0xe0001U,
          0xe0020U, 0xe007fU}) {
        CAPTURE(point);
        CHECK_FALSE(is_untouched(point));
    }
    CHECK(escaped("user\xe2\x80\xaegnp.exe") == "user\\xe2\\x80\\xaegnp.exe");
}

TEST_CASE("escape: what is not UTF-8")
{
    struct row {
        std::string_view text, wanted;
    };
    for (const row& item : {
             row{"\x80", "\\x80"},                                       // no lead
             row{"\xbf", "\\xbf"},
             row{"\xc3", "\\xc3"},                                       // cut
             row{"\xc3(", "\\xc3("},
             row{"\xe2\x82", "\\xe2\\x82"},
             row{"\xe2\x82x", "\\xe2\\x82x"},
             row{"\xf0\x9f\x90", "\\xf0\\x9f\\x90"},
             row{"\xc0\xaf", "\\xc0\\xaf"},                              // overlong
             row{"\xc1\xbf", "\\xc1\\xbf"},
             row{"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
             row{"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
             row{"\xed\xa0\x80", "\\xed\\xa0\\x80"},                     // surrogates
             row{"\xed\xbf\xbf", "\\xed\\xbf\\xbf"},
             row{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},            // above U+10FFFF
             row{"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
             row{"\xfe\xff", "\\xfe\\xff"},
             row{"\xc3\xc3\xbc", "\\xc3\xc3\xbc"},                       // and on it goes after it
         })
        CHECK(escaped(item.text) == item.wanted);
}

TEST_CASE("escape: a long text is cut, never within a character")
{
    CHECK(escaped(std::string(512, 'a')) == std::string(512, 'a'));
    CHECK(escaped(std::string(513, 'a')) == std::string(512, 'a') + "...");
    CHECK(escaped(std::string(1000000, 'a')).size() == 515);
    CHECK(escaped("abc", 2) == "ab...");
    CHECK(escaped("abc", 3) == "abc");
    CHECK(escaped("abc", 0) == "...");
    CHECK(escaped("", 0) == "");
    for (std::size_t n = 0; n < 12; ++n) {
        const std::string text = "\xf0\x9f\x90\x87\xf0\x9f\x90\x87";
        const std::string cut = escaped(text, n);
        CAPTURE(n);
        CHECK(cut.size() <= n + 6); // the character that is at the limit, and the dots
        CHECK(cut.find('\\') == std::string::npos);
    }
    CHECK(escaped(std::string(100000, '\0')).size() <= 512 + 3 + 3);
}

TEST_CASE("escape: whatever comes in, what comes out is printable UTF-8")
{
    std::mt19937 random(8);
    for (int round = 0; round < 5000; ++round) {
        std::string text;
        for (auto n = random() % 24; n > 0; --n)
            text += random() % 2 == 0 ? encode(static_cast<unsigned>(random() % 0x110000))
                                      : std::string(1, static_cast<char>(random() % 256));
        const std::string out = escaped(text);
        for (const char c : out)
            CHECK(static_cast<unsigned char>(c) >= 0x20);
        CHECK(escaped(out) == out);
    }
}
