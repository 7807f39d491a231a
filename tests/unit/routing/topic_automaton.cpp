#include "leveret/routing/topic_automaton.hpp"
#include "leveret/routing/topic_pattern.hpp"
#include "unit/routing/naive_topic.hpp"

#include <doctest/doctest.h>

using namespace leveret;
using leveret::test::random_text;

namespace {

template <fixed_string P>
using p = topic_pattern<P>;

using animals = topic_automaton<p<"*.orange.*">, p<"*.*.rabbit">, p<"lazy.#">>;
static_assert(animals::first("quick.orange.rabbit") == 0 && animals::first("lazy.pink.rabbit") == 1);
static_assert(animals::first("lazy") == 2 && animals::first("quick.brown.fox") == 3 && animals::first("") == 3);

// What is unreachable: behind one pattern that covers it, or behind several that do together.
static_assert(animals::is_reachable(0) && animals::is_reachable(1) && animals::is_reachable(2));
using covered = topic_automaton<p<"a.#">, p<"b">, p<"a.*.c">, p<"#">, p<"x">>;
static_assert(!covered::is_reachable(2) && covered::is_reachable(3) && !covered::is_reachable(4));
using in_parts = topic_automaton<p<"*">, p<"*.*.#">, p<"">, p<"#">>;
static_assert(in_parts::is_reachable(2) && !in_parts::is_reachable(3));
using ends = topic_automaton<p<"a.#">, p<"#.a">, p<"a.b.#">, p<"b.#.a">, p<"#.a.#">, p<"a.#.a">>;
static_assert(!ends::is_reachable(2) && !ends::is_reachable(3) && ends::is_reachable(4) &&
              !ends::is_reachable(5));
// Reachable by a key of words that others have, not by one of strange words.
using hidden = topic_automaton<p<"#.*.*">, p<"*.#">, p<"#">>;
static_assert(hidden::is_reachable(1) && hidden::is_reachable(2));

// More places than a word of the machine has bits.
using many = topic_automaton<p<"kern.*">, p<"*.critical">, p<"auth.#">, p<"cron.*.info">, p<"*.orange.*">,
                             p<"*.*.rabbit">, p<"lazy.#">, p<"a.#.b">, p<"#.a.b.#">, p<"#.a.#.b.#">, p<"">,
                             p<"*.*.*.*.*">, p<"a.a.a.a.a.a.a.a.a.a">, p<"#.a.a.*.a">, p<"orangerie.#">,
                             p<"orange">, p<"b.*.#.*.a">, p<"orangery">, p<"#.#.b.b">, p<"*.#.orangerie.#.b">,
                             p<"a.longerthaneight.b">, p<"a.longerthaneleven.b">, p<"#">>;

template <class... P>
constexpr auto texts_of(std::type_identity<topic_automaton<P...>>)
{
    return std::array<std::string_view, sizeof...(P)>{P::text()...};
}
constexpr auto texts = texts_of(std::type_identity<many>());

int wrong_answers(const std::string& key)
{
    std::vector<std::size_t> expected, found;
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (topic_matches(texts[i], key))
            expected.push_back(i);
    for (many::matches rest(key); !rest.empty();)
        found.push_back(rest.take());
    return int{found != expected} + int{many::first(key) != expected.front()};
}

} // namespace

TEST_CASE("topic_automaton: the animals of RabbitMQ's tutorial")
{
    const auto listeners = [](std::string_view key) {
        std::vector<std::size_t> all;
        for (animals::matches rest(key); !rest.empty();)
            all.push_back(rest.take());
        return all;
    };
    using indices = std::vector<std::size_t>;
    CHECK(listeners("quick.orange.rabbit") == indices{0, 1});
    CHECK(listeners("lazy.orange.elephant") == indices{0, 2});
    CHECK(listeners("quick.orange.fox") == indices{0});
    CHECK(listeners("lazy.brown.fox") == indices{2});
    CHECK(listeners("lazy.pink.rabbit") == indices{1, 2});
    CHECK(listeners("quick.brown.fox").empty());
    CHECK(listeners("orange").empty());
    CHECK(listeners("quick.orange.new.rabbit").empty());
    CHECK(listeners("lazy.orange.new.rabbit") == indices{2});
}

TEST_CASE("topic_automaton: random keys, as each pattern says")
{
    std::mt19937_64 random(6);
    int wrong = 0;
    for (int i = 0; i < 100000; ++i)
        wrong += wrong_answers(
            random_text(random, {"a", "b", "orange", "kern", "lazy", "critical", "rabbit", "x"}, 6));
    for (int i = 0; i < 100000; ++i) // long keys, words that differ behind the eighth byte, empty words
        wrong += wrong_answers(random_text(random,
                                           {"a", "a", "b", "", "orange", "orangery", "orangerie",
                                            "longerthaneight", "longerthaneleven", "*", "#"},
                                           14));
    CHECK(wrong == 0);
}

TEST_CASE("topic_automaton: no byte is read behind a key, nor before it")
{
    for (std::size_t size = 0; size < 24; ++size)
        for (std::size_t dot = 0; dot < size; ++dot) {
            std::vector<char> key(size, 'a'); // a block of its own, for a sanitizer to watch
            key[dot] = '.';
            const std::string copy(key.begin(), key.end());
            CHECK(wrong_answers(copy) == 0);
            CHECK(many::first({key.data(), key.size()}) == many::first(copy));
        }
}
