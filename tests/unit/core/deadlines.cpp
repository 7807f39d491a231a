#include "support/random_values.hpp"

#include <leveret/core/deadlines.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

using leveret::duration;
using leveret::instant;
using leveret::deadline_node;
using leveret::deadlines;
using leveret::test::random_values;

namespace {

class node final : public deadline_node {
public:
    explicit node(int id = 0) : id_(id) {}

    std::function<void(node&)> when_expired;
    int times = 0;

    [[nodiscard]] int id() const noexcept { return id_; }

private:
    void expired() noexcept override
    {
        CHECK_FALSE(is_armed());
        ++times;
        if (when_expired)
            when_expired(*this);
    }

    int id_;
};

} // namespace

TEST_CASE("deadlines: any arming, disarming and passing of time, against an ordered set")
{
    constexpr int count = 60;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        CAPTURE(seed);
        random_values random(seed);
        deadlines all;
        std::vector<std::unique_ptr<node>> nodes;
        std::set<std::pair<std::int64_t, int>> model;
        std::vector<instant> expired; // in the order of the calls
        std::set<int> ids;
        for (int id = 0; id < count; ++id) {
            nodes.push_back(std::make_unique<node>(id));
            nodes.back()->when_expired = [&](node& n) {
                expired.push_back(n.deadline());
                CHECK(ids.insert(n.id()).second);
            };
        }
        std::int64_t now = 0;
        for (int step = 0; step < 2000; ++step) {
            node& n = *nodes[random.size_below(count)];
            switch (random.below(8)) {
            default: {
                std::erase_if(model, [&](const auto& item) { return item.second == n.id(); });
                if (random.one_in(20)) {
                    all.arm(n, instant::never());
                    REQUIRE_FALSE(n.is_armed());
                    break;
                }
                // Few different times, so that many are equal, and some that have passed already.
                const std::int64_t at = now + static_cast<std::int64_t>(random.below(50)) - 5;
                all.arm(n, instant(at));
                model.emplace(at, n.id());
                REQUIRE(n.is_armed());
                REQUIRE(n.deadline() == instant(at));
                break;
            }
            case 5:
            case 6:
                all.disarm(n);
                std::erase_if(model, [&](const auto& item) { return item.second == n.id(); });
                REQUIRE_FALSE(n.is_armed());
                break;
            case 7: {
                now += static_cast<std::int64_t>(random.below(10));
                expired.clear();
                ids.clear();
                all.expire(instant(now));
                std::set<int> wanted;
                std::vector<instant> times;
                while (!model.empty() && model.begin()->first <= now) {
                    times.push_back(instant(model.begin()->first));
                    wanted.insert(model.begin()->second);
                    model.erase(model.begin());
                }
                REQUIRE(ids == wanted);
                REQUIRE(expired == times); // earliest first
                break;
            }
            }
            REQUIRE(all.next() == (model.empty() ? instant::never() : instant(model.begin()->first)));
        }
        for (const auto& n : nodes)
            all.disarm(*n);
        CHECK(all.next() == instant::never());
    }
}

TEST_CASE("deadlines: one that is armed again has its new time only")
{
    deadlines all;
    node n;
    all.arm(n, instant(10));
    all.arm(n, instant(20));
    all.expire(instant(15));
    CHECK(n.times == 0);
    CHECK(all.next() == instant(20));
    all.expire(instant(20)); // at the very moment
    CHECK(n.times == 1);
    all.expire(instant(100));
    CHECK(n.times == 1);
    all.disarm(n); // nothing to do
    CHECK(all.next() == instant::never());
}

TEST_CASE("deadlines: what expires may arm and disarm itself and others")
{
    deadlines all;
    node first(1);
    node second(2);
    node third(3);
    all.arm(first, instant(1));
    all.arm(second, instant(2));
    all.arm(third, instant(3));
    first.when_expired = [&](node& self) {
        all.disarm(second);
        all.arm(third, instant(50));
        all.arm(self, instant(100));
    };
    all.expire(instant(10));
    CHECK(first.times == 1);
    CHECK(second.times == 0);
    CHECK(third.times == 0);
    CHECK(all.next() == instant(50));
    all.expire(instant(60));
    CHECK(third.times == 1);
    CHECK(all.next() == instant(100));
    all.disarm(first);

    // Armed again for a moment that has passed: it expires within the same call.
    int left = 3;
    first.when_expired = [&](node& self) {
        if (--left > 0)
            all.arm(self, instant(5));
    };
    all.arm(first, instant(5));
    all.expire(instant(60));
    CHECK(left == 0);
    CHECK(first.times == 4);
}

TEST_CASE("deadlines: of things with one patience, and a few far ones among them, earliest first")
{
    random_values random(7);
    deadlines all;
    std::vector<std::unique_ptr<node>> nodes;
    std::vector<int> order;
    for (int id = 0; id < 1000; ++id) {
        nodes.push_back(std::make_unique<node>(id));
        nodes.back()->when_expired = [&](node& n) { order.push_back(n.id()); };
        // Each hundredth waits for long: more than are looked over for those that come behind them.
        all.arm(*nodes.back(), instant(id % 100 == 99 ? 100'000 - id : 1000 + id));
    }
    std::set<int> left;
    for (int id = 0; id < 1000; ++id) {
        if (random.one_in(3))
            all.disarm(*nodes[static_cast<std::size_t>(id)]);
        else
            left.insert(id);
    }
    all.expire(instant(1'000'000));
    REQUIRE(order.size() == left.size());
    for (std::size_t i = 1; i < order.size(); ++i)
        CHECK(nodes[static_cast<std::size_t>(order[i - 1])]->deadline() <= nodes[static_cast<std::size_t>(order[i])]->deadline());
}
