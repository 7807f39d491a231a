// Exchange types as the broker has them: what policies refuse, what they see of a message, lists of policies.
#include "leveret/broker/broker.hpp"
#include "unit/broker/fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

using namespace leveret;
using namespace leveret::test;

namespace {

lb::status declare(test_channel& c, std::string_view name, std::string_view type,
                   const table& arguments = {})
{
    return c->declare_exchange({.name = name, .type = type, .arguments = &arguments});
}
lb::status bind(test_channel& c, std::string_view exchange, std::string_view queue,
                std::string_view key)
{
    return c->bind_queue({.source = exchange, .destination = queue, .routing_key = key});
}

/// A user's policy that uses all that a policy may have: it counts down from what the exchange's arguments say.
struct first_few {
    static constexpr std::string_view name = "x-first-few";
    [[nodiscard]] static std::string exchange_refusal(const table& arguments)
    {
        return arguments.contains("count") ? "" : "how many?";
    }
    [[nodiscard]] static std::string refusal(const table& arguments)
    {
        return arguments.empty() ? "" : "no arguments, please";
    }
    struct router {
        explicit router(const routing::router_context& c)
            : left(c.arguments.find("count")->integer()), seed(c.seed)
        {
        }
        [[nodiscard]] std::string refusal(std::string_view, const table&) const
        {
            return targets.size() < 2 ? "" : "two are enough";
        }
        void add(std::string_view, const table&, routing::binding& b) { targets.add(b); }
        void remove(std::string_view, const table&, routing::binding& b) noexcept
        {
            targets.remove(b);
        }
        void route(const routing::message_view& m, auto&& visit)
        {
            ++calls;
            if (m.properties.message_id() == "skip" || left == 0)
                return;
            left -= static_cast<std::int64_t>(1 + m.further_keys.size());
            targets.visit(visit);
        }
        std::int64_t left;
        std::uint64_t seed;
        int calls = 0;
        routing::target_list targets;
    };
};

static_assert(routing::policy<first_few> && routing::policy<consistent_hash> &&
              routing::policy<leveret::random>);
static_assert(!routing::policy<routing::message_view> && !routing::policy<routing::topic_router>);

} // namespace

TEST_CASE("a policy may look at an exchange's arguments and at all of a message, and refuse")
{
    lb::basic_core<lb::default_policies::with<first_few>> b;
    test_session s(b);
    test_channel c(*s);
    CHECK(text(declare(c, "x", "x-first-few")) == "PRECONDITION_FAILED - how many?");
    c.ok(declare(c, "x", "x-first-few", {{"count", 3}}));
    c.declare("a");
    c.declare("b");
    c.declare("c");
    const table some{{"a", 1}};
    CHECK(text(c->bind_queue({.source = "x", .destination = "a", .arguments = &some})) ==
          "PRECONDITION_FAILED - no arguments, please");
    c.bind("x", "a", "");
    c.bind("x", "b", "");
    CHECK(text(bind(c, "x", "c", "")) == "PRECONDITION_FAILED - two are enough");
    c.publish("x", "", "1");
    c.publish("x", "", "2", properties().message_id("skip"));
    c.publish("x", "", "3",
              properties().headers({{"CC", field_array{"more"}}})); // once, and it counts for two
    c.publish("x", "", "4");
    CHECK(c.drain("a") == "1 3");
    CHECK(c.drain("b") == "1 3");
    CHECK(b.find_virtual_host("/")->find_exchange("amq.topic") != nullptr);
}

// Texts of RabbitMQ 3.10.8's plugin; the upper limit is 4.x's. Arguments of other types end its connection with
// 541.
TEST_CASE("consistent hash: what is refused")
{
    one_client one;
    test_channel& c = one.channel;
    CHECK(text(declare(c, "x", "x-consistent-hash",
                       {{"hash-header", "h"}, {"hash-property", "message_id"}})) ==
          "PRECONDITION_FAILED - hash-header and hash-property are mutually exclusive");
    CHECK(text(declare(c, "x", "x-consistent-hash", {{"hash-property", "app_id"}})) ==
          "PRECONDITION_FAILED - Unsupported property: app_id");
    CHECK(text(declare(c, "x", "x-consistent-hash", {{"hash-header", 1}})) ==
          "PRECONDITION_FAILED - invalid type 'signedint' for arg 'hash-header'");
    c.ok(declare(c, "x", "x-consistent-hash"));
    c.declare("q");
    CHECK(text(bind(c, "x", "q", "a.b")) ==
          "PRECONDITION_FAILED - The binding key must be an integer: <<\"a.b\">>");
    CHECK(text(bind(c, "x", "q", "")) ==
          "PRECONDITION_FAILED - The binding key must be an integer: <<>>");
    CHECK(text(bind(c, "x", "q", "1.5")) ==
          "PRECONDITION_FAILED - The binding key must be an integer: <<\"1.5\">>");
    CHECK(text(bind(c, "x", "q", "-")) ==
          "PRECONDITION_FAILED - The binding key must be an integer: <<\"-\">>");
    for (const char* key : {"0", "-1", "-0", "000", "-99999999999999999999"})
        CHECK(text(bind(c, "x", "q", key)) ==
              "PRECONDITION_FAILED - The binding key must be greater than 0");
    for (const char* key : {"10001", "99999999999999999999999"})
        CHECK(text(bind(c, "x", "q", key)) ==
              "PRECONDITION_FAILED - The binding key must not exceed 10000");
    for (const char* key : {"1", "+1", "010000"})
        c.ok(bind(c, "x", "q", key));
}

TEST_CASE("consistent hash: weights together have a limit, and what goes makes room")
{
    one_client one;
    test_channel& c = one.channel;
    c.ok(declare(c, "x", "x-consistent-hash"));
    for (int i = 0; i < 101; ++i)
        c.declare("q" + std::to_string(i));
    for (int i = 0; i < 100; ++i)
        c.bind("x", "q" + std::to_string(i), "10000");
    CHECK(text(bind(c, "x", "q100", "1")) ==
          "PRECONDITION_FAILED - The weights of all bindings must not exceed 1000000");
    c.ok(c->delete_queue("q50"));
    c.ok(bind(c, "x", "q100", "10000"));
    CHECK_FALSE(bind(c, "x", "q50", "1"));
}

TEST_CASE("consistent hash: a message goes to one queue, whatever further keys it has")
{
    one_client one;
    test_channel& c = one.channel;
    c.ok(declare(c, "x", "x-consistent-hash"));
    c.ok(declare(c, "by-id", "x-consistent-hash", {{"hash-property", "message_id"}}));
    c.ok(c->bind_exchange({.source = "x", .destination = "by-id", .routing_key = "1"}));
    for (const char* q : {"a", "b", "c"}) {
        c.declare(q);
        c.bind("by-id", q, "1");
    }
    for (int i = 0; i < 90; ++i)
        c.publish("x", "key" + std::to_string(i), "m",
                  properties()
                      .message_id(std::to_string(i % 3))
                      .headers({{"CC", field_array{"one", "two"}}}));
    CHECK(c.count("a") + c.count("b") + c.count("c") == 90);
    std::size_t of_one_id = 0;
    for (const char* q : {"a", "b", "c"}) {
        CHECK(c.count(q) % 30 == 0);
        of_one_id += c.count(q) / 30;
    }
    CHECK(of_one_id == 3);
}

TEST_CASE("random: one queue a message, all of them in time, and the seed says which")
{
    const auto run = [](std::uint64_t seed) {
        lb::options o;
        o.seed = seed;
        one_client one(o);
        test_channel& c = one.channel;
        std::string went;
        c.ok(declare(c, "x", "x-random"));
        c.ok(declare(c, "y", "x-random"));
        c.ok(c->bind_exchange({.source = "y", .destination = "x"}));
        CHECK(one.broker.find_virtual_host("/")->find_exchange("x")->type() == "x-random");
        c.publish("x", "", "nobody is there");
        for (const char* q : {"a", "b", "c"}) {
            c.declare(q);
            c.bind("x", q, "ignored");
        }
        for (int i = 0; i < 300; ++i) {
            c.publish(i % 2 == 0 ? "x" : "y", std::to_string(i), "m",
                      properties().headers({{"CC", field_array{"one", "two"}}}));
            for (const char* q : {"a", "b", "c"})
                if (c.get(q) != "-")
                    went += q;
        }
        return went;
    };
    const std::string first = run(1);
    CHECK(first.size() == 300);
    for (const char q : {'a', 'b', 'c'})
        CHECK(std::count(first.begin(), first.end(), q) > 60);
    CHECK(run(1) == first);
    CHECK(run(2) != first);
}

TEST_CASE("topic: exchanges of one broker have different seeds, of which none is the broker's")
{
    lb::options o;
    o.seed = 5;
    lb::shared_state state(o);
    std::set<std::uint64_t> seeds{5, 0};
    for (int i = 0; i < 1000; ++i)
        seeds.insert(state.router_seed());
    CHECK(seeds.size() == 1002);
}

TEST_CASE("a weight that is none, or too heavy, is refused as what other policies refuse")
{
    lb::broker b;
    test_session s(b);
    test_channel c(*s);
    c.ok(declare(c, "x", "x-consistent-hash"));
    c.declare("q");
    CHECK(text(bind(c, "x", "q", "4000000000")) ==
          "PRECONDITION_FAILED - The binding key must not exceed 10000");
    CHECK(text(bind(c, "x", "q", "heavy")) ==
          "PRECONDITION_FAILED - The binding key must be an integer: <<\"heavy\">>");
    c.ok(bind(c, "x", "q", "10000"));
}
