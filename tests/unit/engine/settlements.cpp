// Settlements against a model of the broker: what the user said of each delivery must reach the broker
// once, whatever the order and however it is merged into frames.
#include "support/allocated.hpp"
#include "support/random_values.hpp"

#include <leveret/engine/settlements.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

using leveret::engine::settlement;
using leveret::engine::settlements;
using leveret::test::allocation_watch;
using leveret::test::random_values;

namespace {

constexpr std::uint64_t max_gap = settlements::max_gap;

std::string told(settlements& s)
{
    std::string out;
    s.flush([&](std::uint64_t tag, bool multiple, settlement how) {
        out += how == settlement::ack ? "ack " : how == settlement::requeue ? "requeue " : "discard ";
        out += std::to_string(tag) + (multiple ? "+ " : " ");
    });
    return out;
}

void arrive(settlements& s, std::uint64_t tag, bool needs_settling = true)
{
    REQUIRE(s.arrived(tag, needs_settling));
}

settlements with_open(std::uint64_t n)
{
    settlements s;
    for (std::uint64_t tag = 1; tag <= n; ++tag)
        arrive(s, tag);
    return s;
}

/// The two ends as plainly as they can be written.
struct model {
    std::set<std::uint64_t> unsettled;             // at the user
    std::map<std::uint64_t, settlement> said;      // by the user, not known to the broker
    std::set<std::uint64_t> unacknowledged;        // at the broker
    std::uint64_t last = 0;
    std::size_t frames = 0;

    void settle(std::uint64_t tag, settlement how)
    {
        unsettled.erase(tag);
        said[tag] = how;
    }
    void receive(std::uint64_t tag, bool multiple, settlement how)
    {
        ++frames;
        const auto one = [&](std::uint64_t t) {
            CAPTURE(t);
            REQUIRE(said.contains(t)); // told twice, or never said
            REQUIRE(said[t] == how);
            said.erase(t);
            REQUIRE(unacknowledged.erase(t) == 1);
        };
        if (!multiple)
            return one(tag);
        const std::set<std::uint64_t> up_to(unacknowledged.begin(), unacknowledged.upper_bound(tag));
        REQUIRE(up_to.contains(tag)); // RabbitMQ: 406 unknown delivery tag
        for (const std::uint64_t t : up_to)
            one(t);
    }
};

} // namespace

TEST_CASE("settlements: any order of acks and nacks reaches the broker, each once")
{
    constexpr settlement kinds[] = {settlement::ack, settlement::requeue, settlement::discard};
    std::size_t settled = 0;
    std::size_t frames = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        random_values random(seed);
        settlements s;
        model m;
        const std::uint64_t habit = 1 + random.below(6); // some users are orderly
        for (int step = 0; step < 500; ++step) {
            const auto any_tag = [&] { return m.last < 8 ? random.below(10) : m.last - random.below(9); };
            const settlement how = kinds[random.one_in(habit) ? random.below(3) : 0];
            switch (random.below(12)) {
            default: {
                m.last += random.one_in(20) ? 1 + random.below(5) : 1;
                const bool needs_settling = !random.one_in(15);
                REQUIRE(s.arrived(m.last, needs_settling));
                if (needs_settling) {
                    m.unsettled.insert(m.last);
                    m.unacknowledged.insert(m.last);
                }
                break;
            }
            case 5:
            case 6:
            case 7: {
                const std::uint64_t tag = random.one_in(habit) || m.unsettled.empty() ? any_tag()
                                                                                      : *m.unsettled.begin();
                REQUIRE(s.settle(tag, how) == m.unsettled.contains(tag));
                if (m.unsettled.contains(tag))
                    m.settle(tag, how);
                ++settled;
                break;
            }
            case 8: {
                const std::uint64_t tag = random.one_in(4) ? std::numeric_limits<std::uint64_t>::max()
                                                           : any_tag();
                std::size_t n = 0;
                while (!m.unsettled.empty() && *m.unsettled.begin() <= tag) {
                    m.settle(*m.unsettled.begin(), how);
                    ++n;
                }
                REQUIRE(s.settle_up_to(tag, how) == n);
                settled += n;
                break;
            }
            case 9:
            case 10: {
                // Nothing new, nothing to tell; and all of it is told at once.
                const bool has_news = !m.said.empty();
                if (has_news)
                    REQUIRE(s.has_news());
                s.flush([&](std::uint64_t tag, bool multiple, settlement what) {
                    m.receive(tag, multiple, what);
                });
                REQUIRE(m.said.empty());
                REQUIRE_FALSE(s.has_news());
                break;
            }
            case 11:
                if (random.one_in(20)) {
                    s.forget();
                    m.unsettled.clear();
                    m.said.clear();
                    m.unacknowledged.clear();
                    REQUIRE_FALSE(s.has_news());
                }
                break;
            }
            REQUIRE(s.open() == m.unsettled.size());
            REQUIRE(s.last_tag() == m.last);
            const std::uint64_t tag = any_tag();
            REQUIRE(s.is_open(tag) == m.unsettled.contains(tag));
        }
        frames += m.frames;
    }
    CHECK(settled > 20000);
    CHECK(frames < settled); // and merged
}

TEST_CASE("settlements: what is settled in a row is one frame")
{
    settlements s = with_open(10);
    for (std::uint64_t tag = 1; tag <= 5; ++tag)
        CHECK(s.settle(tag, settlement::ack));
    CHECK(told(s) == "ack 5+ ");
    CHECK(told(s).empty());
    CHECK(s.settle(6, settlement::ack));
    CHECK(told(s) == "ack 6 "); // one by itself is not "multiple"
    CHECK(s.settle_up_to(10, settlement::discard) == 4);
    CHECK(told(s) == "discard 10+ ");
    CHECK(s.open() == 0);
}

TEST_CASE("settlements: out of order they are told by themselves, at once")
{
    settlements s = with_open(6);
    CHECK(s.settle(4, settlement::ack));
    CHECK(s.settle(2, settlement::requeue));
    CHECK(told(s) == "ack 4 requeue 2 ");
    CHECK(s.settle(3, settlement::ack));
    CHECK(s.settle(1, settlement::ack));
    CHECK(told(s) == "ack 3+ "); // 1 and 3; the broker knows 2 already
    CHECK(s.settle(6, settlement::ack));
    CHECK(s.settle(5, settlement::discard));
    CHECK(told(s) == "discard 5 ack 6 ");
}

TEST_CASE("settlements: a row of different kinds becomes a frame for each change")
{
    settlements s = with_open(7);
    constexpr settlement how[] = {settlement::ack,     settlement::ack,     settlement::requeue,
                                  settlement::requeue, settlement::discard, settlement::ack,
                                  settlement::ack};
    for (std::uint64_t tag = 1; tag <= 7; ++tag)
        CHECK(s.settle(tag, how[tag - 1]));
    CHECK(told(s) == "ack 2+ requeue 4+ discard 5 ack 7+ ");
}

TEST_CASE("settlements: each delivery is settled once")
{
    settlements s = with_open(3);
    CHECK_FALSE(s.settle(0, settlement::ack));
    CHECK_FALSE(s.settle(4, settlement::ack));
    CHECK(s.settle(2, settlement::ack));
    CHECK_FALSE(s.settle(2, settlement::discard));
    CHECK(s.settle_up_to(2, settlement::discard) == 1);
    CHECK(told(s) == "discard 1 ack 2 ");
    CHECK_FALSE(s.settle(1, settlement::ack));
    CHECK(s.settle_up_to(2, settlement::ack) == 0);
    CHECK(told(s).empty());
}

TEST_CASE("settlements: deliveries that need no acknowledgement are never told")
{
    settlements s;
    arrive(s, 1, false);
    arrive(s, 2, true);
    arrive(s, 3, false);
    arrive(s, 4, true);
    CHECK(s.open() == 2);
    CHECK_FALSE(s.settle(1, settlement::ack));
    CHECK_FALSE(s.settle(3, settlement::ack));
    CHECK(s.settle_up_to(3, settlement::ack) == 1);
    CHECK(told(s) == "ack 2 ");
    CHECK(s.settle(4, settlement::ack));
    CHECK(told(s) == "ack 4 ");
}

TEST_CASE("settlements: tags go up, and gaps are believed up to max_gap")
{
    settlements s;
    CHECK_FALSE(s.arrived(0, true));
    CHECK_FALSE(s.arrived(2 + max_gap, true));
    arrive(s, 1 + max_gap);
    CHECK_FALSE(s.arrived(1 + max_gap, true));
    CHECK_FALSE(s.arrived(max_gap, true));
    CHECK_FALSE(s.arrived(1, true));
    CHECK_FALSE(s.arrived(std::numeric_limits<std::uint64_t>::max(), true));
    CHECK_FALSE(s.arrived(3 + 2 * max_gap, false));
    CHECK(s.open() == 1); // what is refused changes nothing
    CHECK(s.last_tag() == 1 + max_gap);
    arrive(s, 2 + 2 * max_gap);
    CHECK(s.open() == 2);
    CHECK_FALSE(s.is_open(2 + max_gap));
    CHECK(s.settle_up_to(2 + 2 * max_gap, settlement::ack) == 2);
    const std::string told_now = told(s); // the first was put aside meanwhile
    CHECK(told_now == "ack " + std::to_string(1 + max_gap) + " ack " + std::to_string(2 + 2 * max_gap) + " ");
}

TEST_CASE("settlements: gaps that are made on purpose cost a bounded memory")
{
    settlements s;
    arrive(s, 1); // and stays open, so that all after it are kept
    const allocation_watch watch;
    std::uint64_t tag = 1;
    for (int i = 0; i < 2000; ++i) {
        if (s.arrived(tag + max_gap, true))
            tag += max_gap;
    }
    CHECK(watch.grown() < 8 * max_gap);
    // With nothing open there is nothing to keep, and the next gap is believed again.
    CHECK(s.settle_up_to(tag, settlement::ack) > 0);
    static_cast<void>(told(s));
    CHECK(s.arrived(tag + max_gap, true));
}

TEST_CASE("settlements: after forget the tags go on")
{
    settlements s = with_open(5);
    CHECK(s.settle(2, settlement::ack));
    s.forget();
    CHECK(s.open() == 0);
    CHECK_FALSE(s.has_news());
    CHECK(told(s).empty());
    CHECK_FALSE(s.settle(3, settlement::ack));
    CHECK_FALSE(s.arrived(5, true));
    arrive(s, 6);
    CHECK(s.settle(6, settlement::ack));
    CHECK(told(s) == "ack 6 ");
}

TEST_CASE("settlements: memory does not grow with the number of deliveries")
{
    settlements s;
    const auto some = [&](std::uint64_t n, bool needs_settling) {
        for (std::uint64_t i = 0; i < n; ++i) {
            const std::uint64_t tag = s.last_tag() + 1;
            REQUIRE(s.arrived(tag, needs_settling));
            if (needs_settling && tag > 100)
                REQUIRE(s.settle(tag - 100, settlement::ack));
            if (tag % 32 == 0)
                static_cast<void>(told(s));
        }
    };
    some(10000, true);
    const allocation_watch watch;
    some(200000, true);
    static_cast<void>(s.settle_up_to(s.last_tag(), settlement::ack));
    static_cast<void>(told(s));
    some(200000, false);
    CHECK(watch.grown() == 0);
}

TEST_CASE("settlements: one that stays open does not make its neighbours cost anything")
{
    for (const bool needs_settling : {true, false}) {
        settlements s;
        arrive(s, 1);
        const auto pass = [&](std::uint64_t n) {
            for (std::uint64_t i = 0; i < n; ++i) {
                const std::uint64_t tag = s.last_tag() + 1;
                REQUIRE(s.arrived(tag, needs_settling));
                if (needs_settling)
                    REQUIRE(s.settle(tag, settlement::ack));
                if (tag % 64 == 0)
                    static_cast<void>(told(s));
            }
        };
        pass(2 * settlements::max_span);
        const allocation_watch watch;
        pass(8 * settlements::max_span);
        CHECK(watch.grown() == 0);
        static_cast<void>(told(s));
        CHECK(s.is_open(1));
        CHECK(s.open() == 1);
        // While it is open nothing is told with "multiple", which would settle it too.
        const std::uint64_t last = s.last_tag();
        for (std::uint64_t tag = last + 1; tag <= last + 3; ++tag)
            arrive(s, tag);
        for (std::uint64_t tag = last + 1; tag <= last + 3; ++tag)
            CHECK(s.settle(tag, settlement::ack));
        const std::string one_by_one = "ack " + std::to_string(last + 1) + " ack " + std::to_string(last + 2) +
                                       " ack " + std::to_string(last + 3) + " ";
        CHECK(told(s) == one_by_one);
        CHECK(s.settle(1, settlement::requeue));
        CHECK_FALSE(s.settle(1, settlement::requeue));
        CHECK(s.has_news());
        CHECK(told(s) == "requeue 1 ");
        CHECK(s.open() == 0);
        arrive(s, last + 4);
        arrive(s, last + 5);
        CHECK(s.settle_up_to(last + 5, settlement::ack) == 2);
        CHECK(told(s) == "ack " + std::to_string(last + 5) + "+ ");
    }
}

TEST_CASE("settlements: several are put aside, and settled by one with multiple")
{
    settlements s;
    for (const std::uint64_t tag : {1U, 2U, 3U})
        arrive(s, tag);
    while (s.last_tag() < 2 * settlements::max_span)
        REQUIRE(s.arrived(s.last_tag() + 1, false));
    CHECK(s.open() == 3);
    CHECK(s.settle_up_to(2, settlement::ack) == 2);
    CHECK(told(s) == "ack 1 ack 2 ");
    CHECK(s.is_open(3));
    s.forget();
    CHECK_FALSE(s.is_open(3));
    CHECK(s.open() == 0);
}

TEST_CASE("settlements: after a rollback nothing is told for several at once")
{
    settlements s = with_open(3);
    CHECK(s.settle(1, settlement::ack));
    CHECK(told(s) == "ack 1 ");
    s.lower_may_be_open();
    CHECK(s.settle_up_to(3, settlement::ack) == 2);
    CHECK(told(s) == "ack 2 ack 3 ");
    s.forget();
    arrive(s, 4);
    arrive(s, 5);
    CHECK(s.settle_up_to(5, settlement::ack) == 2);
    CHECK(told(s) == "ack 5+ ");
}

TEST_CASE("settlements: what is told may make others arrive at once, also while one is put aside")
{
    for (const bool is_aside : {false, true}) {
        CAPTURE(is_aside);
        settlements s;
        arrive(s, 1);
        while (is_aside && s.last_tag() < 2 * settlements::max_span)
            REQUIRE(s.arrived(s.last_tag() + 1, false));
        if (!is_aside)
            CHECK(s.settle(1, settlement::ack));
        for (int i = 0; i < 3; ++i)
            arrive(s, s.last_tag() + 1);
        std::uint64_t oldest = s.last_tag() - 2;
        for (int round = 0; round < 1000; ++round) {
            REQUIRE(s.settle(oldest, settlement::ack));
            std::string said;
            s.flush([&](std::uint64_t tag, bool, settlement how) {
                said += std::to_string(tag) + (how == settlement::ack ? " " : "? ");
                REQUIRE(s.arrived(s.last_tag() + 1, true));
            });
            REQUIRE(said == std::to_string(oldest) + " ");
            ++oldest;
            for (std::uint64_t tag = oldest; tag <= s.last_tag(); ++tag)
                REQUIRE(s.is_open(tag));
        }
    }
}
