#pragma once

#include "leveret/io/environment.hpp"

#include "leveret/core/deadlines.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/local_ptr.hpp"

#include <asio/any_io_executor.hpp>

#include <optional>
#include <system_error>
#include <utility>

namespace leveret::io {

/// One timer of an environment behind many deadlines. A node is disarmed before it or the alarm goes. Thread safety:
/// one executor, on which `expired` of the nodes is called.
template <environment Environment>
class alarm {
public:
    alarm(Environment e, const asio::any_io_executor& executor)
        : state_(new state(std::move(e), executor))
    {
    }
    alarm(const alarm&) = delete;
    alarm& operator=(const alarm&) = delete;
    ~alarm() { stop(); }

    [[nodiscard]] instant now() { return state_->environment.now(); }
    [[nodiscard]] Environment& environment_of() noexcept { return state_->environment; }

    /// Throws std::bad_alloc. A node that is armed gets the new deadline.
    void arm(deadline_node& node, instant at)
    {
        state_->due.arm(node, at);
        set(state_);
    }
    void disarm(deadline_node& node) noexcept { state_->due.disarm(node); }

    /// Nothing expires any more, and no timer keeps an execution context at work.
    void stop() noexcept
    {
        state_->is_stopped = true;
        if (state_->timer && state_->set_for != instant::never())
            state_->timer->cancel();
    }
    /// To be told by an owner who may outlive the execution context, for its timer may not.
    void context_ended() noexcept
    {
        state_->is_stopped = true;
        state_->timer.reset();
    }

private:
    struct state : local_counted {
        state(Environment e, const asio::any_io_executor& executor)
            : environment(std::move(e))
        {
            timer.emplace(environment, executor);
        }
        Environment environment;
        deadlines due;
        std::optional<typename Environment::timer> timer;
        instant set_for = instant::never();
        bool is_stopped = false;
    };

    static void set(const local_ptr<state>& s)
    {
        const instant next = s->due.next();
        if (s->is_stopped || next >= s->set_for)
            return;
        s->set_for = next;
        s->timer->wait_until(next, [s](std::error_code ec) {
            if (ec || s->is_stopped)
                return;
            s->set_for = instant::never();
            s->due.expire(s->environment.now());
            set(s);
        });
    }

    local_ptr<state> state_;
};

} // namespace leveret::io
