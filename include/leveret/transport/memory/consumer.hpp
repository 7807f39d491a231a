#pragma once

#include "leveret/core/options.hpp"
#include "leveret/transport/memory/delivery.hpp"
#include "leveret/transport/memory/detail/channel_core.hpp"

#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/this_coro.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::memory {

using leveret::next_options;

/// A stream of deliveries from one queue: as amqp::consumer. Move-only; destroyed it cancels itself, and what
/// it had not handed out goes back to the queue. Thread safety: its connection's executor.
class consumer {
public:
    consumer() noexcept = default;
    consumer(consumer&&) noexcept = default;
    consumer& operator=(consumer&&) noexcept = default;

    /// The next delivery, at once if one is here; empty when the user cancelled the consumer and all that had
    /// arrived was handed out. Throws as amqp::consumer::next. Cancellation: loses nothing.
    [[nodiscard]] asio::awaitable<std::optional<delivery>> next(next_options options = {})
    {
        if (!core_)
            throw_invalid_argument("a consumer that was moved from, or never started");
        return next_of(core_, options.timeout);
    }
    /// A delivery that is here already, without waiting.
    [[nodiscard]] std::optional<delivery> try_next()
    {
        if (!core_ || core_->waiting.empty())
            return std::nullopt;
        return take(*core_);
    }
    /// Stops the stream. What arrived before can still be had by `next`.
    [[nodiscard]] asio::awaitable<void> cancel(call_options o = {}) { return cancel_of(core_, o.timeout); }
    /// The name that the broker knows it by; empty of an empty handle.
    [[nodiscard]] std::string_view tag() const noexcept { return core_ ? core_->tag : std::string_view(); }

private:
    friend class channel;
    using core = detail::consumer_core;
    explicit consumer(local_ptr<core> c) noexcept : core_(std::move(c)) {}

    [[nodiscard]] static delivery take(core& c)
    {
        return delivery(c.no_ack ? nullptr : c.channel.get(), c.pop());
    }
    [[nodiscard]] static asio::awaitable<std::optional<delivery>> next_of(local_ptr<core> c, duration timeout)
    {
        if (c->channel->connection->must_yield())
            co_await detail::yield(c->channel->connection->executor());
        if (c->waiting.empty()) {
            detail::connection_core& connection = *c->channel->connection;
            const instant deadline = connection.deadline_after(timeout);
            if (!connection.is_near()) {
                connection.far->release_all();
                connection.far->show_published();
            }
            while (c->waiting.empty()) {
                if (!may_come(*c))
                    co_return std::nullopt;
                detail::timed_bell bell(connection.waits, connection.deadlines);
                c->readers.enter(bell);
                bell.arm(deadline);
                connection.rearm();
                const io::wake why = co_await bell.bell.wait();
                connection.has_waited();
                // A delivery that came meanwhile is left to the next call: who cancelled takes no result.
                const auto state = co_await asio::this_coro::cancellation_state;
                if (why == io::wake::cancelled || state.cancelled() != asio::cancellation_type::none)
                    detail::throw_cancelled("consumer.next", fate::never_sent, c->channel->number);
                if (why == io::wake::timed_out && c->waiting.empty())
                    detail::throw_timeout("consumer.next", "a delivery", fate::never_sent, c->channel->number);
            }
        }
        co_return take(*c);
    }
    /// Whether a delivery may come. Throws when it can't, unless the user cancelled the consumer.
    [[nodiscard]] static bool may_come(const core& c)
    {
        if (c.state == core::status::cancelled_by_broker)
            detail::throw_cancelled_by_broker(c.tag, c.channel->number);
        if (c.state == core::status::cancelled)
            return false;
        if (!c.channel->is_open())
            detail::throw_failure(c.channel->reason, "consumer.next", fate::never_sent);
        return true;
    }
    [[nodiscard]] static asio::awaitable<void> cancel_of(local_ptr<core> c, duration timeout)
    {
        if (!c || c->state != core::status::active || !c->channel->is_open())
            co_return;
        c->cancel();
        if (c->stream != nullptr) { // what is on its way from a broker on another executor comes before this is over
            detail::connection_core& connection = *c->channel->connection;
            const instant deadline = connection.deadline_after(timeout);
            while (c->stream != nullptr) {
                detail::timed_bell bell(connection.waits, connection.deadlines);
                c->readers.enter(bell);
                bell.arm(deadline);
                connection.rearm();
                const io::wake why = co_await bell.bell.wait();
                if (why == io::wake::cancelled)
                    detail::throw_cancelled("basic.cancel", fate::unknown, c->channel->number);
                if (why == io::wake::timed_out && c->stream != nullptr)
                    detail::throw_timeout("basic.cancel", "the broker, whose executor is another one",
                                          fate::unknown, c->channel->number);
            }
            co_return;
        }
        c->state = core::status::cancelled;
        c->has_tag = false;
        c->readers.ring_all();
    }

    local_ptr<core> core_;
};

} // namespace leveret::memory
