#include "leveret/routing/topic.hpp"
#include "leveret/routing/topic_algebra.hpp"
#include "unit/routing/collect.hpp"
#include "unit/routing/naive_topic.hpp"

#include <doctest/doctest.h>

#include <bitset>

using namespace leveret;
using leveret::test::bound_numbers;
using leveret::test::naive_matches;
using leveret::test::random_text;
using leveret::test::split;

namespace {

using texts = std::vector<std::string>;

/// All texts of up to `most` words of an alphabet.
texts all_texts(const texts& alphabet, std::size_t most)
{
    texts all{""};
    std::size_t first = 0;
    for (std::size_t words = 1; words <= most; ++words) {
        const std::size_t end = all.size();
        for (; first < end; ++first)
            for (const auto& word : alphabet)
                all.push_back(all[first].empty() ? word : all[first] + "." + word);
    }
    return all;
}

/// Which of all short keys each pattern matches. "z" is in no pattern. Two patterns that a key tells apart are told
/// apart by one that has at most a word for each of both patterns' words.
template <std::size_t Keys>
std::vector<std::bitset<Keys>> matched_sets(const texts& patterns, const texts& keys)
{
    REQUIRE(keys.size() == Keys);
    std::vector<std::bitset<Keys>> sets(patterns.size());
    std::vector<texts> key_words;
    for (const auto& key : keys)
        key_words.push_back(split(key));
    for (std::size_t p = 0; p < patterns.size(); ++p) {
        const texts words = split(patterns[p]);
        for (std::size_t k = 0; k < Keys; ++k)
            sets[p][k] = naive_matches(words, key_words[k]);
    }
    return sets;
}

} // namespace

TEST_CASE("algebra: all pairs of short patterns, against all short keys")
{
    const texts patterns = all_texts({"a", "b", "*", "#"}, 4); // 341
    const texts keys = all_texts({"a", "b", "z"}, 8);          // 9,841
    const auto sets = matched_sets<9841>(patterns, keys);
    int wrong = 0;
    for (std::size_t p = 0; p < patterns.size(); ++p) {
        for (std::size_t k = 0; k < keys.size(); ++k)
            wrong += topic_matches(patterns[p], keys[k]) != sets[p][k];
        for (std::size_t q = 0; q < patterns.size(); ++q) {
            const bool covers = (sets[q] & ~sets[p]).none();
            const bool overlaps = (sets[q] & sets[p]).any();
            const bool agree = topic_covers(patterns[p], patterns[q]) == covers &&
                               topic_overlaps(patterns[p], patterns[q]) == overlaps &&
                               topic_equivalent(patterns[p], patterns[q]) == (sets[p] == sets[q]);
            if (!agree && ++wrong < 10)
                MESSAGE(patterns[p], " and ", patterns[q]);
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("algebra: random longer patterns of one letter, against all keys")
{
    std::mt19937_64 random(11);
    texts patterns;
    for (int i = 0; i < 500; ++i)
        patterns.push_back(random_text(random, {"a", "*", "#", "#"}, 6));
    const texts keys = all_texts({"a", "z"}, 12); // 8,191
    const auto sets = matched_sets<8191>(patterns, keys);
    int wrong = 0;
    for (std::size_t p = 0; p < patterns.size(); ++p)
        for (std::size_t q = 0; q < patterns.size(); ++q) {
            wrong += topic_covers(patterns[p], patterns[q]) != (sets[q] & ~sets[p]).none();
            wrong += topic_overlaps(patterns[p], patterns[q]) != (sets[q] & sets[p]).any();
        }
    CHECK(wrong == 0);
}

TEST_CASE("topic_matches: a million random pairs, as the definition and the router say")
{
    // Keys with every oddity: empty words, wildcards as words, words that begin like others.
    std::mt19937_64 random(3);
    texts keys, patterns;
    std::vector<texts> key_words;
    for (int i = 0; i < 2000; ++i) {
        keys.push_back(random_text(random, {"a", "b", "", "cc", "*", "#", "orange", "orangerie"}, 8));
        key_words.push_back(split(keys.back()));
    }
    int wrong = 0;
    for (int round = 0; round < 5; ++round) {
        bound_numbers<topic> router;
        patterns.clear();
        for (int i = 0; i < 100; ++i) {
            patterns.push_back(random_text(random, {"a", "b", "", "*", "#", "#", "cc", "orange", "a*"}, 6));
            router.add(i, patterns.back());
        }
        for (std::size_t k = 0; k < keys.size(); ++k) {
            std::vector<int> expected;
            for (int i = 0; i < 100; ++i) {
                const auto& pattern = patterns[static_cast<std::size_t>(i)];
                const bool matches = topic_matches(pattern, keys[k]);
                wrong += matches != naive_matches(split(pattern), key_words[k]);
                if (matches)
                    expected.push_back(i);
            }
            wrong += router.reached(keys[k]) != expected;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("algebra: hostile patterns stay cheap")
{
    std::string pattern = "#", key = "a";
    for (int i = 0; i < 63; ++i)
        pattern += i % 2 == 0 ? ".a" : ".#";
    for (int i = 0; i < 126; ++i)
        key += ".a";
    const std::string other = pattern + ".b";
    // Would not end in this century if every way through the pattern were walked.
    CHECK(topic_matches(pattern, key));
    CHECK_FALSE(topic_matches(other, key));
    CHECK(topic_covers("#.a.#", pattern));
    CHECK_FALSE(topic_covers(other, pattern));
    CHECK(topic_overlaps(other, pattern + ".#"));
    CHECK_FALSE(topic_overlaps(other, pattern));
}

TEST_CASE("pattern_error: at most 255 bytes")
{
    CHECK(pattern_error(std::string(255, 'a')).empty());
    CHECK(pattern_error(std::string(256, 'a')) == "a topic pattern has at most 255 bytes");
}
