#include "leveret/routing/topic.hpp"
#include "unit/routing/collect.hpp"
#include "unit/routing/naive_topic.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace leveret;
using leveret::test::bound_numbers;
using leveret::test::naive_matches;
using leveret::test::numbers;
using leveret::test::random_text;
using leveret::test::split;

static_assert(routing::policy<topic>);

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
                if (naive_matches(split(e->key), split(key)))
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
