#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/notify/detail/handlers.hpp"
#include "leveret/notify/detail/listener_core.hpp"
#include "leveret/notify/filter.hpp"
#include "leveret/notify/notification.hpp"
#include "leveret/notify/priority.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace leveret::notify {

/// Hears the notifications of a topic, those of oslo.messaging's notifiers among them.
///
///     lv::notify::listener desk{channel, {.topic = "notifications"}};
///     desk.on(lv::notify::priority::error, [](const lv::notify::notification& n) { log(n.event_type()); });
///     co_await desk.run();
///
/// Handlers are plain functions or coroutines and run one after the other. They return nothing, or an outcome; one that is to
/// be requeued, or whose handler throws, goes back to its queue for this listener or another, and is not given to further
/// handlers. A notification is acknowledged when it was handled. One goes to the handlers of the priority that it says, and
/// listeners without a pool share what comes.
///
/// Not copyable. Thread safety: the connection's executor.
template <channel Channel, io::environment Environment = io::asio_environment>
class listener {
    using core = detail::listener_core<Channel, Environment>;

public:
    /// Throws usage_error for options that can't be.
    explicit listener(Channel c, const listener_options& o = {}, Environment e = {})
    {
        if (o.topic.empty() || o.exchange.empty())
            throw_invalid_argument("notify: a listener has a topic and an exchange");
        if (o.batch_size == 0 || o.batch_size > 4096)
            throw_invalid_argument("notify: batch_size must be 1 to 4096");
        if (o.prefetch != 0 && o.prefetch < o.batch_size)
            throw_invalid_argument("notify: prefetch must be no less than batch_size, or a batch never gets full");
        core_ = local_ptr<core>(new core(std::move(c), o, std::move(e)));
    }
    listener(listener&&) noexcept = default;
    listener& operator=(listener&&) noexcept = default;

    /// Adds a handler of notifications of a priority, of those that pass the filter. Before `start`.
    template <class F>
    requires std::invocable<F&, const notification&>
    listener& on(priority p, F handler, filter f = {})
    {
        static_assert(detail::handler_result<std::invoke_result_t<F&, const notification&>>,
                      "leveret: a handler returns nothing or lv::notify::outcome, or an asio::awaitable of it");
        core_->handlers.push_back(std::make_unique<detail::handler_of_one<F>>(p, std::move(f), std::move(handler)));
        return *this;
    }
    /// The same for notifications that are handled together: `handler(std::span<const lv::notify::notification>)` gets as
    /// many as the options say, fewer when the time is up; what it returns is for all of them.
    template <class F>
    requires std::invocable<F&, std::span<const notification>>
    listener& on_batch(priority p, F handler, filter f = {})
    {
        static_assert(detail::handler_result<std::invoke_result_t<F&, std::span<const notification>>>,
                      "leveret: a handler returns nothing or lv::notify::outcome, or an asio::awaitable of it");
        core_->handlers.push_back(std::make_unique<detail::handler_of_batch<F>>(p, std::move(f), std::move(handler)));
        return *this;
    }

    /// Is told what a handler threw, and for which notifications, which are requeued: for logs. It must not throw.
    listener& on_failure(std::function<void(std::span<const notification>, const std::exception_ptr&)> f)
    {
        core_->on_failure = std::move(f);
        return *this;
    }

    /// Declares the queues of those priorities that have handlers, and begins to consume. `run` does it if this did not.
    /// Throws channel_error if the broker refuses, connection_error, timeout_error.
    [[nodiscard]] asio::awaitable<void> start() { return core::start(core_); }
    /// Listens until it is cancelled or `stop` is called; then it waits for the handler that runs, gives back the rest, and
    /// completes (after a cancellation by throwing operation_cancelled). A cancellation while it waits cancels that handler
    /// too, and its notifications go back. Throws what consumer::next throws when consumers,
    /// channel or connection ended. Once only.
    [[nodiscard]] asio::awaitable<void> run() { return core::run(core_); }
    /// Asks `run` to end. On the connection's executor.
    void stop() noexcept { core_->stop(); }

    /// Notifications that were handled, requeued, had a priority that is not known, and were none.
    [[nodiscard]] std::uint64_t handled() const noexcept { return core_->handled; }
    [[nodiscard]] std::uint64_t requeued() const noexcept { return core_->requeued; }
    [[nodiscard]] std::uint64_t ignored() const noexcept { return core_->ignored; }
    [[nodiscard]] std::uint64_t rejected() const noexcept { return core_->rejected; }

private:
    local_ptr<core> core_;
};

} // namespace leveret::notify
