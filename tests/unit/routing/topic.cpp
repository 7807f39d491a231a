#include "leveret/routing/topic.hpp"
#include "unit/routing/collect.hpp"
#include "unit/routing/naive_topic.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

using namespace leveret;
using leveret::test::bound_numbers;
using leveret::test::numbers;

using leveret::test::random_text;

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
                if (leveret::test::naive_topic_matches(e->key, key))
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

TEST_CASE("topic: a hostile pattern and a key of 120 words take less than a millisecond")
{
    std::string hostile = "#";
    std::string mixed = "#";
    for (int i = 0; i < 60; ++i) {
        hostile += ".#";
        mixed += ".*.#";
    }
    std::string key = "w";
    for (int i = 0; i < 119; ++i)
        key += ".w";
    for (const std::string& pattern : {hostile, mixed, "#" + std::string(".w.#") + ".w.#.w.#.w.#.w.#.w.#.w.#.nothing"}) {
        bound_numbers<topic> x;
        x.add(1, pattern);
        // The best of a few: another process may have had the processor.
        std::chrono::steady_clock::duration best = std::chrono::seconds(1);
        for (int i = 0; i < 5; ++i) {
            const std::string other = key + std::to_string(i); // not from the cache
            const auto begin = std::chrono::steady_clock::now();
            const auto reached = x.reached(other);
            best = std::min(best, std::chrono::steady_clock::now() - begin);
            CHECK(reached.empty() == pattern.ends_with("nothing"));
        }
        CHECK(best < std::chrono::milliseconds(1));
    }
}

TEST_CASE("topic: keys that come again see every change of the bindings")
{
    bound_numbers<topic> x;
    const auto reached = [&x] {
        numbers last = x.reached("a.b");
        for (int i = 0; i < 3; ++i)
            CHECK(x.reached("a.b") == last);
        return last;
    };
    CHECK(reached().empty());
    x.add(1, "a.*");
    CHECK(reached() == numbers{1});
    x.add(2, "a.*"); // the same node
    CHECK(reached() == numbers{1, 2});
    x.add(3, "#");
    CHECK(reached() == numbers{1, 2, 3});
    x.remove(1);
    CHECK(reached() == numbers{2, 3});
    x.remove(2);
    CHECK(reached() == numbers{3});
    x.add(4, "a.b.c"); // a node on the way, without targets of its own
    x.add(5, "a.b");
    CHECK(reached() == numbers{3, 5});
    x.remove(3);
    x.remove(5);
    CHECK(reached().empty());
    for (int i = 10; i < 500; ++i) // the cache grows with them
        x.add(i, "a." + std::string(i % 2 == 0 ? "b" : "c") + (i % 5 == 0 ? "" : "." + std::to_string(i)));
    CHECK(reached().size() == 49);
    CHECK(x.router.cache_memory() <= routing::key_cache<int>::most_bytes);
}

TEST_CASE("topic: words of all lengths")
{
    bound_numbers<topic> x;
    std::string word;
    for (int n = 1; n < 120; ++n) {
        word += static_cast<char>('a' + n % 3);
        x.add(n, word + "." + word);
    }
    for (const auto& e : x.entries) {
        CHECK(x.reached(e->key) == numbers{e->number});
        CHECK(x.reached(e->key + "x").empty());
    }
}
