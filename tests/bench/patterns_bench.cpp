// What a key costs: a pattern known when compiled, a dispatcher of 20 patterns, and beside them in the same run a
// naive matcher, which splits and recurses, and what a person would write by hand.
#include <leveret/dispatch.hpp>
#include <leveret/routing/topic_algebra.hpp>

#include <benchmark/benchmark.h>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace lv = leveret;

std::vector<std::string> split(std::string_view text)
{
    std::vector<std::string> words;
    for (lv::routing::topic_words rest(text); !rest.at_end(); rest.advance())
        words.emplace_back(rest.word());
    return words;
}
bool naive(const std::vector<std::string>& pattern, std::size_t p, const std::vector<std::string>& key,
           std::size_t k)
{
    if (p == pattern.size())
        return k == key.size();
    if (pattern[p] == "#")
        return naive(pattern, p + 1, key, k) || (k < key.size() && naive(pattern, p, key, k + 1));
    return k < key.size() && (pattern[p] == "*" || pattern[p] == key[k]) && naive(pattern, p + 1, key, k + 1);
}
bool by_hand(std::string_view key) // *.orange.*
{
    const auto dot = key.find('.');
    if (dot == std::string_view::npos || !key.substr(dot + 1).starts_with("orange."))
        return false;
    return key.find('.', dot + 8) == std::string_view::npos;
}

template <class Match>
void match(benchmark::State& state, Match matches)
{
    const std::string text = "quick.orange.rabbit";
    std::string_view key = text;
    for (auto _ : state) {
        benchmark::DoNotOptimize(key);
        bool matched = matches(key);
        benchmark::DoNotOptimize(matched);
    }
}

unsigned long calls = 0;
template <unsigned I>
void handler()
{
    calls += I;
}

template <lv::fixed_string P, unsigned I>
using on = lv::on<P, handler<I>>;
using twenty = lv::dispatch<on<"kern.*", 1>, on<"*.critical", 2>, on<"auth.#", 3>, on<"cron.*.info", 4>,
                            on<"*.orange.*", 5>, on<"*.*.rabbit", 6>, on<"lazy.#", 7>, on<"stock.*.nyse", 8>,
                            on<"stock.usd.#", 9>, on<"#.error", 10>, on<"mail.*", 11>, on<"news.sport.*", 12>,
                            on<"news.#.local", 13>, on<"daemon.debug", 14>, on<"user.*.login", 15>,
                            on<"user.*.logout", 16>, on<"disk.*.full", 17>, on<"net.eth0.#", 18>,
                            on<"#.temperature.#", 19>, on<"sensor.*.*.value", 20>>;
const char* const patterns[] = {"kern.*",       "*.critical",   "auth.#",          "cron.*.info",
                                "*.orange.*",   "*.*.rabbit",   "lazy.#",          "stock.*.nyse",
                                "stock.usd.#",  "#.error",      "mail.*",          "news.sport.*",
                                "news.#.local", "daemon.debug", "user.*.login",    "user.*.logout",
                                "disk.*.full",  "net.eth0.#",   "#.temperature.#", "sensor.*.*.value"};
const char* const keys[] = {"kern.info", "quick.orange.rabbit", "user.frank.logout",
                            "sensor.kitchen.north.value", "a.b"};

void dispatch_20(benchmark::State& state)
{
    const twenty dispatcher;
    const std::string text = keys[state.range(0)];
    std::string_view key = text;
    for (auto _ : state) {
        benchmark::DoNotOptimize(key);
        bool taken = dispatcher.call(key);
        benchmark::DoNotOptimize(taken);
        benchmark::DoNotOptimize(calls);
    }
    state.SetLabel(text);
}
void naive_20(benchmark::State& state)
{
    std::vector<std::vector<std::string>> split_patterns;
    for (const char* pattern : patterns)
        split_patterns.push_back(split(pattern));
    const std::string text = keys[state.range(0)];
    for (auto _ : state) {
        const auto words = split(text);
        std::size_t first = 0;
        while (first < split_patterns.size() && !naive(split_patterns[first], 0, words, 0))
            ++first;
        benchmark::DoNotOptimize(first);
    }
    state.SetLabel(text);
}

} // namespace

BENCHMARK_CAPTURE(match, compiled,
                  [](std::string_view key) { return lv::topic_pattern<"*.orange.*">::matches(key); });
BENCHMARK_CAPTURE(match, by_hand, by_hand);
BENCHMARK_CAPTURE(match, at_run_time,
                  [](std::string_view key) { return lv::topic_matches("*.orange.*", key); });
BENCHMARK_CAPTURE(match, naive, [](std::string_view key) {
    static const auto pattern = split("*.orange.*");
    return naive(pattern, 0, split(key), 0);
});
BENCHMARK_CAPTURE(match, captures, [](std::string_view key) {
    return lv::topic_pattern<"*.orange.*">::captures(key).has_value();
});
BENCHMARK(dispatch_20)->DenseRange(0, 4);
BENCHMARK(naive_20)->DenseRange(0, 4);
BENCHMARK_MAIN();
