#pragma once

#include "clock.hpp"
#include "histogram.hpp"

#include <leveret/io/config.hpp>

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include <cstdint>
#include <exception>
#include <limits>
#include <string>

namespace perf {

/// What all workers of a run share: when it ends, and what was measured. One thread.
///
/// A run goes from `start` to `finish`; in between `stop` asks the workers to come to an end.
class run_state {
public:
    explicit run_state(const asio::any_io_executor& executor) : bell_(executor) {}

    // Looked at for each message.

    std::uint64_t consumed = 0;
    /// From here on a consumer asks `has_enough`.
    std::uint64_t target = std::numeric_limits<std::uint64_t>::max();
    histogram latency;
    histogram round_trip;

    /// The measured time begins, with so many workers that will call `work_ended`.
    void start(std::size_t working)
    {
        working_ = working;
        started_ = now_ns();
        cpu_started_ = cpu_ns();
    }
    /// No more messages and calls, please.
    void stop()
    {
        is_stopping_ = true;
        check();
    }
    [[nodiscard]] bool is_stopping() const noexcept { return is_stopping_; }

    /// A worker has done all that it will, and so many messages of it went to a queue.
    void work_ended(std::uint64_t routed)
    {
        arriving_ += routed * copies;
        if (--working_ == 0)
            target = arriving_;
        check();
    }
    /// How often each message arrives at a consumer of this run.
    std::uint64_t copies = 0;
    [[nodiscard]] bool is_working() const noexcept { return working_ != 0; }

    /// Counts back the delivery that came when the run was over.
    [[nodiscard]] bool has_enough()
    {
        if (is_over()) {
            --consumed;
            return true;
        }
        check();
        return is_over();
    }

    /// The measured time ends. `problem`: why it is no success.
    void finish(const std::string& problem = {});
    void fail(std::exception_ptr error)
    {
        if (!is_over())
            error_ = std::move(error);
        finish();
    }

    [[nodiscard]] bool is_over() const noexcept { return finished_ != 0; }
    [[nodiscard]] asio::awaitable<void> until_over();

    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    [[nodiscard]] const std::exception_ptr& error() const noexcept { return error_; }
    [[nodiscard]] double seconds() const noexcept
    {
        return static_cast<double>((is_over() ? finished_ : now_ns()) - started_) / 1e9;
    }
    [[nodiscard]] std::uint64_t cpu() const noexcept { return cpu_finished_ - cpu_started_; }
    [[nodiscard]] std::uint64_t peak_rss_kib() const noexcept { return peak_rss_kib_; }

private:
    void check()
    {
        if (!is_over() && working_ == 0 && (is_stopping_ || consumed >= target))
            finish();
    }

    asio::steady_timer bell_; // never expires: cancelled when the run is over
    bool is_stopping_ = false;
    std::size_t working_ = 0;
    std::uint64_t arriving_ = 0;
    std::uint64_t started_ = 0, finished_ = 0;
    std::uint64_t cpu_started_ = 0, cpu_finished_ = 0;
    std::uint64_t peak_rss_kib_ = 0;
    std::string problem_;
    std::exception_ptr error_;
};

} // namespace perf
