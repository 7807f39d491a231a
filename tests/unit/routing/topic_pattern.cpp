#include "leveret/routing/topic_pattern.hpp"
#include "unit/routing/naive_topic.hpp"

#include <doctest/doctest.h>

#include <utility>

using namespace leveret;
using leveret::test::naive_matches;
using leveret::test::random_text;
using leveret::test::split;

namespace {

using orange = topic_pattern<"*.orange.#">;
static_assert(orange::text() == "*.orange.#" && orange::wildcards == 2);
static_assert(orange::matches("quick.orange.rabbit") && orange::matches("lazy.orange") &&
              !orange::matches("orange"));
static_assert(orange::captures("quick.orange")->at(0) == "quick" &&
              orange::captures("quick.orange")->at(1).empty());
static_assert(orange::captures("a.orange.new.rabbit")->at(1) == "new.rabbit" && !orange::captures("a.b"));
static_assert(noexcept(orange::matches("")) && noexcept(orange::captures("")));
static_assert(topic_pattern<"">::matches("") && !topic_pattern<"">::matches("a") &&
              topic_pattern<"">::wildcards == 0);
static_assert(topic_pattern<"#">::captures("a.b")->at(0) == "a.b" &&
              topic_pattern<"#">::captures("")->at(0).empty());
static_assert(topic_pattern<"a.b">::captures("a.b").has_value() && !topic_pattern<"a.b">::captures("a"));
// Each # has as few words as can be, from the left.
static_assert(topic_pattern<"#.x.#">::captures("a.x.b.x.c")->at(0) == "a");
static_assert(topic_pattern<"#.x.#">::captures("a.x.b.x.c")->at(1) == "b.x.c");
static_assert(topic_pattern<"#.#">::captures("a.b")->at(0).empty() &&
              topic_pattern<"#.#">::captures("a.b")->at(1) == "a.b");
static_assert(topic_pattern<"#.*">::captures("a.b.c")->at(0) == "a.b" &&
              topic_pattern<"#.*">::captures("a")->at(1) == "a");
static_assert(topic_pattern<"*.#.*">::captures("a.b")->at(1).empty());
static_assert(topic_pattern<"*.*">::captures(".")->at(0).empty());

/// The pattern with its wildcards replaced by what they matched is the key again.
template <class Pattern>
bool captures_are_right(std::string_view key)
{
    const auto words = Pattern::captures(key);
    if (words.has_value() != Pattern::matches(key))
        return false;
    if (!words)
        return true;
    std::string text;
    std::size_t next = 0;
    bool is_first = true;
    for (const auto& item : split(Pattern::text())) {
        const bool is_hash = item == "#";
        const std::string part(is_hash || item == "*" ? words->at(next++) : std::string_view(item));
        if (is_hash && part.empty())
            continue; // no words, or one empty word: the text has the same dots for neither
        text += (is_first ? "" : ".") + part;
        is_first = false;
    }
    return text == key && next == Pattern::wildcards;
}

template <class... Patterns>
int wrong_answers(const std::string& key)
{
    const auto words = split(key);
    const bool has_empty_words =
        key.empty() || key.find("..") != std::string::npos || key.front() == '.' || key.back() == '.';
    return (int{Patterns::matches(key) != naive_matches(split(Patterns::text()), words)} + ...) +
           (has_empty_words ? 0 : (int{!captures_are_right<Patterns>(key)} + ...));
}

template <fixed_string P>
using p = topic_pattern<P>;

int all_wrong_answers(const std::string& key)
{
    return wrong_answers<p<"">, p<"#">, p<"*">, p<"a">, p<"a.b">, p<"*.a">, p<"a.*">, p<"*.orange.*">, p<"#.a">,
                         p<"a.#">, p<"a.#.b">, p<"*.#">, p<"#.*">, p<"#.*.#">, p<"#.a.#">, p<"#.a.b.#">,
                         p<"#.a.*.b.#">, p<"a.#.b.#.a">, p<"#.#">, p<"#.a.#.a.#.b">, p<"*.#.a.#.*">,
                         p<"*.*.orange.#.*.a">, p<"orangerie.#.orange">>(key);
}

} // namespace

TEST_CASE("topic_pattern: random keys of all lengths, as the definition says")
{
    std::mt19937_64 random(5);
    int wrong = 0;
    for (int i = 0; i < 20000; ++i)
        wrong += all_wrong_answers(random_text(random, {"a", "b", "orange", "orangerie", "c"}, 6));
    for (int i = 0; i < 5000; ++i) // beyond what fits into one word of the machine, and just below
        wrong += all_wrong_answers(random_text(random, {"a", "b", "orange", "orangerie"}, 20));
    for (int i = 0; i < 20000; ++i)
        wrong += all_wrong_answers(random_text(random, {"a", "b", "", "orange", "*", "#"}, 6));
    CHECK(wrong == 0);
}

TEST_CASE("topic_pattern: every length of key, and nothing read behind it")
{
    for (std::size_t size = 0; size < 140; ++size) {
        CAPTURE(size);
        // A block of its own, so that a sanitizer sees a byte too many.
        const std::vector<char> x(size, 'x');
        const std::string_view word(x.data(), x.size());
        CHECK(p<"*">::matches(word) == (size > 0));
        for (std::size_t dot = 0; dot < size; ++dot) {
            std::vector<char> two = x;
            two[dot] = '.';
            const auto words = p<"*.*">::captures({two.data(), two.size()});
            REQUIRE(words);
            CHECK(words->at(0).size() == dot);
            CHECK(words->at(1).size() == size - dot - 1);
            CHECK(p<"#.*">::captures({two.data(), two.size()})->at(1).size() == size - dot - 1);
        }
    }
}

TEST_CASE("word_scan: dots of all bytes, found eight and sixteen at a time")
{
    using namespace routing::detail;
    std::mt19937_64 random(9);
    for (int i = 0; i < 100000; ++i) {
        std::string bytes(16, '\0');
        for (char& c : bytes) // dots, their neighbours, and anything
            c = random() % 3 == 0 ? '.' : static_cast<char>(random() % 4 == 0 ? random() : 0x2d + random() % 3);
        std::uint64_t expected = 0;
        for (std::size_t b = 0; b < 16; ++b)
            expected |= std::uint64_t{bytes[b] == '.'} << b;
        REQUIRE(dots_of_sixteen(bytes.data()) == expected);
        REQUIRE(dots_of_eight(load_eight(bytes.data())) == (expected & 0xffU));
    }
}
