#pragma once

#include "leveret/io/config.hpp"

#include "leveret/io/doorbell.hpp"

#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/this_coro.hpp>

namespace leveret::io {

/// What tells a coroutine that runs a service to end, and its helpers that it must. One executor.
class stop_bell {
public:
    /// The service runs, and waits at this bell; null: no more.
    void runs_at(doorbell* bell) noexcept { bell_ = bell; }
    void ring() noexcept
    {
        if (bell_ != nullptr)
            bell_->ring();
    }
    void stop() noexcept
    {
        is_stopping_ = true;
        ring();
    }
    [[nodiscard]] bool is_stopping() const noexcept { return is_stopping_; }
    /// Also when the service was cancelled and does not know it yet: work that is here may keep helpers from ever letting
    /// it run.
    [[nodiscard]] bool must_end() const noexcept { return is_stopping_ || (is_waiting_ && !bell_->is_waiting()); }

    /// Waits until `s` is to stop, by `stop` or a cancellation, and says whether it was that. The coroutine's
    /// throw_if_cancelled is off, and `s` outlives this.
    [[nodiscard]] static asio::awaitable<bool> wait(stop_bell& s)
    {
        bool cancelled = false;
        while (!s.is_stopping_ && !cancelled) {
            const auto state = co_await asio::this_coro::cancellation_state;
            cancelled = state.cancelled() != asio::cancellation_type::none;
            if (!cancelled) {
                s.is_waiting_ = true;
                cancelled = co_await s.bell_->wait() == wake::cancelled;
                s.is_waiting_ = false;
            }
        }
        s.is_stopping_ = true;
        co_return cancelled;
    }

private:
    doorbell* bell_ = nullptr;
    bool is_stopping_ = false, is_waiting_ = false;
};

} // namespace leveret::io
