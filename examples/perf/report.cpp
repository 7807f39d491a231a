#include "report.hpp"

#include <cstdio>
#include <unistd.h>

namespace perf {

namespace {

constexpr double us = 1e3; // nanoseconds

/// With commas between thousands.
[[nodiscard]] std::string grouped(double value)
{
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.0f", value);
    std::string text(digits);
    for (std::size_t at = text.size(); at > 3;) {
        at -= 3;
        text.insert(at, 1, ',');
    }
    return text;
}
[[nodiscard]] std::string grouped(std::uint64_t value) { return grouped(static_cast<double>(value)); }

void print_count(const char* name, std::uint64_t count, double seconds)
{
    const double rate = seconds > 0 ? static_cast<double>(count) / seconds : 0;
    std::printf("%-12s%18s %16s/s\n", name, grouped(count).c_str(), grouped(rate).c_str());
}

void print_times(const char* name, const histogram& h)
{
    if (h.count() == 0)
        return;
    std::printf("%-12sp50 %.1f us, p95 %.1f us, p99 %.1f us, max %.1f us\n", name,
                h.percentile(0.50) / us, h.percentile(0.95) / us, h.percentile(0.99) / us,
                static_cast<double>(h.max()) / us);
}

} // namespace

void print_report(const measurement& m, const options& o)
{
    const counts& n = m.total;
    if (o.rpc && o.producers != 0) {
        print_count("round trips", n.round_trips, m.seconds);
    } else {
        if (o.producers != 0)
            print_count("published", n.published, m.seconds);
        if (o.confirm != 0)
            print_count("confirmed", n.confirmed, m.seconds);
        if (n.returned != 0)
            print_count("returned", n.returned, m.seconds);
        if (n.rejected != 0)
            print_count("rejected", n.rejected, m.seconds);
        if (o.consumers != 0)
            print_count("consumed", n.consumed, m.seconds);
    }
    print_times("latency", *m.latency);
    print_times("round trip", *m.round_trip);
    std::printf("%-12s%.3f s, CPU %s ns a message, peak memory %.1f MB\n", "in", m.seconds,
                grouped(m.cpu_ns_per_message()).c_str(),
                static_cast<double>(m.peak_rss_kib) * 1024 / 1e6);
}

progress::progress(const options& o) : options_(o)
{
    if (::isatty(STDERR_FILENO) != 0)
        before_ = std::make_unique<snapshot>();
}

void progress::show(const measurement& m, bool is_blocked)
{
    const counts& n = m.total;
    const counts& was = before_->total;
    const double seconds = m.seconds - before_->seconds;
    const auto rate = [&](std::uint64_t now, std::uint64_t then) {
        // What the last flush found is taken off the confirmed ones.
        return grouped(now > then ? static_cast<double>(now - then) / seconds : 0.0);
    };
    std::string line;
    const auto add = [&](const char* name, const std::string& value) {
        line.append(", ").append(name).append(" ").append(value);
    };
    if (options_.rpc) {
        add("calls", rate(n.round_trips, was.round_trips) + "/s");
    } else {
        if (options_.producers != 0)
            add("published", rate(n.published, was.published) + "/s");
        if (options_.confirm != 0)
            add("confirmed", rate(n.confirmed, was.confirmed) + "/s");
        if (n.returned != 0)
            add("returned", grouped(n.returned));
        if (options_.consumers != 0)
            add("consumed", rate(n.consumed, was.consumed) + "/s");
    }
    const histogram& times = options_.rpc ? *m.round_trip : *m.latency;
    if (times.count() != before_->times.count()) {
        add("p50", grouped(times.percentile(0.50, &before_->times) / us) + " us");
        add("p99", grouped(times.percentile(0.99, &before_->times) / us) + " us");
    }
    if (is_blocked)
        line += ", blocked by the broker";
    std::fprintf(stderr, "%6.1f s%s\n", m.seconds, line.c_str());
    before_->total = n;
    before_->seconds = m.seconds;
    before_->times = times;
}

} // namespace perf
