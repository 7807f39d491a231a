// What a topology knows when it is compiled. What must not compile is in compile_fail/topology/.
#include <leveret/topology/topology.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>

namespace lv = leveret;
using lv::topology_rule;
using lv::topology_detail::plan_of;
using lv::topology_detail::view_of;

namespace {

using stocks = lv::exchange<"stocks", lv::topic, lv::durable>;
using jobs = lv::exchange<"jobs", lv::direct>;
using news = lv::exchange<"news", lv::fanout, lv::auto_delete>;
using papers = lv::exchange<"papers", lv::headers>;
using archive = lv::exchange<"archive", lv::topic, lv::internal>;
using rest = lv::exchange<"rest", lv::fanout>;
using picky = lv::exchange<"picky", lv::direct, lv::alternate_exchange<"rest">>;

using desk = lv::queue<"desk", lv::durable>;
using vault = lv::queue<"vault", lv::durable, lv::quorum, lv::delivery_limit<5>>;

struct office
    : lv::topology<
          stocks, jobs, news, papers, archive, rest, picky, desk, vault, lv::queue<"bin">,
          lv::bound<"desk", stocks, "*.nyse">, lv::bound_queue<desk, stocks, "#.urgent.#">,
          lv::bound<"desk", jobs, "print">, lv::bound<"desk", news>,
          lv::bound_headers<"desk", papers, lv::header<"format", "pdf">, lv::header<"signed">>,
          lv::bound_exchange<archive, stocks, "old.#">, lv::bound<"vault", archive, "#.gold">,
          lv::bound<"desk", picky, "mine">, lv::bound<"bin", rest>> {};
static_assert(office::is_checked);

/// Whether office routes the key from the exchange.
template <class Exchange>
constexpr bool routes(std::string_view key)
{
    const auto& plan = plan_of<office>;
    return plan.routes(plan.find_exchange(Exchange::entry.name, Exchange::entry.hash), key);
}

// Topic.
static_assert(routes<stocks>("usd.nyse"));
static_assert(!routes<stocks>("usd.nasdaq"));
static_assert(!routes<stocks>("usd.eur.nyse"));
static_assert(routes<stocks>("urgent"));
static_assert(routes<stocks>("a.b.urgent.c"));
static_assert(!routes<stocks>(""));

// By way of another exchange: both patterns must match.
static_assert(routes<stocks>("old.gold"));
static_assert(routes<stocks>("old.solid.gold"));
static_assert(!routes<stocks>("old.silver"));
static_assert(!routes<stocks>("new.gold"));
static_assert(routes<archive>("new.gold"));

// Direct, fanout, headers.
static_assert(routes<jobs>("print"));
static_assert(!routes<jobs>("print."));
static_assert(!routes<jobs>("scan"));
static_assert(routes<news>("") && routes<news>("anything.at.all"));
static_assert(routes<papers>("")); // it depends on the headers

// An alternate exchange.
static_assert(routes<picky>("mine"));
static_assert(routes<picky>("yours"));

// Bindings in a circle, from which nothing leads to a queue, end.
using one = lv::exchange<"one", lv::fanout>;
using two = lv::exchange<"two", lv::topic>;
using circle = lv::topology<one, two, lv::queue<"q">, lv::bound_exchange<one, two, "a.*">,
                            lv::bound_exchange<two, one>, lv::bound<"q", two, "b">>;
static_assert(!plan_of<circle>.routes(0, "a.a"));
static_assert(plan_of<circle>.routes(0, "b"));

// Two that are each other's alternate exchange.
using heads = lv::exchange<"heads", lv::direct, lv::alternate_exchange<"tails">>;
using tails = lv::exchange<"tails", lv::direct, lv::alternate_exchange<"heads">>;
using coin = lv::topology<heads, tails, lv::queue<"q">, lv::bound<"q", tails, "k">>;
static_assert(plan_of<coin>.routes(0, "k"));
static_assert(!plan_of<coin>.routes(0, "other"));

// An alternate exchange is asked only if nothing matched, even if what matched led nowhere.
using dead_end = lv::exchange<"dead-end", lv::topic>;
using first = lv::exchange<"first", lv::direct, lv::alternate_exchange<"second">>;
using second = lv::exchange<"second", lv::fanout>;
using trap = lv::topology<first, second, dead_end, lv::queue<"q">, lv::bound<"q", second>,
                          lv::bound_exchange<dead_end, first, "k">>;
static_assert(!plan_of<trap>.routes(0, "k"));
static_assert(plan_of<trap>.routes(0, "other"));

// Predeclared exchanges need not be parts, and may be.
using with_amq = lv::topology<lv::queue<"q">, lv::bound<"q", lv::amq_topic, "a.#">,
                              lv::bound<"q", lv::amq_direct, "k">,
                              lv::bound_exchange<lv::amq_fanout, lv::amq_topic, "b">>;
static_assert(view_of<with_amq>().exchanges.size() == 3);
static_assert(with_amq::is_checked && lv::topology<lv::amq_topic>::is_checked);
static_assert(plan_of<with_amq>.routes(0, "a.b") && !plan_of<with_amq>.routes(0, "b"));
using to_amq = lv::topology<lv::queue<"q", lv::dead_letter_exchange<"amq.fanout">>,
                            lv::queue<"p", lv::dead_letter_exchange<"">>,
                            lv::exchange<"x", lv::topic, lv::alternate_exchange<"amq.match">>>;
static_assert(to_amq::is_checked);

// Declared twice alike is once.
using twice = lv::topology<stocks, desk, stocks, desk>;
static_assert(view_of<twice>().exchanges.size() == 1 && view_of<twice>().queues.size() == 1);

// The same queue bound by different keys, an exchange and a queue of one name: all different things.
using similar = lv::topology<stocks, lv::exchange<"a", lv::topic>, lv::queue<"a">,
                             lv::bound<"a", stocks, "x">, lv::bound<"a", stocks, "y">,
                             lv::bound_exchange<lv::exchange<"a", lv::topic>, stocks, "x">>;
static_assert(view_of<similar>().bindings.size() == 3);
using headers_alike =
    lv::topology<papers, lv::queue<"q">, lv::bound_headers<"q", papers, lv::header<"a", 1>>,
                 lv::bound_headers<"q", papers, lv::header<"a", 2>>,
                 lv::bound_headers<"q", papers, lv::header<"a", "1">>,
                 lv::bound_headers<"q", papers, lv::header<"a", 1>, lv::match_any>>;
static_assert(view_of<headers_alike>().bindings.size() == 4);

static_assert(lv::topology<>::is_checked);
static_assert(lv::a_topology<office> && lv::a_topology<circle> && !lv::a_topology<stocks> &&
              !lv::a_topology<int>);

// Names of 255 bytes fit.
#define LEVERET_50 "12345678901234567890123456789012345678901234567890"
#define LEVERET_255 LEVERET_50 LEVERET_50 LEVERET_50 LEVERET_50 LEVERET_50 "12345"
static_assert(lv::topology<lv::queue<LEVERET_255>, lv::exchange<LEVERET_255, lv::direct>,
                           lv::bound<LEVERET_255, lv::exchange<LEVERET_255, lv::direct>,
                                     LEVERET_255>>::is_checked);

// A policy of the user's own.
struct shard {
    static constexpr std::string_view name = "x-consistent-hash";
};
struct prefix {
    static constexpr std::string_view name = "x-prefix";
    static constexpr bool matches(std::string_view binding_key, std::string_view key)
    {
        return key.starts_with(binding_key);
    }
    static constexpr std::string_view key_error(std::string_view binding_key)
    {
        return binding_key.empty() ? "a prefix is not empty" : "";
    }
};
using shards = lv::exchange<"shards", shard, lv::argument<"hash-header", "customer">>;
using prefixes = lv::exchange<"prefixes", prefix>;
using own = lv::topology<shards, prefixes, lv::queue<"q">, lv::bound<"q", shards, "10">,
                         lv::bound<"q", prefixes, "ab">>;
static_assert(plan_of<own>.routes(0, "anything")); // it does not say what it matches
static_assert(plan_of<own>.routes(1, "abc") && !plan_of<own>.routes(1, "bac"));

} // namespace

TEST_CASE("topology: options become those of the channel's operations")
{
    using full =
        lv::queue<"full", lv::durable, lv::auto_delete, lv::message_ttl<60'000>, lv::expires<1>,
                  lv::max_length<0>, lv::max_length_bytes<1024>, lv::reject_publish_dlx,
                  lv::dead_letter_exchange<"x">, lv::dead_letter_routing_key<"k">,
                  lv::max_priority<255>, lv::single_active_consumer, lv::classic,
                  lv::argument<"x-queue-mode", "lazy">, lv::argument<"x-max-in-memory", 5L>,
                  lv::argument<"flag", true>, lv::argument<"small", -7>>;
    const lv::queue_options& o = full::entry.options;
    CHECK(full::name == "full");
    CHECK(o.durable);
    CHECK(o.auto_delete);
    CHECK_FALSE(o.exclusive);
    CHECK(o.message_ttl.count_ms() == 60'000);
    CHECK(o.expires.count_ms() == 1);
    CHECK(o.max_length == 0);
    CHECK(o.max_length_bytes == 1024);
    CHECK(o.overflow == lv::overflow::reject_publish_dlx);
    CHECK(o.dead_letter_exchange == "x");
    CHECK(o.dead_letter_routing_key == "k");
    CHECK(o.max_priority == 255);
    CHECK(o.single_active_consumer);
    CHECK(o.type == lv::queue_type::classic);
    CHECK_FALSE(o.delivery_limit);
    const lv::table arguments = lv::topology_detail::to_table(full::entry.arguments);
    CHECK(arguments == lv::table{{"x-queue-mode", "lazy"},
                                 {"x-max-in-memory", std::int64_t{5}},
                                 {"flag", true},
                                 {"small", std::int32_t{-7}}});

    CHECK(vault::entry.options.type == lv::queue_type::quorum);
    CHECK(vault::entry.options.delivery_limit == 5);
    CHECK(lv::queue<"q", lv::exclusive, lv::drop_head>::entry.options.exclusive);

    const lv::exchange_options& x = picky::entry.options;
    CHECK(x.alternate_exchange == "rest");
    CHECK_FALSE(x.durable);
    CHECK(stocks::entry.options.durable);
    CHECK(news::entry.options.auto_delete);
    CHECK(archive::entry.options.internal);
    CHECK(lv::topology_detail::to_table(shards::entry.arguments) ==
          lv::table{{"hash-header", "customer"}});
    CHECK(lv::exchange<"x", lv::topic, lv::unbound_ok>::entry.unbound_ok);
}

TEST_CASE("topology: bindings and their headers")
{
    const lv::topology_detail::topology_view t = view_of<office>();
    REQUIRE(t.bindings.size() == 9);
    CHECK(t.bindings[0]->key == "*.nyse");
    CHECK(t.bindings[0]->destination == "desk");
    CHECK(t.bindings[0]->source->name == "stocks");
    CHECK(t.bindings[5]->to_exchange == &archive::entry);
    CHECK(lv::topology_detail::to_table(t.bindings[4]->arguments) ==
          lv::table{{"format", "pdf"}, {"signed", lv::field_value()}});
}

TEST_CASE("topology: keys are looked up at run time, too")
{
    const std::string_view key = "usd.nyse";
    CHECK(routes<stocks>(key));
    CHECK_FALSE(routes<stocks>(key.substr(1, 3)));
}
