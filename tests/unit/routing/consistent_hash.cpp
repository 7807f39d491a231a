#include "leveret/routing/consistent_hash.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace leveret;

namespace {

/// Queues are numbers, bound with a weight.
struct weighted {
    explicit weighted(const table& arguments = {}) : router(routing::router_context{arguments}) {}
    struct entry : routing::binding {
        entry(int n, std::string k)
            : binding(reinterpret_cast<void*>(static_cast<std::uintptr_t>(n))), number(n),
              key(std::move(k))
        {
        }
        int number;
        std::string key;
    };
    void add(int number, int weight)
    {
        entries.push_back(std::make_unique<entry>(number, std::to_string(weight)));
        router.add(entries.back()->key, {}, *entries.back());
    }
    void remove(std::size_t i)
    {
        router.remove(entries[i]->key, {}, *entries[i]);
        entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(i));
    }
    /// The queue's number; 0 if there is none.
    [[nodiscard]] int route(std::string_view key, const properties& p = {}) const
    {
        int reached = 0;
        router.route(routing::message_view{key, p}, [&reached](void* target) {
            CHECK(reached == 0);
            reached = static_cast<int>(reinterpret_cast<std::uintptr_t>(target));
        });
        return reached;
    }
    [[nodiscard]] std::vector<int> all(int keys) const
    {
        std::vector<int> queues;
        for (int i = 0; i < keys; ++i)
            queues.push_back(route("key." + std::to_string(i)));
        return queues;
    }
    /// How far the numbers of keys are from what weights say, in standard deviations, at most.
    [[nodiscard]] double deviation(int keys) const
    {
        std::map<int, double> weights;
        double sum = 0;
        for (const auto& e : entries)
            if (weights.emplace(e->number, std::stod(e->key)).second)
                sum += std::stod(e->key);
        std::map<int, double> counts;
        for (const int q : all(keys))
            ++counts[q];
        double most = 0;
        for (const auto& [number, weight] : weights) {
            const double share = weight / sum;
            const double expected = share * keys;
            const double sigma = std::sqrt(expected * (1 - share)) + 1e-9;
            most = std::max(most, std::abs(counts[number] - expected) / sigma);
        }
        return most;
    }

    routing::consistent_hash_router router;
    std::vector<std::unique_ptr<entry>> entries;
};

} // namespace

TEST_CASE("consistent hash: messages in proportion to weights")
{
    weighted x;
    CHECK(x.route("a") == 0);
    x.add(1, 1);
    CHECK(x.route("a") == 1);
    x.add(2, 2);
    x.add(3, 30);
    x.add(4, 7);
    CHECK(x.deviation(40'000) < 5);
    CHECK(x.all(500) == x.all(500));
}

TEST_CASE("consistent hash: who comes takes only for itself, who goes leaves only what it had")
{
    std::mt19937_64 random(3);
    weighted x;
    constexpr int keys = 3000;
    int next = 1;
    std::vector<int> before = x.all(keys);
    for (int step = 0; step < 300; ++step) {
        const bool comes = x.entries.size() < 2 || (x.entries.size() < 40 && random() % 100 < 55);
        int who = 0;
        if (comes) {
            who = next++;
            x.add(who, 1 + static_cast<int>(random() % 9));
        } else {
            const std::size_t i = random() % x.entries.size();
            who = x.entries[i]->number;
            x.remove(i);
        }
        const std::vector<int> after = x.all(keys);
        bool stable = true;
        for (std::size_t i = 0; i < before.size(); ++i)
            stable = stable && (after[i] == before[i] || (comes ? after[i] : before[i]) == who);
        REQUIRE(stable);
        if (step % 50 == 49)
            CHECK(x.deviation(40'000) < 5);
        before = after;
    }
    while (!x.entries.empty())
        x.remove(random() % x.entries.size());
    CHECK(x.route("a") == 0);
    x.add(1, 3);
    CHECK(x.route("a") == 1);
}

TEST_CASE("consistent hash: even when nearly all are gone")
{
    weighted x;
    for (int i = 1; i <= 300; ++i)
        x.add(i, 10);
    std::mt19937_64 random(4);
    while (x.entries.size() > 3)
        x.remove(random() % x.entries.size());
    CHECK(x.deviation(40'000) < 5);
}

TEST_CASE("consistent hash: the first binding of a queue is its weight")
{
    weighted x;
    x.add(1, 1);
    x.add(2, 1);
    const std::vector<int> before = x.all(2000);
    x.add(1, 1000);
    CHECK(x.all(2000) == before);
    x.remove(2); // the second of them: it did not count
    CHECK(x.all(2000) == before);
    x.add(1, 1000);
    x.remove(0);
    CHECK(x.deviation(2000) < 5); // now it does
    const auto now = x.all(2000);
    CHECK(std::count(now.begin(), now.end(), 2) < 20);
    x.remove(1);
    x.remove(0);
    CHECK(x.route("a") == 0);
}

TEST_CASE("consistent hash: on a header or a property, and not on the key")
{
    const auto spread = [](const table& arguments, auto make) {
        weighted x(arguments);
        for (int i = 1; i <= 8; ++i)
            x.add(i, 1);
        std::map<int, int> counts;
        for (int i = 0; i < 400; ++i) {
            const int queue = x.route("key", make(i));
            CHECK(queue == x.route("another", make(i)));
            ++counts[queue];
        }
        return counts.size();
    };
    const auto name = [](int i) { return "value" + std::to_string(i); };
    const auto nothing = [](int) { return properties(); };
    CHECK(spread({{"hash-header", "h"}},
                 [&](int i) { return properties().headers({{"h", name(i)}}); }) == 8);
    CHECK(spread({{"hash-header", "h"}}, [&](int i) { return properties().headers({{"h", i}}); }) ==
          8);
    CHECK(spread({{"hash-header", "h"}},
                 [&](int i) { return properties().headers({{"h", 0.5 + i}}); }) == 8);
    CHECK(spread({{"hash-header", "h"}}, [&](int i) {
              return properties().headers({{"h", field_array{1, table{{"deep", i}}}}});
          }) == 8);
    CHECK(spread({{"hash-header", "h"}},
                 [&](int i) { return properties().headers({{"other", i}}); }) == 1);
    CHECK(spread({{"hash-property", "correlation_id"}},
                 [&](int i) { return properties().correlation_id(name(i)); }) == 8);
    CHECK(spread({{"hash-property", "message_id"}},
                 [&](int i) { return properties().message_id(name(i)); }) == 8);
    CHECK(spread({{"hash-property", "timestamp"}}, [&](int i) {
              return properties().timestamp({1'700'000'000U + static_cast<std::uint64_t>(i)});
          }) == 8);
    for (const char* property : {"correlation_id", "message_id", "timestamp"})
        CHECK(spread({{"hash-property", property}}, nothing) == 1);
}

TEST_CASE("consistent hash: a number is the same number in every width")
{
    weighted x(table{{"hash-header", "h"}});
    for (int i = 1; i <= 50; ++i)
        x.add(i, 1);
    for (std::int8_t i = -20; i < 20; ++i) {
        const int queue = x.route("", properties().headers({{"h", i}}));
        CHECK(queue == x.route("", properties().headers({{"h", std::int64_t{i}}})));
        CHECK(queue == x.route("", properties().headers({{"h", std::int32_t{i}}})));
    }
}

TEST_CASE("consistent hash: a key that is no weight, or one too heavy, is refused")
{
    const auto why = [](std::string_view key) { return consistent_hash::refusal(key, {}); };
    CHECK(why("1").empty());
    CHECK(why("+7").empty());
    CHECK(why("00010").empty());
    CHECK(why("10000").empty());
    CHECK(why("10001") == "The binding key must not exceed 10000");
    CHECK(why("4294967296") == "The binding key must not exceed 10000"); // 2 to the 32nd is not 0
    CHECK(why("4294967297") == "The binding key must not exceed 10000");
    CHECK(why(std::string(255, '9')) == "The binding key must not exceed 10000");
    CHECK(why("0") == "The binding key must be greater than 0");
    CHECK(why("-5") == "The binding key must be greater than 0");
    CHECK(why("") == "The binding key must be an integer: <<>>");
    CHECK(why("+") == "The binding key must be an integer: <<\"+\">>");
    CHECK(why("ten") == "The binding key must be an integer: <<\"ten\">>");
    CHECK(why("1.5") == "The binding key must be an integer: <<\"1.5\">>");
    CHECK(why(" 1") == "The binding key must be an integer: <<\" 1\">>");
}

TEST_CASE("consistent hash: all weights together have a limit, those that are not heard yet included")
{
    weighted x;
    const std::string full = "The weights of all bindings must not exceed 1000000";
    constexpr int most = routing::consistent_hash_router::most_weight;
    for (int q = 1; q <= 98; ++q)
        x.add(q, most);
    x.add(99, 1);
    x.add(99, most); // not heard: the first one of the queue is
    CHECK(x.router.refusal("9999", {}).empty());
    CHECK(x.router.refusal("10000", {}) == full);
    x.add(100, 9'999);
    CHECK(x.router.refusal("1", {}) == full);
    x.remove(98); // now the heavier one of 99 is heard, for which there is room
    CHECK(x.router.refusal("1", {}).empty());
    CHECK(x.router.refusal("2", {}) == full);
    int heard = 0;
    for (int i = 0; i < 100'000; ++i)
        heard += x.route(std::to_string(i)) == 99 ? 1 : 0;
    CHECK(heard > 700);
    CHECK(heard < 1300);
}
