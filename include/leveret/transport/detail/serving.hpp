#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/error.hpp"
#include "leveret/core/options.hpp"
#include "leveret/io/doorbell.hpp"
#include "leveret/transport/concept.hpp"
#include "leveret/transport/detail/throw_failure.hpp"

#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace leveret::transport_detail {

/// Runs several workers on one consumer until it ends, is stopped or cancelled, and waits for all of
/// them: none outlives `run`.
class serving {
public:
    std::uint64_t handled = 0;
    std::uint64_t failed = 0;

    [[nodiscard]] std::size_t active() const noexcept { return active_; }
    void stop() noexcept
    {
        stopping_ = true;
        if (bell_ != nullptr)
            bell_->ring();
    }

    template <delivery_stream Stream, class Work>
    asio::awaitable<void> run(Stream& deliveries, std::size_t concurrency, const Work& work,
                              duration cancel_timeout)
    {
        const auto executor = co_await asio::this_coro::executor;
        // What runs is brought to its end, whatever happened or happens to this coroutine, whose state of
        // cancellation stays the caller's.
        const bool throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);
        // The workers own what this waits in: an execution context that is destroyed takes them, the last of
        // them the list, and that this coroutine. Here is nothing to wait for when they have gone.
        auto waits = std::make_shared<io::wait_list>();
        io::doorbell bell(*waits);
        bell_ = &bell;
        for (std::size_t i = 0; i < concurrency; ++i) {
            ++workers_;
            asio::co_spawn(executor, worker(deliveries, work), [this, waits](std::exception_ptr e) {
                --workers_;
                if (e && !error_)
                    error_ = e;
                stop(); // one that ended means that all must
            });
        }
        waits.reset();
        bool cancelled = false;
        while (!stopping_ && !cancelled) {
            // A handler that began above, at once, may have cancelled this before it could wait.
            const auto state = co_await asio::this_coro::cancellation_state;
            cancelled = state.cancelled() != asio::cancellation_type::none;
            if (!cancelled) {
                waits_ = true;
                cancelled = co_await bell.wait() == io::wake::cancelled;
                waits_ = false;
            }
        }
        stopping_ = true;
        std::exception_ptr in_cancel;
        try {
            co_await deliveries.cancel({.timeout = cancel_timeout});
        } catch (...) {
            in_cancel = std::current_exception();
        }
        while (workers_ != 0)
            static_cast<void>(co_await bell.wait());
        bell_ = nullptr;
        co_await asio::this_coro::throw_if_cancelled(throws);
        if (error_)
            std::rethrow_exception(std::exchange(error_, nullptr));
        if (cancelled)
            throw_cancelled("server.run", fate::never_sent);
        if (in_cancel)
            std::rethrow_exception(in_cancel);
    }

private:
    /// Also when `run` was cancelled and does not know it yet: deliveries that are here may keep workers from ever
    /// letting it run.
    [[nodiscard]] bool must_end() const noexcept { return stopping_ || (waits_ && !bell_->is_waiting()); }

    template <class Stream, class Work>
    asio::awaitable<void> worker(Stream& deliveries, const Work& work)
    {
        while (!must_end()) {
            auto d = co_await deliveries.next();
            if (!d || must_end())
                co_return; // a delivery that came too late goes back to its queue
            ++active_;
            try {
                co_await work(*d);
            } catch (...) {
                --active_;
                throw;
            }
            --active_; // by no destructor: an io_context that is destroyed may take this after *this
        }
    }

    io::doorbell* bell_ = nullptr;
    std::exception_ptr error_;
    std::size_t workers_ = 0;
    std::size_t active_ = 0;
    bool stopping_ = false;
    bool waits_ = false;
};

} // namespace leveret::transport_detail
