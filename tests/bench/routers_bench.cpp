// What routing costs: the topic router with up to 100,000 bindings, beside a naive matcher over all of them, and a
// key that repeats; the other routers for comparison. Not a test: ninja tests/bench/routers-bench, and run it.
#include "leveret/routing/consistent_hash.hpp"
#include "leveret/routing/direct.hpp"
#include "leveret/routing/headers.hpp"
#include "leveret/routing/random.hpp"
#include "leveret/routing/topic.hpp"
#include "unit/routing/naive_topic.hpp"

#include <benchmark/benchmark.h>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace leveret;

namespace {

/// Names as a system of some size has them: 50 services, 40 regions, 12 kinds, and devices or customers by number.
class names {
public:
    explicit names(std::uint64_t seed) : random_(seed) {}
    std::string service() { return "service" + std::to_string(random_() % 50); }
    std::string region() { return "region" + std::to_string(random_() % 40); }
    std::string kind()
    {
        static constexpr const char* kinds[] = {"created", "updated", "deleted", "error",
                                                "warning", "info",    "started", "stopped",
                                                "metric",  "online",  "offline", "audit"};
        return kinds[random_() % 12];
    }
    std::string number() { return std::to_string(random_() % 20'000); }
    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    std::string key() { return service() + "." + region() + "." + number() + "." + kind(); }
    /// Mostly whole keys, a fifth with one or two wildcards; few that match a lot.
    std::string pattern()
    {
        switch (below(200)) {
        case 0: return service() + ".#";
        case 1: return "#." + number() + ".#";
        case 2: return service() + ".*.*." + kind();
        default: break;
        }
        switch (below(10)) {
        case 0: return service() + "." + region() + "." + number() + ".*";
        case 1: return "*.*." + number() + "." + kind();
        case 2: return service() + ".*." + number() + ".#";
        default: return key();
        }
    }

private:
    std::mt19937_64 random_;
};

template <class Router>
struct filled {
    explicit filled(std::size_t bindings)
    {
        names n(1);
        for (std::size_t i = 0; i < bindings; ++i)
            add(n.pattern());
    }
    void add(const std::string& pattern)
    {
        patterns.push_back(pattern);
        places.push_back(std::make_unique<routing::binding>(&router));
        router.add(pattern, {}, *places.back());
    }
    Router router;
    std::vector<std::string> patterns;
    std::vector<std::unique_ptr<routing::binding>> places;
};

/// Keys side by side: one that was just received is near the processor, and not what is measured here.
class key_list {
public:
    explicit key_list(std::size_t count)
    {
        names n(2);
        std::vector<std::size_t> ends;
        for (; ends.size() < count; ends.push_back(text_.size()))
            text_ += n.key();
        std::size_t begin = 0;
        for (const std::size_t end : ends) {
            views_.push_back(std::string_view(text_).substr(begin, end - begin));
            begin = end;
        }
    }
    [[nodiscard]] std::string_view operator[](std::size_t i) const { return views_[i]; }
    [[nodiscard]] std::size_t size() const { return views_.size(); }

private:
    std::string text_;
    std::vector<std::string_view> views_;
};

/// Keys that never repeat within what the cache remembers: every one is walked.
void topic_fresh_keys(benchmark::State& state)
{
    filled<routing::topic_router> x(static_cast<std::size_t>(state.range(0)));
    const key_list all(1U << 16U);
    const table none;
    std::size_t reached = 0;
    std::size_t i = 0;
    for (auto _ : state)
        x.router.route(all[i++ & 0xffffU], none, [&reached](void*) { ++reached; });
    state.counters["matches"] =
        benchmark::Counter(static_cast<double>(reached), benchmark::Counter::kAvgIterations);
}
BENCHMARK(topic_fresh_keys)->Arg(10)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);

/// The same with 100,000 bindings of which at most `range` can match: the others are of another world.
void topic_beside_others(benchmark::State& state)
{
    filled<routing::topic_router> x(1'000);
    names n(3);
    for (std::int64_t i = 0; i < state.range(0); ++i)
        x.add("elsewhere." + n.pattern());
    const key_list all(1U << 16U);
    const table none;
    std::size_t reached = 0;
    std::size_t i = 0;
    for (auto _ : state)
        x.router.route(all[i++ & 0xffffU], none, [&reached](void*) { ++reached; });
    benchmark::DoNotOptimize(reached);
}
BENCHMARK(topic_beside_others)->Arg(0)->Arg(100'000);

void topic_repeated_keys(benchmark::State& state)
{
    filled<routing::topic_router> x(100'000);
    const key_list all(static_cast<std::size_t>(state.range(0)));
    const table none;
    std::size_t reached = 0;
    std::size_t i = 0;
    for (auto _ : state) {
        x.router.route(all[i], none, [&reached](void*) { ++reached; });
        if (++i == all.size())
            i = 0;
    }
    benchmark::DoNotOptimize(reached);
}
BENCHMARK(topic_repeated_keys)->Arg(1)->Arg(100)->Arg(1'000);

void topic_naive(benchmark::State& state)
{
    filled<routing::topic_router> x(static_cast<std::size_t>(state.range(0)));
    const key_list all(1U << 10U);
    std::size_t reached = 0;
    std::size_t i = 0;
    for (auto _ : state) {
        const std::string_view key = all[i++ & 0x3ffU];
        for (const std::string& pattern : x.patterns)
            reached += static_cast<std::size_t>(test::naive_topic_matches(pattern, key));
    }
    benchmark::DoNotOptimize(reached);
}
BENCHMARK(topic_naive)->Arg(10)->Arg(1'000)->Arg(100'000);

void topic_bind_and_unbind(benchmark::State& state)
{
    filled<routing::topic_router> x(100'000);
    names n(5);
    std::vector<std::string> patterns;
    while (patterns.size() < 4096)
        patterns.push_back(n.pattern());
    routing::binding b(&x);
    std::size_t i = 0;
    for (auto _ : state) {
        const std::string& pattern = patterns[i++ & 0xfffU];
        x.router.add(pattern, {}, b);
        x.router.remove(pattern, {}, b);
    }
}
BENCHMARK(topic_bind_and_unbind);

void direct_keys(benchmark::State& state)
{
    filled<routing::direct_router> x(100'000);
    const key_list all(1U << 16U);
    const table none;
    std::size_t reached = 0;
    std::size_t i = 0;
    for (auto _ : state)
        x.router.route(all[i++ & 0xffffU], none, [&reached](void*) { ++reached; });
    benchmark::DoNotOptimize(reached);
}
BENCHMARK(direct_keys);

void headers_of_three(benchmark::State& state)
{
    routing::headers_router router;
    names n(4);
    std::vector<std::unique_ptr<routing::binding>> places;
    for (int i = 0; i < 100'000; ++i) {
        places.push_back(std::make_unique<routing::binding>(&router));
        router.add("", {{"number", n.number()}, {"service", n.service()}, {"kind", n.kind()}},
                   *places.back());
    }
    std::vector<table> all;
    for (int i = 0; i < 4096; ++i)
        all.push_back({{"number", n.number()}, {"service", n.service()}, {"kind", n.kind()}});
    std::size_t reached = 0;
    std::size_t i = 0;
    for (auto _ : state)
        router.route("", all[i++ & 0xfffU], [&reached](void*) { ++reached; });
    benchmark::DoNotOptimize(reached);
}
BENCHMARK(headers_of_three);

/// So many queues of equal weight, of which every second one went again.
void consistent_hash_keys(benchmark::State& state)
{
    const table none;
    routing::consistent_hash_router router(routing::router_context{none});
    std::vector<std::unique_ptr<routing::binding>> places;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        places.push_back(std::make_unique<routing::binding>(&places));
        places.back()->target = places.back().get();
        router.add("10", {}, *places.back());
    }
    for (std::size_t i = 0; i < places.size(); i += 2)
        router.remove("10", {}, *places[i]);
    const key_list all(1U << 16U);
    const properties no_properties;
    std::size_t reached = 0;
    std::size_t i = 0;
    for (auto _ : state)
        router.route(routing::message_view{all[i++ & 0xffffU], no_properties},
                     [&reached](void*) { ++reached; });
    benchmark::DoNotOptimize(reached);
}
BENCHMARK(consistent_hash_keys)->Arg(10)->Arg(1'000);

void random_target(benchmark::State& state)
{
    const table none;
    routing::random_router router(routing::router_context{none, 7});
    std::vector<std::unique_ptr<routing::binding>> places;
    for (int i = 0; i < 100; ++i) {
        places.push_back(std::make_unique<routing::binding>(&router));
        router.add("", {}, *places.back());
    }
    const properties no_properties;
    std::size_t reached = 0;
    for (auto _ : state)
        router.route(routing::message_view{"", no_properties}, [&reached](void*) { ++reached; });
    benchmark::DoNotOptimize(reached);
}
BENCHMARK(random_target);

} // namespace

BENCHMARK_MAIN();
