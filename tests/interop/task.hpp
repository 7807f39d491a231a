// A coroutine beside the test's own, which can be cancelled and waited for.
#pragma once

#include <leveret/io/config.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace leveret::test {

/// Starts at once; `join()` waits for the end and gives the result or rethrows. A copyable handle: the
/// coroutine goes on without it.
template <class T>
class task {
public:
    task(const asio::any_io_executor& executor, asio::awaitable<T> work)
        : state_(std::make_shared<state>(executor))
    {
        asio::co_spawn(executor, run(state_, std::move(work)),
                       asio::bind_cancellation_slot(
                           state_->signal.slot(), [s = state_](std::exception_ptr error) {
                               s->error = error;
                               s->is_done = true;
                               s->bell.cancel();
                           }));
    }

    [[nodiscard]] bool is_done() const noexcept { return state_->is_done; }
    void cancel() { state_->signal.emit(asio::cancellation_type::terminal); }
    [[nodiscard]] asio::awaitable<T> join() const { return joined(state_); }

private:
    using result = std::conditional_t<std::is_void_v<T>, bool, T>;
    struct state {
        explicit state(const asio::any_io_executor& executor)
            : bell(executor, asio::steady_timer::time_point::max())
        {
        }
        asio::steady_timer bell;
        asio::cancellation_signal signal;
        std::optional<result> value;
        std::exception_ptr error;
        bool is_done = false;
    };

    static asio::awaitable<void> run(std::shared_ptr<state> s, asio::awaitable<T> work)
    {
        if constexpr (std::is_void_v<T>)
            co_await std::move(work);
        else
            s->value.emplace(co_await std::move(work));
    }
    static asio::awaitable<T> joined(std::shared_ptr<state> s)
    {
        while (!s->is_done) {
            asio::error_code ignored;
            co_await s->bell.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        if (s->error)
            std::rethrow_exception(s->error);
        if constexpr (!std::is_void_v<T>)
            co_return std::move(*s->value);
    }

    std::shared_ptr<state> state_;
};

} // namespace leveret::test
