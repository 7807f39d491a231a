#pragma once

#include "options.hpp"
#include "report.hpp"
#include "run_state.hpp"
#include "stamp.hpp"
#include "topology.hpp"
#include "worker.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace perf {

/// One run: sets all up, lets the workers work, watches them, and takes all down again.
class session {
public:
    session(const asio::any_io_executor& executor, const options& o);

    /// Completes when all is done and closed. Throws what failed; `measured` tells how far it came.
    [[nodiscard]] asio::awaitable<void> run();

    /// Whether the measured time began, so that there is something to report.
    [[nodiscard]] bool has_measured() const noexcept { return has_begun_; }
    [[nodiscard]] measurement measured() const;

private:
    [[nodiscard]] asio::awaitable<void> set_up();
    void make_workers();
    void begin();
    void spawn(worker& w, std::size_t loop);
    void watch();
    void on_second();
    [[nodiscard]] asio::awaitable<void> end();
    [[nodiscard]] std::uint64_t moved() const;

    asio::any_io_executor executor_;
    const options& options_;
    run_state state_;
    topology topology_;
    stamp stamp_;
    std::vector<std::unique_ptr<worker>> workers_;
    asio::signal_set signals_;
    asio::steady_timer limit_; // --time
    asio::steady_timer second_;
    asio::steady_timer ended_; // cancelled when a loop has ended
    std::size_t loops_ = 0;
    bool has_begun_ = false;
    progress progress_;

    std::uint64_t moved_ = 0; // as of the last second
    unsigned still_ = 0;      // seconds without a change of it
    unsigned stopping_ = 0;   // seconds since the stop
};

} // namespace perf
