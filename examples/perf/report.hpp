#pragma once

#include "counts.hpp"
#include "histogram.hpp"
#include "options.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

namespace perf {

/// What was measured; the histograms belong to the run.
struct measurement {
    counts total;
    double seconds = 0;
    std::uint64_t cpu_ns = 0;
    std::uint64_t peak_rss_kib = 0;
    const histogram* latency = nullptr;
    const histogram* round_trip = nullptr;
    std::string problem; ///< why the run is no success, or empty

    /// Of this whole process: where it publishes and consumes, a message is both.
    [[nodiscard]] double cpu_ns_per_message() const noexcept
    {
        const std::uint64_t messages =
            std::max({total.published, total.consumed, std::uint64_t{1}});
        return static_cast<double>(cpu_ns) / static_cast<double>(messages);
    }
};

/// Prints the report to stdout, for people or as one JSON object.
void print_report(const measurement& m, const options& o);
void print_json(const measurement& m);

/// A line each second on stderr, where that is a terminal.
class progress {
public:
    explicit progress(const options& o);

    [[nodiscard]] bool is_shown() const noexcept { return before_ != nullptr; }
    void show(const measurement& m, bool is_blocked);

private:
    struct snapshot {
        counts total;
        double seconds = 0;
        histogram times;
    };
    const options& options_;
    std::unique_ptr<snapshot> before_; // none where nothing is shown
};

} // namespace perf
