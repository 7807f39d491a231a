// How operations end, as values that tests can compare, and operations in coroutines of their own that
// can be cancelled.
#pragma once

#include "support/scripted_server.hpp"

#include <leveret/core/error.hpp>

#include <asio/awaitable.hpp>
#include <asio/error.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>

#include <exception>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leveret::test {

/// The type of what was thrown, its code, its words.
class outcome {
public:
    enum class kind { ok, connection, channel, consumer, timeout, cancelled, usage, library, system, other };

    outcome() = default;
    explicit outcome(std::exception_ptr thrown)
    {
        try {
            std::rethrow_exception(std::move(thrown));
        } catch (const operation_cancelled& e) {
            take(kind::cancelled, e);
        } catch (const timeout_error& e) {
            take(kind::timeout, e);
        } catch (const consumer_cancelled& e) {
            take(kind::consumer, e);
        } catch (const channel_error& e) {
            take(kind::channel, e);
        } catch (const connection_error& e) {
            take(kind::connection, e);
        } catch (const usage_error& e) {
            take(kind::usage, e);
        } catch (const leveret::error& e) {
            take(kind::library, e);
        } catch (const std::system_error& e) {
            what_ = kind::system;
            code_ = e.code();
            words_ = e.what();
        } catch (const std::exception& e) {
            what_ = kind::other;
            words_ = e.what();
        }
    }

    [[nodiscard]] bool ok() const noexcept { return what_ == kind::ok; }
    [[nodiscard]] kind what() const noexcept { return what_; }
    [[nodiscard]] std::error_code code() const noexcept { return code_; }
    [[nodiscard]] const std::string& words() const noexcept { return words_; }
    [[nodiscard]] const leveret::diagnostics& details() const noexcept { return details_; }
    /// Cancelled by us, or by Asio because the coroutine was cancelled before it began.
    [[nodiscard]] bool was_cancelled() const noexcept
    {
        return what_ == kind::cancelled ||
               (what_ == kind::system && code_ == asio::error::operation_aborted);
    }

    friend std::ostream& operator<<(std::ostream& out, const outcome& o)
    {
        constexpr const char* kinds[] = {"ok",      "connection", "channel", "consumer", "timeout",
                                         "cancelled", "usage",    "library", "system",   "other"};
        return out << kinds[static_cast<int>(o.what_)] << " " << o.code_ << ": " << o.words_;
    }

private:
    void take(kind k, const leveret::error& e)
    {
        what_ = k;
        code_ = e.code();
        words_ = e.what();
        details_ = e.diagnostics();
    }

    kind what_ = kind::ok;
    std::error_code code_;
    std::string words_;
    leveret::diagnostics details_;
};

template <class T>
asio::awaitable<outcome> outcome_of(asio::awaitable<T> operation)
{
    std::exception_ptr thrown;
    try {
        if constexpr (std::is_void_v<T>)
            co_await std::move(operation);
        else
            static_cast<void>(co_await std::move(operation));
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown)
        co_return outcome(thrown);
    co_return outcome();
}

/// An operation in a coroutine of its own.
class background {
public:
    template <class T>
    background(const asio::any_io_executor& executor, asio::awaitable<T> operation)
        : state_(std::make_shared<state>(executor))
    {
        asio::co_spawn(executor, outcome_of(std::move(operation)),
                       asio::bind_cancellation_slot(
                           state_->signal.slot(),
                           [s = state_](std::exception_ptr thrown, outcome o) {
                               // Cancelled before it began: not even outcome_of has run.
                               s->result = thrown ? outcome(thrown) : std::move(o);
                               s->done.fire();
                           }));
    }
    void cancel() { state_->signal.emit(asio::cancellation_type::terminal); }
    [[nodiscard]] bool is_done() const noexcept { return state_->done.is_fired(); }
    asio::awaitable<outcome> join() { return joined(state_); }

private:
    struct state {
        explicit state(const asio::any_io_executor& executor) : done(executor) {}
        asio::cancellation_signal signal;
        latch done;
        outcome result;
    };
    static asio::awaitable<outcome> joined(std::shared_ptr<state> s)
    {
        co_await s->done.wait();
        co_return s->result;
    }

    std::shared_ptr<state> state_;
};

} // namespace leveret::test
