// Publisher confirms against a model of the broker: whoever asked learns of each publish once, in runs or
// by itself.
#include "support/random_values.hpp"

#include <leveret/engine/confirms.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

using leveret::publish_outcome;
using leveret::engine::confirm_listener;
using leveret::engine::confirms;
using leveret::engine::fingerprint;
using leveret::test::random_values;

namespace {

constexpr auto ack = publish_outcome::confirmed;
constexpr auto nack = publish_outcome::rejected;

/// Writes down what it is told.
class listener final : public confirm_listener {
public:
    struct fact {
        publish_outcome outcome;
        std::string text; // of a return: code and text
    };
    std::map<std::uint64_t, fact> facts;
    std::string told; // the same in the order of the calls
    std::size_t bytes = 0;
    int told_twice = 0;

    std::uint64_t next = 1; // number of our next publish

    std::string take() { return std::exchange(told, {}); }

private:
    void note(std::uint64_t number, fact f)
    {
        if (!facts.emplace(number, std::move(f)).second)
            ++told_twice;
    }
    void confirmed(std::uint64_t first, std::size_t count, std::size_t size,
                   publish_outcome outcome) noexcept override
    {
        told += (outcome == ack ? "ack " : "nack ") + std::to_string(first) + "x" +
                std::to_string(count) + " " + std::to_string(size) + ";";
        for (std::uint64_t number = first; number < first + count; ++number)
            note(number, {outcome, ""});
        bytes += size;
    }
    void returned(std::uint64_t number, std::size_t size, std::uint16_t code,
                  std::string text) noexcept override
    {
        told += "return " + std::to_string(number) + " " + std::to_string(code) + " " + text + ";";
        note(number, {publish_outcome::unroutable, std::to_string(code) + " " + text});
        bytes += size;
    }
};

std::uint64_t publish(confirms& c, listener* who, std::size_t bytes = 10, std::uint32_t mark = 0)
{
    return c.published(who, who == nullptr ? 0 : who->next++, bytes, fingerprint(mark));
}

} // namespace

TEST_CASE("confirms: any order of confirmations and returns, told to the right one, each once")
{
    struct publish_record {
        listener* who;
        std::uint64_t own_number;
        std::size_t bytes;
        std::uint32_t mark;
        bool is_returned = false;
        bool is_resolved = false;
        bool is_forgotten = false;
        bool was_told = false;
        publish_outcome outcome = ack;
    };
    std::size_t all_told = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        CAPTURE(seed);
        random_values random(seed);
        listener listeners[3];
        confirms c;
        std::vector<publish_record> records; // by number - 1
        std::size_t unresolved = 0;          // all before are resolved
        std::size_t to_be_returned = 0;      // the broker returns in the order of the publishes
        // The broker routes a publish and returns it, if it must, before it confirms it. Equal messages
        // are routed alike: here those with an odd mark reach no queue.
        const auto route = [&](std::size_t up_to) {
            for (; to_be_returned < up_to; ++to_be_returned) {
                publish_record& r = records[to_be_returned];
                if (r.mark % 2 == 0 || r.is_resolved)
                    continue;
                r.is_returned = true;
                REQUIRE(c.returned(fingerprint(r.mark), 312, std::to_string(to_be_returned)) ==
                        (r.who != nullptr));
            }
        };
        const auto resolve = [&](std::size_t i, publish_outcome outcome) {
            records[i].is_resolved = true;
            records[i].outcome = outcome;
            records[i].was_told = records[i].who != nullptr && !records[i].is_forgotten;
        };
        for (int step = 0; step < 400; ++step) {
            const publish_outcome outcome = random.one_in(4) ? nack : ack;
            while (unresolved < records.size() && records[unresolved].is_resolved)
                ++unresolved;
            const std::size_t open = records.size() - unresolved;
            switch (random.below(10)) {
            default: {
                listener* who = random.one_in(5) ? nullptr : &listeners[random.below(3)];
                const std::size_t bytes = random.size_below(1000);
                const auto mark = static_cast<std::uint32_t>(random.below(5));
                records.push_back({who, who == nullptr ? 0 : who->next, bytes, mark});
                REQUIRE(publish(c, who, bytes, mark) == records.size());
                break;
            }
            case 5:
                route(records.size() - random.size_below(records.size() - to_be_returned + 1));
                break;
            case 6:
            case 7: { // one of them
                if (open == 0)
                    break;
                const std::size_t i = unresolved + random.size_below(open);
                route(i + 1);
                REQUIRE(c.resolve(i + 1, false, outcome) == !records[i].is_resolved);
                if (!records[i].is_resolved)
                    resolve(i, outcome);
                break;
            }
            case 8: { // all up to one
                if (open == 0)
                    break;
                const std::size_t last = unresolved + random.size_below(open);
                route(last + 1);
                const bool as_zero = last + 1 == records.size() && random.one_in(2);
                REQUIRE(c.resolve(as_zero ? 0 : last + 1, true, outcome));
                for (std::size_t i = unresolved; i <= last; ++i)
                    if (!records[i].is_resolved)
                        resolve(i, outcome);
                break;
            }
            case 9:
                if (random.one_in(4)) {
                    const listener& gone = listeners[random.below(3)];
                    c.forget(gone);
                    for (publish_record& r : records)
                        r.is_forgotten = r.is_forgotten || (r.who == &gone && !r.is_resolved);
                } else if (open != 0) {
                    const std::size_t i = unresolved + random.size_below(open);
                    c.forget(i + 1);
                    records[i].is_forgotten = records[i].is_forgotten || !records[i].is_resolved;
                }
                break;
            }
        }
        std::size_t told = 0;
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < records.size(); ++i) {
            CAPTURE(i);
            const publish_record& r = records[i];
            if (r.who == nullptr)
                continue;
            const auto fact = r.who->facts.find(r.own_number);
            REQUIRE((fact != r.who->facts.end()) == r.was_told);
            if (!r.was_told)
                continue;
            ++told;
            bytes += r.bytes;
            const bool is_unroutable = r.is_returned && r.outcome == ack;
            CHECK(fact->second.outcome == (is_unroutable ? publish_outcome::unroutable : r.outcome));
            CHECK(fact->second.text == (is_unroutable ? "312 " + std::to_string(i) : ""));
        }
        std::size_t heard = 0;
        std::size_t heard_bytes = 0;
        for (const listener& who : listeners) {
            CHECK(who.told_twice == 0);
            heard += who.facts.size();
            heard_bytes += who.bytes;
        }
        CHECK(heard == told);
        CHECK(heard_bytes == bytes);
        all_told += told;
    }
    CHECK(all_told > 10000);
}

TEST_CASE("confirms: a range is told in runs")
{
    listener a;
    listener b;
    confirms c;
    for (int i = 0; i < 5; ++i)
        publish(c, &a);
    for (int i = 0; i < 3; ++i)
        publish(c, &b, 1);
    publish(c, nullptr);
    publish(c, &a, 7);
    CHECK(c.outstanding() == 10);
    CHECK(c.resolve(10, true, ack));
    CHECK(a.take() == "ack 1x5 50;ack 6x1 7;");
    CHECK(b.take() == "ack 1x3 3;");
    CHECK(c.outstanding() == 0);
}

TEST_CASE("confirms: one that was told by itself splits a run")
{
    listener a;
    confirms c;
    for (int i = 0; i < 6; ++i)
        publish(c, &a);
    CHECK(c.resolve(3, false, nack));
    CHECK(a.take() == "nack 3x1 10;");
    CHECK(c.outstanding() == 6); // the ring begins at the first that is open
    CHECK(c.resolve(5, true, ack));
    CHECK(a.take() == "ack 1x2 20;ack 4x2 20;");
    CHECK(c.resolve(6, false, ack));
    CHECK(a.take() == "ack 6x1 10;");
}

TEST_CASE("confirms: returned and confirmed is unroutable, returned and refused is refused")
{
    listener a;
    confirms c;
    for (std::uint32_t i = 0; i < 4; ++i)
        publish(c, &a, 10, 5);
    CHECK(c.returned(fingerprint(5), 312, "NO_ROUTE"));
    CHECK(a.take().empty()); // only the confirmation ends it
    CHECK(c.resolve(4, true, ack));
    CHECK(a.take() == "return 1 312 NO_ROUTE;ack 2x3 30;");

    publish(c, &a, 10, 5);
    CHECK(c.returned(fingerprint(5), 312, "NO_ROUTE"));
    CHECK(c.resolve(5, false, nack));
    CHECK(a.take() == "nack 5x1 10;");
    CHECK_FALSE(c.returned(fingerprint(5), 312, "NO_ROUTE")); // nothing of ours is out
    CHECK_FALSE(c.returned(fingerprint(0), 312, "NO_ROUTE"));
}

TEST_CASE("confirms: a return is for the oldest that looks like it")
{
    listener a;
    confirms c;
    for (const std::uint32_t mark : {1U, 2U, 1U, 2U, 3U})
        publish(c, &a, 10, mark);
    CHECK(c.returned(fingerprint(2), 312, "first"));
    CHECK(c.returned(fingerprint(2), 312, "second"));
    CHECK_FALSE(c.returned(fingerprint(2), 312, "third"));
    CHECK_FALSE(c.returned(fingerprint(4), 312, "unknown"));
    CHECK(c.returned(fingerprint(3), 312, "last"));
    CHECK(c.resolve(0, true, ack));
    CHECK(a.take() == "ack 1x1 10;return 2 312 first;ack 3x1 10;return 4 312 second;return 5 312 last;");
}

TEST_CASE("confirms: a return is for the one with equal properties, else for one with equal key and body")
{
    listener a;
    confirms c;
    for (const std::uint32_t properties : {7U, 8U, 9U})
        static_cast<void>(c.published(&a, a.next++, 10, fingerprint(1, properties)));
    CHECK(c.returned(fingerprint(1, 9), 312, "third"));
    CHECK(c.returned(fingerprint(1, 5), 312, "changed on its way"));
    CHECK(c.resolve(3, true, ack));
    CHECK(a.take() == "return 1 312 changed on its way;ack 2x1 10;return 3 312 third;");
}

TEST_CASE("confirms: what was never published or is settled can't be confirmed")
{
    listener a;
    confirms c;
    CHECK_FALSE(c.resolve(1, false, ack));
    CHECK_FALSE(c.resolve(1, true, ack));
    CHECK_FALSE(c.resolve(0, false, ack));
    CHECK(c.resolve(0, true, ack)); // all of nothing
    publish(c, &a);
    publish(c, &a);
    CHECK_FALSE(c.resolve(3, false, ack));
    CHECK_FALSE(c.resolve(3, true, ack));
    CHECK_FALSE(c.resolve(0xffffffffffffffff, true, ack));
    CHECK_FALSE(c.resolve(0, false, ack));
    CHECK(a.take().empty());
    CHECK(c.resolve(2, false, ack));
    CHECK_FALSE(c.resolve(2, false, ack)); // while 1 is open
    CHECK(c.resolve(1, false, ack));
    CHECK_FALSE(c.resolve(1, false, nack));
    CHECK(c.resolve(1, true, ack)); // RabbitMQ may repeat a range; nothing is told again
    CHECK(a.take() == "ack 2x1 10;ack 1x1 10;");
}

TEST_CASE("confirms: numbers go on after clear")
{
    listener a;
    confirms c;
    CHECK(publish(c, &a) == 1);
    CHECK(publish(c, &a, 1, 9) == 2);
    CHECK(c.returned(fingerprint(9), 312, "x"));
    c.clear();
    CHECK(c.outstanding() == 0);
    CHECK_FALSE(c.resolve(1, false, ack));
    CHECK(publish(c, &a, 1, 9) == 3);
    CHECK(c.resolve(3, false, ack));
    CHECK(a.take() == "ack 3x1 1;");
}
