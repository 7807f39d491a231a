#include "support/random_values.hpp"

#include <leveret/engine/fingerprint.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

using leveret::engine::fingerprint;
using leveret::test::random_values;

TEST_CASE("fingerprint: equal for equal publishes, wherever their bytes lie")
{
    const std::string key = "kern.critical";
    const std::string shifted = "x" + key;
    for (std::size_t n = 0; n < 100; ++n) {
        const std::string body(n, 'b');
        const std::string unaligned = "123" + body;
        CHECK(fingerprint("logs", key, body) ==
              fingerprint("logs", shifted.substr(1), std::string_view(unaligned).substr(3)));
        CHECK(fingerprint("logs", key, body) != fingerprint());
    }
}

TEST_CASE("fingerprint: tells exchange, key, size and beginning of the body apart")
{
    const auto base = fingerprint("logs", "key", "body");
    CHECK(base != fingerprint("Logs", "key", "body"));
    CHECK(base != fingerprint("logs", "kez", "body"));
    CHECK(base != fingerprint("logs", "key", "bodY"));
    CHECK(base != fingerprint("logs", "key", "body "));
    // The same bytes in other places.
    CHECK(fingerprint("ab", "c", "") != fingerprint("a", "bc", ""));
    CHECK(fingerprint("", "abc", "") != fingerprint("abc", "", ""));
    CHECK(fingerprint("", "", "abc") != fingerprint("", "abc", ""));
    CHECK(fingerprint("", "", std::string_view("\0", 1)) != fingerprint("", "", ""));
    CHECK(fingerprint("", std::string_view("\0", 1), "") != fingerprint("", "", ""));
    // Each byte that is looked at counts, and the length of all.
    const std::string body(200, 'b');
    std::set<std::uint64_t> different{fingerprint("e", "k", body).value()};
    for (std::size_t i = 0; i < 64; ++i) {
        std::string changed = body;
        changed[i] = 'c';
        different.insert(fingerprint("e", "k", changed).value());
    }
    for (std::size_t n = 150; n < 200; ++n)
        different.insert(fingerprint("e", "k", body.substr(0, n)).value());
    CHECK(different.size() == 1 + 64 + 50);
    // What is behind does not: such messages are routed alike, so it does not matter which is which.
    std::string tail = body;
    tail[64] = 'c';
    CHECK(fingerprint("e", "k", tail) == fingerprint("e", "k", body));
}

TEST_CASE("fingerprint: collides no more than chance, and is never 0")
{
    random_values random(11);
    std::set<std::uint64_t> seen;
    constexpr std::size_t count = 100000;
    for (std::size_t i = 0; i < count; ++i) {
        const auto f = fingerprint("amq.topic", "stock." + std::to_string(i), "");
        CHECK(f != fingerprint());
        seen.insert(f.value());
    }
    CHECK(seen.size() > count - 20); // 1.2 pairs are expected of 32 bits
}

TEST_CASE("fingerprint: properties are a half of their own")
{
    const fingerprint plain("e", "k", "body");
    const fingerprint one("e", "k", "body", 0x2000, "headers");
    const fingerprint other("e", "k", "body", 0x2000, "Headers");
    CHECK(one.has_same_message(plain));
    CHECK(one.has_same_message(other));
    CHECK_FALSE(one.has_same_properties(plain));
    CHECK_FALSE(one.has_same_properties(other));
    CHECK(one == fingerprint("e", "k", "body", 0x2000, "headers"));
    CHECK_FALSE(one.has_same_properties(fingerprint("e", "k", "body", 0x2001, "headers")));
}
