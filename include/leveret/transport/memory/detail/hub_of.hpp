#pragma once

#include "leveret/io/context_holder.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/transport/memory/detail/channel_core.hpp"
#include "leveret/transport/memory/detail/hub.hpp"

#include <asio/any_io_executor.hpp>

#include <optional>
#include <system_error>
#include <utility>

namespace leveret::memory::detail {

/// A connection with the timer of those who wait on it. The timer is always set while the connection is open:
/// its handler is how the connection hears of the end of its execution context, and what keeps a program
/// running that has a connection open, as a socket would.
template <io::environment Environment>
class connection_of final : public connection_core {
public:
    connection_of(local_ptr<hub> h, Environment& e, const asio::any_io_executor& executor)
        : connection_core(std::move(h), executor), timer_(std::in_place, e, executor)
    {
    }
    void rearm() override
    {
        if (!is_open() || !timer_)
            return;
        instant next = deadlines.next();
        if (next >= at_ && at_ != instant::never())
            return;
        if (next == instant::never())
            next = now() + idle_timer;
        at_ = next;
        timer_->wait_until(next, [h = io::context_holder<connection_of>(this)](std::error_code ec) mutable {
            const auto self = h.take();
            if (ec || !self->is_open())
                return;
            self->at_ = instant::never();
            self->deadlines.expire(self->now());
            self->rearm();
        });
    }
    void stop() noexcept override { timer_.reset(); }

private:
    static constexpr duration idle_timer = duration::seconds(3600);

    std::optional<typename Environment::timer> timer_;
    instant at_ = instant::never();
};

template <io::environment Environment>
class hub_of final : public hub {
public:
    hub_of(Environment e, const leveret::broker::options& o) : hub(o), environment_(std::move(e)) {}

    [[nodiscard]] instant now() const noexcept override { return environment_.now(); }
    [[nodiscard]] local_ptr<connection_core> make_connection(const asio::any_io_executor& x) override
    {
        return local_ptr<connection_core>(
            new connection_of<Environment>(local_ptr<hub>(this), environment_, x));
    }
    void rearm() override
    {
        const instant next = core.next_deadline();
        if (next >= at_ || !has_connections())
            return;
        if (!timer_)
            timer_.emplace(environment_, executor());
        at_ = next;
        timer_->wait_until(next, [h = io::context_holder<hub_of>(this)](std::error_code ec) mutable {
            const auto self = h.take();
            if (ec || !self->has_connections())
                return;
            self->at_ = instant::never();
            self->core.tick(self->now());
            self->rearm();
        });
    }
    void stop() noexcept override
    {
        timer_.reset();
        at_ = instant::never();
    }
    void abandoned() noexcept { stop(); }

private:
    Environment environment_;
    std::optional<typename Environment::timer> timer_;
    instant at_ = instant::never();
};

} // namespace leveret::memory::detail
