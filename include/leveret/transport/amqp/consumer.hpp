#pragma once

#include "leveret/core/options.hpp"
#include "leveret/transport/amqp/delivery.hpp"
#include "leveret/transport/amqp/detail/ask.hpp"
#include "leveret/transport/amqp/detail/channel_core.hpp"

#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/this_coro.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::amqp {

/// A stream of deliveries from one queue. Move-only; destroyed it cancels itself, and what it had not
/// handed out goes back to the queue. One that is default-constructed or moved from gives nothing: `next` throws
/// usage_error. Thread safety: its connection's executor.
class consumer {
public:
    consumer() noexcept = default;
    consumer(consumer&&) noexcept = default;
    consumer& operator=(consumer&&) noexcept = default;

    /// The next delivery, at once if one is here. Empty when the consumer was cancelled by `cancel` and
    /// everything that had arrived before was handed out. Several coroutines may wait.
    ///
    /// Throws consumer_cancelled if the broker cancelled it (a deleted queue), channel_error or
    /// connection_error when those ended, timeout_error when `timeout` passed, operation_cancelled.
    /// Cancellation: loses nothing; the next call gets what came.
    [[nodiscard]] asio::awaitable<std::optional<delivery>> next(next_options options = {})
    {
        if (!core_)
            throw_invalid_argument("a consumer that was moved from, or never started");
        return next_of(core_, options.timeout);
    }
    /// A delivery that is here already, without waiting. Empty also when the consumer was cancelled or its
    /// channel ended: `next` tells.
    [[nodiscard]] std::optional<delivery> try_next()
    {
        if (!core_ || core_->waiting.empty())
            return std::nullopt;
        return take(*core_);
    }
    /// Stops the stream: the broker sends nothing more. What arrived before can still be had by `next`.
    /// Does nothing if it was cancelled before or its channel ended. Throws as channel's operations do; when this
    /// coroutine is cancelled the broker was asked all the same.
    [[nodiscard]] asio::awaitable<void> cancel(call_options options = {})
    {
        return cancel_of(core_, options.timeout);
    }
    /// The name that the broker knows it by; empty of an empty handle.
    [[nodiscard]] std::string_view tag() const noexcept { return core_ ? core_->tag : std::string_view(); }

private:
    friend class channel;
    using core = detail::consumer_core;
    explicit consumer(local_ptr<core> c) noexcept : core_(std::move(c)) {}

    /// On the way of every message: worth being inlined.
    [[nodiscard]] [[gnu::always_inline]] static delivery take(core& c)
    {
        return delivery(c.no_ack ? nullptr : c.channel.get(), c.pop());
    }
    [[nodiscard]] static asio::awaitable<std::optional<delivery>> next_of(local_ptr<core> c,
                                                                         duration timeout)
    {
        if (c->waiting.empty()) { // no coroutine of its own: Asio keeps the memory of only two frames
            detail::connection_core& connection = *c->channel->connection;
            const instant deadline = connection.deadline_after(timeout);
            while (c->waiting.empty()) {
                if (!may_come(*c))
                    co_return std::nullopt;
                detail::timed_bell bell(connection.waits, connection.engine.deadlines());
                c->readers.enter(bell);
                bell.arm(deadline);
                connection.rearm();
                const io::wake why = co_await bell.bell.wait();
                // A delivery that came meanwhile is left to the next call: who cancelled takes no result.
                const auto state = co_await asio::this_coro::cancellation_state;
                if (why == io::wake::cancelled || state.cancelled() != asio::cancellation_type::none)
                    detail::throw_cancelled("consumer.next", fate::never_sent, c->channel->number());
                if (why == io::wake::timed_out && c->waiting.empty())
                    detail::throw_timeout("consumer.next", "a delivery", fate::never_sent,
                                          c->channel->number());
            }
        }
        co_return take(*c);
    }
    /// Whether a delivery may come. Throws when it can't, unless the user cancelled the consumer.
    [[nodiscard]] static bool may_come(const core& c)
    {
        if (c.state == core::status::cancelled_by_broker)
            detail::throw_cancelled_by_broker(c.tag, c.channel->number());
        if (c.state == core::status::cancelled)
            return false;
        if (!c.channel->is_open())
            detail::throw_failure(c.channel->reason(), "consumer.next", fate::never_sent);
        return true;
    }
    [[nodiscard]] static asio::awaitable<void> cancel_of(local_ptr<core> c, duration timeout)
    {
        if (!c || c->state != core::status::active || !c->channel->is_open())
            co_return;
        c->state = core::status::cancelled;
        wire::basic::cancel m;
        m.consumer_tag = c->tag;
        auto request =
            detail::encode_request(*c->channel, m, wire::basic::cancel_ok::id, timeout);
        const struct ring_at_end { // however the request ends
            core& c;
            ~ring_at_end() { c.readers.ring_all(); }
        } at_end{*c};
        co_await detail::ask_nothing(c->channel, std::move(request));
        c->channel->free_tag(*c);
    }

    local_ptr<core> core_;
};

} // namespace leveret::amqp
