#include "report.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace perf {

namespace {

[[nodiscard]] nlohmann::ordered_json times_us(const histogram& h)
{
    const auto us = [](double ns) { return ns / 1e3; };
    nlohmann::ordered_json times;
    times["p50"] = us(h.percentile(0.50));
    times["p95"] = us(h.percentile(0.95));
    times["p99"] = us(h.percentile(0.99));
    times["max"] = us(static_cast<double>(h.max()));
    times["samples"] = h.count();
    return times;
}

} // namespace

void print_json(const measurement& m)
{
    const auto rate = [&](std::uint64_t n) {
        return m.seconds > 0 ? static_cast<double>(n) / m.seconds : 0.0;
    };
    nlohmann::ordered_json out;
    out["published"] = m.total.published;
    out["confirmed"] = m.total.confirmed;
    out["returned"] = m.total.returned;
    out["rejected"] = m.total.rejected;
    out["consumed"] = m.total.consumed;
    out["round_trips"] = m.total.round_trips;
    out["seconds"] = m.seconds;
    out["publish_rate"] = rate(m.total.published);
    out["consume_rate"] = rate(m.total.consumed);
    out["cpu_ns_per_message"] = m.cpu_ns_per_message();
    out["peak_rss_kib"] = m.peak_rss_kib;
    out["latency_us"] = times_us(*m.latency);
    out["rtt_us"] = times_us(*m.round_trip);
    std::puts(out.dump().c_str());
}

} // namespace perf
