#include <leveret/server/name_pattern.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <regex>
#include <string>
#include <vector>

using leveret::usage_error;
using leveret::broker::name_pattern;

TEST_CASE("name_pattern: what it matches, as std::regex says")
{
    const std::vector<std::string> patterns = {".*",           "^$",        "^a",
                                               "b$",           "^abc$",     "a.c",
                                               "^(ab|cd)+$",   "^a*b$",     "a|b|^c$",
                                               "[abc]",        "^[^abc]+$", "^[a-c_-]+$",
                                               "^[]a]+$|x",    "^a{2}$",    "^a{2,}$",
                                               "^a{1,3}b$",    "^(a?){3}$", "^(a*)*b$",
                                               "^(|a)+$",      "\\.",       "^\\d+$",
                                               "^\\w+$",       "^\\S*$",    "^[\\d.]+$",
                                               "^(?:ab){2}c$", "a+?b",      "^((a|b)(c|d))*$",
                                               "\\[x\\]"};
    const std::vector<std::string> names = {"",     "a",    "b",   "c",    "aa",  "aaa",  "ab",
                                            "abc",  "abab", "cd",  "abcd", "x.y", "1.2",  "123",
                                            "a-b",  "a_b",  "]a",  "[x]",  "aab", "aaab", "ababc",
                                            "acbd", " ",    "a b", "xaby", "bb"};
    for (const std::string& p : patterns) {
        CAPTURE(p);
        const std::string written = p == "^[]a]+$|x" ? "^[\\]a]+$|x" : p; // ECMAScript's empty set
        const std::regex expected(written);
        const name_pattern pattern(p);
        for (const std::string& n : names) {
            CAPTURE(n);
            CHECK(pattern.matches(n) == std::regex_search(n, expected));
        }
    }
}

TEST_CASE("name_pattern: the empty one matches the empty name alone")
{
    CHECK(name_pattern("").matches(""));
    CHECK_FALSE(name_pattern("").matches("a"));
}

TEST_CASE("name_pattern: copies match as well")
{
    const auto copy = [] { return name_pattern("^amq\\."); }();
    CHECK(copy.matches("amq.gen-x"));
    CHECK_FALSE(copy.matches("amqp"));
}

TEST_CASE("name_pattern: what is no pattern, or one too many")
{
    for (const char* p :
         {"(",   ")",   "a)",  "(a",    "[",     "[a",      "*",
          "a|*", "+",   "{2}", "a{",    "a{2",   "a{3,2}",  "a{x}",
          "\\",  "\\1", "\\b", "(?=a)", "[z-a]", "a{5000}", "((a{100}){100}){100}",
          "[[:digit:]]", "[a[.x.]]"}) {
        CAPTURE(p);
        CHECK_THROWS_AS(name_pattern{p}, usage_error);
    }
    CHECK_THROWS_AS(name_pattern{std::string(1000, '(')}, usage_error);
}

TEST_CASE("name_pattern: hostile patterns take no more time than length times length")
{
    const name_pattern pattern("^(a*)*(a*)*(a|aa)+(a?){200}b$");
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i)
        CHECK_FALSE(pattern.matches(std::string(255, 'a')));
    CHECK(std::chrono::steady_clock::now() - begin <
          std::chrono::seconds(2)); // one that goes back: centuries
}
