#include "leveret/core/text_hash.hpp"
#include "leveret/routing/hash_filter.hpp"
#include "leveret/routing/key_cache.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace leveret;

namespace {

using cache = routing::key_cache<int>;

/// What the cache says of a key: the numbers that were remembered, or "-".
std::string known(const cache& c, std::string_view key, std::uint64_t hash)
{
    const auto found = c.find(hash, key);
    if (!found.is_known)
        return "-";
    std::string text;
    for (const int* value : found.values)
        text += std::to_string(*value);
    return text;
}
std::string known(const cache& c, std::string_view key) { return known(c, key, text_hash(key)); }

} // namespace

TEST_CASE("key_cache: a key is remembered when it comes again, until everything is forgotten")
{
    int one = 1;
    int two = 2;
    int* const values[] = {&one, &two};
    cache c;
    CHECK(known(c, "a") == "-");
    c.remember(text_hash("a"), "a", values, 2); // no memory yet
    CHECK(known(c, "a") == "-");
    CHECK(c.memory() == 0);
    c.resize(1000);
    for (const char* key : {"a", "bb", ""}) {
        c.remember(text_hash(key), key, values, 2);
        CHECK(known(c, key) == "-");
        c.remember(text_hash(key), key, values, 2);
        CHECK(known(c, key) == "12");
    }
    c.remember(text_hash("none"), "none", values, 0);
    c.remember(text_hash("none"), "none", values, 0);
    CHECK(known(c, "none").empty());
    c.invalidate();
    for (const char* key : {"a", "bb", "", "none"})
        CHECK(known(c, key) == "-");
    c.remember(text_hash("a"), "a", values, 1);
    CHECK(known(c, "a") == "1"); // it was seen before
}

TEST_CASE("key_cache: keys of one hash are told apart by their bytes")
{
    int one = 1;
    int* const values[] = {&one};
    cache c;
    c.resize(64);
    for (int i = 0; i < 2; ++i)
        c.remember(7, "a", values, 1);
    CHECK(known(c, "a", 7) == "1");
    CHECK(known(c, "b", 7) == "-");
    CHECK(known(c, "aa", 7) == "-");
    CHECK(known(c, "", 7) == "-");
    CHECK(known(c, "a", 7 | std::uint64_t{1} << 40U) == "-"); // the same slot
}

TEST_CASE("key_cache: bounded, however many keys and whatever their sizes; what it says is right")
{
    std::vector<int> numbers(1000);
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = static_cast<int>(i);
    for (const std::size_t size : {std::size_t{1}, std::size_t{100}, std::size_t{1'000'000}}) {
        std::mt19937_64 random(size);
        cache c;
        c.resize(size);
        const std::size_t memory = c.memory();
        CHECK(memory <= cache::most_bytes);
        CHECK(memory >= cache::least_slots * cache::bytes_per_slot);
        std::map<std::string, std::vector<int*>> truth;
        std::size_t answers = 0;
        std::size_t wrong = 0;
        for (int step = 0; step < 200'000; ++step) {
            if (random() % 5000 == 0) {
                c.invalidate();
                truth.clear();
            }
            const std::size_t which = random() % (random() % 2 == 0 ? 8 : 3000);
            const std::string key = std::to_string(which) + std::string(which * 31 % 250, 'k');
            std::vector<int*>& values = truth[key];
            if (values.empty()) {
                const std::size_t most = random() % 8 == 0 ? 400 : 5;
                for (std::size_t i = random() % most + 1; i > 0; --i)
                    values.push_back(&numbers[random() % numbers.size()]);
            }
            const auto found = c.find(text_hash(key), key);
            if (!found.is_known) {
                c.remember(text_hash(key), key, values.data(), values.size());
                continue;
            }
            ++answers;
            wrong += static_cast<std::size_t>(!std::equal(found.values.begin(), found.values.end(),
                                                          values.begin(), values.end()));
        }
        CHECK(wrong == 0);
        CHECK(answers > 2000);
        CHECK(c.memory() == memory);
    }
}

TEST_CASE("key_cache: a thousand keys that come again and again are nearly all known")
{
    int one = 1;
    int* const values[] = {&one};
    cache c;
    c.resize(4096);
    int unknown = 0;
    for (int round = 0; round < 12; ++round)
        for (int i = 0; i < 1000; ++i) {
            const std::string key = "stock." + std::to_string(i);
            if (c.find(text_hash(key), key).is_known)
                continue;
            c.remember(text_hash(key), key, values, 1);
            unknown += round < 4 ? 0 : 1;
        }
    CHECK(unknown < 160); // of 8,000
}

TEST_CASE("key_cache: four keys of one set stay beside each other, a fifth takes one's place")
{
    int one = 1;
    int* const values[] = {&one};
    cache c;
    c.resize(64);
    const auto hash = [](std::uint64_t i) { return (i + 1) << 32U | 5; };
    const char* const keys[] = {"a", "b", "c", "d", "e"};
    for (int round = 0; round < 2; ++round)
        for (std::uint64_t i = 0; i < 4; ++i)
            c.remember(hash(i), keys[i], values, 1);
    for (std::uint64_t i = 0; i < 4; ++i)
        CHECK(known(c, keys[i], hash(i)) == "1");
    for (int round = 0; round < 2; ++round)
        c.remember(hash(4), keys[4], values, 1);
    CHECK(known(c, keys[4], hash(4)) == "1");
    int left = 0;
    for (std::uint64_t i = 0; i < 4; ++i)
        left += known(c, keys[i], hash(i)) == "1" ? 1 : 0;
    CHECK(left == 3);
}

TEST_CASE("key_cache: keys that come once push out none that come often")
{
    int one = 1;
    int* const values[] = {&one};
    cache c;
    c.resize(1);
    for (int i = 0; i < 2; ++i)
        c.remember(text_hash("often"), "often", values, 1);
    for (int i = 0; i < 100'000; ++i) {
        const std::string key = "once" + std::to_string(i);
        c.remember(text_hash(key), key, values, 1);
    }
    CHECK(known(c, "often") == "1");
}

TEST_CASE("hash_filter: never wrong about what is there, seldom about what is not")
{
    std::mt19937_64 random(1);
    routing::hash_filter f;
    CHECK_FALSE(f.may_have(0));
    std::vector<std::uint64_t> there;
    std::size_t missed = 0;
    for (const std::size_t most :
         {std::size_t{1}, std::size_t{2}, std::size_t{9}, std::size_t{100}, std::size_t{20'000}}) {
        while (there.size() < most) {
            if (!f.has_room()) {
                f.restart(there.size());
                for (const std::uint64_t h : there)
                    f.insert(h);
                CHECK(f.has_room());
            }
            there.push_back(random());
            f.insert(there.back());
            missed += static_cast<std::size_t>(!f.may_have(there[random() % there.size()]));
        }
        for (const std::uint64_t h : there)
            missed += static_cast<std::size_t>(!f.may_have(h));
        CHECK(missed == 0);
        int mistaken = 0;
        for (int i = 0; i < 10'000; ++i)
            mistaken += f.may_have(random()) ? 1 : 0;
        CHECK(mistaken < 1500);
    }
    f.clear();
    CHECK_FALSE(f.may_have(there[0]));
    f.insert(7);
    CHECK(f.single() == 7);
    CHECK(f.may_have(7));
    CHECK_FALSE(f.may_have(7 | std::uint64_t{1} << 63U));
}
