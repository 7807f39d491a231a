#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/core/options.hpp"
#include "leveret/transport/any/delivery.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leveret {

namespace detail {

/// The stream in an any_consumer.
class consumer_model : public local_counted {
public:
    virtual ~consumer_model() = default;
    [[nodiscard]] virtual asio::awaitable<std::optional<any_delivery>> next(next_options o) = 0;
    [[nodiscard]] virtual std::optional<any_delivery> try_next() = 0;
    [[nodiscard]] virtual asio::awaitable<void> cancel(call_options o) = 0;
    [[nodiscard]] virtual std::string_view tag() const = 0;
};

template <delivery_stream S>
class consumer_model_of final : public consumer_model {
public:
    explicit consumer_model_of(S s) : stream_(std::move(s)) {}

    asio::awaitable<std::optional<any_delivery>> next(next_options o) override
    {
        return next_of(local_ptr<consumer_model_of>(this), o);
    }
    std::optional<any_delivery> try_next() override
    {
        auto d = stream_.try_next();
        if (!d)
            return std::nullopt;
        return any_delivery(std::move(*d));
    }
    asio::awaitable<void> cancel(call_options o) override { return stream_.cancel(o); }
    std::string_view tag() const override { return stream_.tag(); }

private:
    /// One that is here costs no second coroutine. Every so many of those in a row, others get their turn, as the
    /// stream's own `next` may have it.
    static asio::awaitable<std::optional<any_delivery>> next_of(local_ptr<consumer_model_of> self, next_options o)
    {
        if (++self->unyielding_ == 256) {
            self->unyielding_ = 0;
            co_await others();
        }
        auto here = self->stream_.try_next();
        if (here)
            co_return any_delivery(std::move(*here));
        auto came = co_await self->stream_.next(o);
        self->unyielding_ = 0;
        if (came)
            co_return any_delivery(std::move(*came));
        co_return std::nullopt;
    }

    /// On its own: Asio keeps the memory of small frames only.
    static asio::awaitable<void> others() { co_await asio::post(asio::use_awaitable); }

    S stream_;
    int unyielding_ = 0;
};

} // namespace detail

/// A stream of deliveries of any transport, with the contract of the concept `delivery_stream`. Move-only; destroyed
/// it cancels itself. Thread safety: its connection's executor.
class any_consumer {
public:
    any_consumer() noexcept = default;
    template <class S>
        requires(!std::is_same_v<S, any_consumer>) && delivery_stream<S>
    explicit any_consumer(S s)
        : model_(new detail::consumer_model_of<S>(std::move(s)))
    {
    }
    any_consumer(any_consumer&&) noexcept = default;
    any_consumer& operator=(any_consumer&&) noexcept = default;

    /// The next delivery, at once if one is here; empty when the user cancelled the consumer and all that had
    /// arrived was handed out. Throws as the transport's own: consumer_cancelled, channel_error, connection_error,
    /// timeout_error, operation_cancelled. Cancellation: loses nothing.
    [[nodiscard]] asio::awaitable<std::optional<any_delivery>> next(next_options o = {})
    {
        if (!model_)
            throw_invalid_argument("a consumer that was moved from, or never started");
        return model_->next(o);
    }
    /// A delivery that is here already, without waiting.
    [[nodiscard]] std::optional<any_delivery> try_next()
    {
        if (!model_)
            return std::nullopt;
        return model_->try_next();
    }
    /// Stops the stream. What arrived before can still be had by `next`.
    [[nodiscard]] asio::awaitable<void> cancel(call_options o = {})
    {
        if (!model_)
            return nothing();
        return model_->cancel(o);
    }
    /// The name that the broker knows it by; empty of an empty handle.
    [[nodiscard]] std::string_view tag() const { return model_ ? model_->tag() : std::string_view(); }

private:
    [[nodiscard]] static asio::awaitable<void> nothing() { co_return; }

    local_ptr<detail::consumer_model> model_;
};

static_assert(delivery_stream<any_consumer>);

} // namespace leveret
