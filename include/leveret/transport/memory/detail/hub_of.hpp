#pragma once

#include "leveret/io/context_holder.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/transport/memory/detail/agent.hpp"
#include "leveret/transport/memory/detail/channel_core.hpp"
#include "leveret/transport/memory/detail/hub.hpp"

#include <asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace leveret::memory::detail {

/// How long a timer is set that is there to hear of the end of its execution context, and to keep a program
/// running that has a connection open, as a socket would.
inline constexpr duration idle_timer = duration::seconds(3600);

/// A connection with the timer of those who wait on it, which is always set while the connection is open.
template <io::environment Environment>
class connection_of final : public connection_core {
public:
    connection_of(std::shared_ptr<hub> h, Environment& e, const asio::any_io_executor& executor)
        : connection_core(std::move(h), executor), timer_(std::in_place, e, executor), watcher_(new watcher(*this))
    {
    }
    ~connection_of() override { watcher_->owner = nullptr; }
    void rearm() override
    {
        if (!timer_)
            return;
        instant next = deadlines.next();
        if (next >= at_ && at_ != instant::never())
            return;
        if (next == instant::never())
            next = now() + idle_timer;
        at_ = next;
        timer_->wait_until(next, [h = io::context_holder<local_ptr<watcher>>(watcher_)](std::error_code ec) mutable {
            const auto w = h.take();
            if (ec || w->owner == nullptr)
                return;
            const local_ptr<connection_of> self(w->owner);
            self->at_ = instant::never();
            self->deadlines.expire(self->now());
            self->rearm();
        });
    }
    void stop() noexcept override
    {
        timer_.reset();
        watcher_->owner = nullptr;
    }

private:
    /// What handlers of the timer hold: not the connection, which may go before they have run.
    struct watcher : local_counted {
        explicit watcher(connection_of& c) noexcept : owner(&c) {}
        void abandoned() noexcept
        {
            if (owner == nullptr)
                return;
            const local_ptr<connection_of> keeps(owner);
            keeps->abandoned();
        }
        connection_of* owner; ///< null when it has stopped
    };

    std::optional<typename Environment::timer> timer_;
    local_ptr<watcher> watcher_;
    instant at_ = instant::never();
};

template <io::environment Environment, class Core>
class hub_of final : public hub {
public:
    hub_of(Environment e, const leveret::broker::options& o) : core_(o), environment_(std::move(e)) {}
    ~hub_of() override { drop_agents(); }

    [[nodiscard]] leveret::broker::broker_core& core() noexcept override { return core_; }
    [[nodiscard]] instant now() const noexcept override { return environment_.now(); }
    [[nodiscard]] local_ptr<connection_core> make_connection(const asio::any_io_executor& x) override
    {
        return local_ptr<connection_core>(
            new connection_of<Environment>(shared_from_this(), environment_, x));
    }
    void rearm() override
    {
        instant next = core_.next_deadline();
        if (next == instant::never() && has_sessions_of_agents()) {
            if (at_ != instant::never())
                return;
            next = now() + idle_timer;
        }
        if (next >= at_ || !needs_timer())
            return;
        if (!timer_)
            timer_.emplace(environment_, executor());
        at_ = next;
        timer_->wait_until(next, [self = std::static_pointer_cast<hub_of>(shared_from_this()),
                                  home = epoch()](std::error_code ec) {
            if (!ec && home == self->epoch())
                self->time_has_come();
        });
    }
    void stop() noexcept override
    {
        timer_.reset();
        at_ = instant::never();
    }

private:
    void time_has_come()
    {
        at_ = instant::never();
        {
            const operation scope(*this);
            core_.tick(now());
        }
        if (at_ == instant::never())
            rearm();
    }

    Core core_;
    Environment environment_;
    std::optional<typename Environment::timer> timer_;
    instant at_ = instant::never();
};

} // namespace leveret::memory::detail
