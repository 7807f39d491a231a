#pragma once

// Options, clocks and the JSON report that the benchmark programs share, so that rabbitmq-c and
// the hand-written client are measured by the same lines.

#include <algorithm>
#include <chrono>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sched.h>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <utility>
#include <vector>

namespace bench {

[[noreturn, gnu::format(printf, 1, 2)]] inline void die(const char* format, ...)
{
    va_list args;
    va_start(args, format);
    std::vfprintf(stderr, format, args);
    va_end(args);
    std::fputc('\n', stderr);
    std::exit(1);
}

inline double now_seconds()
{
    using namespace std::chrono;
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

inline std::uint64_t now_ns()
{
    using namespace std::chrono;
    const auto since = steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(duration_cast<nanoseconds>(since).count());
}

inline void pin_to(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) {
        die("cannot run on cpu %d", cpu);
    }
}

/// Walks the command line: `while (args.next()) if (args.is("--x")) x = args.number(); ...`
class arguments {
public:
    arguments(int argc, char** argv, const char* usage)
        : at_(argv + 1), end_(argv + argc), usage_(usage)
    {
    }

    bool next()
    {
        current_ = at_ == end_ ? std::string_view() : *at_++;
        return !current_.empty();
    }
    bool is(std::string_view name) const { return current_ == name; }
    std::string text()
    {
        if (at_ == end_)
            refuse();
        return *at_++;
    }
    std::uint64_t number() { return std::strtoull(text().c_str(), nullptr, 10); }
    [[noreturn]] void refuse() const
    {
        std::fprintf(stderr, "%.*s?\n%s", static_cast<int>(current_.size()), current_.data(),
                     usage_);
        std::exit(2);
    }

private:
    char** at_;
    char** end_;
    const char* usage_;
    std::string_view current_;
};

/// What a client is asked to do.
struct job {
    std::string mode;
    std::string host = "127.0.0.1";
    std::uint16_t port = 5672;
    std::size_t size = 16;
    std::uint64_t count = 1000000;
    std::uint64_t window = 1000;   // publish-confirm: most unconfirmed
    std::uint64_t ack_every = 0;   // consume: 0 is no_ack
    std::uint64_t prefetch = 1000; // consume with acks
    std::uint64_t in_flight = 1;   // rpc
    std::uint64_t gather = 1;      // raw-perf: large publishes in one system call
    bool props = false;
    std::string queue; // empty: the peer's name for the job
};

inline constexpr const char* job_usage =
    " publish | publish-confirm | consume | rpc\n"
    "  --host H --port P --size OCTETS --count N --queue NAME --props --cpu N\n"
    "  publish-confirm: --window N   consume: --ack-every N --prefetch N   rpc: --in-flight N\n"
    "  raw-perf: --gather N, how many large publishes (over 16 KiB) go into one system call\n";

inline std::string default_queue(const job& wanted)
{
    if (wanted.mode == "consume") {
        return (wanted.props ? "source.props." : "source.") + std::to_string(wanted.size);
    }
    return wanted.mode == "rpc" ? "echo" : "sink";
}

inline job parse_job(int argc, char** argv)
{
    job wanted;
    arguments args(argc, argv, job_usage);
    if (!args.next())
        args.refuse();
    for (const auto* mode : {"publish", "publish-confirm", "consume", "rpc"}) {
        if (args.is(mode))
            wanted.mode = mode;
    }
    if (wanted.mode.empty())
        args.refuse();
    while (args.next()) {
        if (args.is("--host"))
            wanted.host = args.text();
        else if (args.is("--port"))
            wanted.port = static_cast<std::uint16_t>(args.number());
        else if (args.is("--size"))
            wanted.size = args.number();
        else if (args.is("--count"))
            wanted.count = args.number();
        else if (args.is("--window"))
            wanted.window = args.number();
        else if (args.is("--ack-every"))
            wanted.ack_every = args.number();
        else if (args.is("--prefetch"))
            wanted.prefetch = args.number();
        else if (args.is("--in-flight"))
            wanted.in_flight = args.number();
        else if (args.is("--gather"))
            wanted.gather = args.number();
        else if (args.is("--queue"))
            wanted.queue = args.text();
        else if (args.is("--props"))
            wanted.props = true;
        else if (args.is("--cpu"))
            pin_to(static_cast<int>(args.number()));
        else
            args.refuse();
    }
    if (wanted.queue.empty())
        wanted.queue = default_queue(wanted);
    return wanted;
}

/// What came of it.
struct outcome {
    std::uint64_t published = 0;
    std::uint64_t confirmed = 0;
    std::uint64_t consumed = 0;
    std::uint64_t round_trips = 0;
    double seconds = 0;
    double cpu_ns = 0;
    std::vector<std::uint32_t> rtt_ns;
};

/// Wall and processor time of the measured section alone: start() to stop().
class stopwatch {
public:
    void start()
    {
        cpu_ = cpu_now();
        wall_ = now_seconds();
    }
    void stop(outcome& into) const
    {
        into.seconds = now_seconds() - wall_;
        into.cpu_ns = (cpu_now() - cpu_) * 1e9;
    }

private:
    static double cpu_now()
    {
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        const auto seconds = [](const timeval& t) {
            return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
        };
        return seconds(usage.ru_utime) + seconds(usage.ru_stime);
    }

    double wall_ = 0;
    double cpu_ = 0;
};

/// Round-trip times by slot: as many slots as calls are in flight, the slot is the correlation id.
class round_trips {
public:
    round_trips(std::uint64_t in_flight, std::uint64_t count) : sent_(in_flight)
    {
        samples_.reserve(count);
    }
    void sent(std::uint64_t slot) { sent_[slot] = now_ns(); }
    void answered(std::uint64_t slot)
    {
        samples_.push_back(static_cast<std::uint32_t>(now_ns() - sent_.at(slot)));
    }
    std::uint64_t done() const { return samples_.size(); }
    std::vector<std::uint32_t> samples() && { return std::move(samples_); }

private:
    std::vector<std::uint64_t> sent_;
    std::vector<std::uint32_t> samples_;
};

inline long peak_rss_kib()
{
    long peak = 0;
    char line[256];
    std::FILE* status = std::fopen("/proc/self/status", "r");
    while (status != nullptr && std::fgets(line, sizeof line, status) != nullptr) {
        std::sscanf(line, "VmHWM: %ld", &peak);
    }
    if (status != nullptr)
        std::fclose(status);
    return peak;
}

inline double percentile_us(const std::vector<std::uint32_t>& sorted, double share)
{
    if (sorted.empty()) {
        return 0;
    }
    const auto last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<std::size_t>(share * last)] / 1e3;
}

/// The same keys as leveret-perf --json, as far as they apply.
inline void print_json(outcome done)
{
    const auto peak = peak_rss_kib(); // before the sort
    auto& rtt = done.rtt_ns;
    std::sort(rtt.begin(), rtt.end());
    const auto messages = std::max({done.published, done.consumed, std::uint64_t{1}});
    std::printf("{\"published\": %lu, \"confirmed\": %lu, \"consumed\": %lu, \"round_trips\": %lu, "
                "\"seconds\": %.6f, \"publish_rate\": %.0f, \"consume_rate\": %.0f, "
                "\"cpu_ns_per_message\": %.1f, \"peak_rss_kib\": %ld, "
                "\"rtt_us\": {\"p50\": %.2f, \"p95\": %.2f, \"p99\": %.2f, \"max\": %.2f}}\n",
                done.published, done.confirmed, done.consumed, done.round_trips, done.seconds,
                static_cast<double>(done.published) / done.seconds,
                static_cast<double>(done.consumed) / done.seconds,
                done.cpu_ns / static_cast<double>(messages), peak, percentile_us(rtt, 0.50),
                percentile_us(rtt, 0.95), percentile_us(rtt, 0.99), percentile_us(rtt, 1.0));
}

} // namespace bench
