#include "run_state.hpp"

#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace perf {

namespace {

/// VmHWM: the most memory that this process has had at once.
std::uint64_t read_peak_rss()
{
    std::FILE* status = std::fopen("/proc/self/status", "r");
    if (status == nullptr)
        return 0;
    std::uint64_t peak = 0;
    char line[256];
    while (std::fgets(line, sizeof line, status) != nullptr)
        if (std::strncmp(line, "VmHWM:", 6) == 0)
            peak = std::strtoull(line + 6, nullptr, 10);
    std::fclose(status);
    return peak;
}

} // namespace

void run_state::finish(const std::string& problem)
{
    if (is_over())
        return;
    finished_ = now_ns();
    cpu_finished_ = cpu_ns();
    peak_rss_kib_ = read_peak_rss();
    problem_ = problem;
    is_stopping_ = true;
    target = 0;
    bell_.cancel();
}

asio::awaitable<void> run_state::until_over()
{
    bell_.expires_at(asio::steady_timer::time_point::max());
    asio::error_code cancelled;
    while (!is_over())
        co_await bell_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
}

} // namespace perf
