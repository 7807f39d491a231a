#include "leveret/routing/topic.hpp"
#include "unit/routing/collect.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace leveret;
using leveret::test::bound_numbers;
using leveret::test::numbers;

static_assert(routing::policy<topic>);

namespace {

std::vector<std::string> split(std::string_view key)
{
    std::vector<std::string> words;
    if (key.empty())
        return words;
    for (;;) {
        const auto dot = key.find('.');
        words.emplace_back(key.substr(0, dot));
        if (dot == std::string_view::npos)
            return words;
        key.remove_prefix(dot + 1);
    }
}

bool matches(const std::vector<std::string>& pattern, std::size_t p,
             const std::vector<std::string>& key, std::size_t k)
{
    if (p == pattern.size())
        return k == key.size();
    if (pattern[p] == "#")
        return matches(pattern, p + 1, key, k) ||
               (k < key.size() && matches(pattern, p, key, k + 1));
    return k < key.size() && (pattern[p] == "*" || pattern[p] == key[k]) &&
           matches(pattern, p + 1, key, k + 1);
}

std::string random_text(std::mt19937_64& random, std::vector<std::string> alphabet,
                        std::size_t most)
{
    std::string text;
    const std::size_t words = random() % (most + 1);
    for (std::size_t i = 0; i < words; ++i)
        text += (i > 0 ? "." : "") + alphabet[random() % alphabet.size()];
    return text;
}

} // namespace

TEST_CASE("topic: the animals of RabbitMQ's tutorial")
{
    bound_numbers<topic> x;
    x.add(1, "*.orange.*");
    x.add(2, "*.*.rabbit");
    x.add(3, "lazy.#");
    CHECK(x.reached("quick.orange.rabbit") == numbers{1, 2});
    CHECK(x.reached("lazy.orange.elephant") == numbers{1, 3});
    CHECK(x.reached("quick.orange.fox") == numbers{1});
    CHECK(x.reached("lazy.pink.rabbit") == numbers{2, 3});
    CHECK(x.reached("quick.brown.fox").empty());
    CHECK(x.reached("orange").empty());
    CHECK(x.reached("quick.orange.new.rabbit").empty());
    CHECK(x.reached("lazy.orange.new.rabbit") == numbers{3});
    CHECK(x.reached("lazy") == numbers{3});
}

TEST_CASE("topic: an empty key has no words, a dot makes two")
{
    bound_numbers<topic> x;
    x.add(1, "");
    x.add(2, "#");
    x.add(3, "*");
    x.add(4, "*.*");
    x.add(5, ".");
    CHECK(x.reached("") == numbers{1, 2});
    CHECK(x.reached("a") == numbers{2, 3});
    CHECK(x.reached(".") == numbers{2, 4, 5});
}

TEST_CASE("topic: wildcards in a routing key are words like others")
{
    bound_numbers<topic> x;
    x.add(1, "a.*");
    x.add(2, "a.#");
    x.add(3, "a.b");
    CHECK(x.reached("a.*") == numbers{1, 2});
    CHECK(x.reached("a.#") == numbers{1, 2});
    CHECK(x.reached("#") == numbers{});
}

TEST_CASE("topic: random patterns and keys, as the definition says")
{
    std::mt19937_64 random(7);
    for (int round = 0; round < 60; ++round) {
        bound_numbers<topic> x;
        int next = 1;
        for (int step = 0; step < 400; ++step) {
            if (random() % 3 != 0 || x.entries.empty())
                x.add(next++, random_text(random, {"a", "b", "", "*", "#", "#", "cc"}, 6));
            else
                x.remove(x.entries[random() % x.entries.size()]->number);
            const std::string key = random_text(random, {"a", "b", "", "cc", "*", "d"}, 7);
            numbers expected;
            for (const auto& e : x.entries)
                if (matches(split(e->key), 0, split(key), 0))
                    expected.push_back(e->number);
            std::sort(expected.begin(), expected.end());
            CAPTURE(key);
            REQUIRE(x.reached(key) == expected);
        }
        while (!x.entries.empty())
            x.remove(x.entries.back()->number);
        CHECK(x.reached("a").empty());
    }
}

TEST_CASE("topic: hostile patterns stay cheap")
{
    bound_numbers<topic> x;
    std::string pattern = "#";
    for (int i = 0; i < 60; ++i)
        pattern += i % 2 == 0 ? ".*" : ".#";
    x.add(1, pattern);
    x.add(2, "#.#.#.#.#.#.#.#");
    x.add(3, "#.a.#.a.#.a.#.a.#.a.#.a.#.a.#.a.#.b");
    std::string key = "a";
    for (int i = 0; i < 126; ++i)
        key += ".a";
    // Would not end in this century if every way through the pattern were walked.
    CHECK(x.reached(key) == numbers{1, 2});
    CHECK(x.reached(key + ".b") == numbers{1, 2, 3});
}
