#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/table.hpp"
#include "leveret/transport/concept.hpp"
#include "leveret/transport/detail/serving.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace leveret {

/// What becomes of a delivery whose handler threw.
enum class on_error : std::uint8_t {
    requeue_once, ///< back to the queue; discarded if it had been delivered before
    requeue,      ///< back to the queue, for ever if it always fails
    discard,      ///< dropped, or dead-lettered if the queue says so
};

/// Options of serve.
struct serve_options {
    std::size_t concurrency = 1;               ///< handlers that run at once, 1 to 4096
    leveret::on_error on_error = leveret::on_error::requeue_once;
    std::uint16_t prefetch = 0;                ///< 0: as many as run at once
    bool exclusive = false;
    std::string_view tag = {};
    table_ref arguments = {};
    duration timeout = default_timeout;        ///< for starting and cancelling the consumer
};
static_assert(safe_options<serve_options>);

/// What `serve` gives: `run` does the work.
template <channel Channel, class Handler>
class server {
public:
    using consumer = stream_of<Channel>;
    using delivery = delivery_of<consumer>;

    server(Channel c, std::string queue, Handler handler, serve_options o)
        : channel_(std::move(c)), queue_(std::move(queue)), handler_(std::move(handler)),
          tag_(o.tag), options_(o)
    {
        if (o.arguments.get() != nullptr)
            arguments_ = *o.arguments.get();
    }

    /// Consumes, and runs the handler for each delivery, so many at once as the options say. A delivery is
    /// acknowledged when its handler returns, unless the handler settled it itself. Runs until it is
    /// cancelled or `stop` is called; then it stops consuming, waits for the handlers that run, and
    /// completes (after a cancellation by throwing operation_cancelled). Throws what consumer::next
    /// throws when the consumer, channel or connection ended, after the handlers have ended.
    ///
    /// The server must outlive it. Once only.
    [[nodiscard]] asio::awaitable<void> run()
    {
        consume_options o;
        o.prefetch = options_.prefetch != 0
                         ? options_.prefetch
                         : static_cast<std::uint16_t>(options_.concurrency < 65535 ? options_.concurrency
                                                                                   : 65535);
        o.exclusive = options_.exclusive;
        o.tag = tag_;
        o.arguments = arguments_;
        o.timeout = options_.timeout;
        return serving(*this, channel_.consume(queue_, o));
    }
    /// Asks `run` to end as soon as the handlers that run have. On the connection's executor.
    void stop() noexcept { state_.stop(); }
    /// Handlers that run now.
    [[nodiscard]] std::size_t active() const noexcept { return state_.active(); }
    /// Deliveries whose handlers returned, and threw.
    [[nodiscard]] std::uint64_t handled() const noexcept { return state_.handled; }
    [[nodiscard]] std::uint64_t failed() const noexcept { return state_.failed; }

private:
    static asio::awaitable<void> serving(server& self, asio::awaitable<consumer> starting)
    {
        consumer deliveries = co_await std::move(starting);
        const auto work = [&self](delivery& d) { return self.handle(d); };
        co_await self.state_.run(deliveries, self.options_.concurrency, work, self.options_.timeout);
    }
    asio::awaitable<void> handle(delivery& d)
    {
        const bool redelivered = d.redelivered(); // the handler may take the delivery
        bool threw = false;
        try {
            co_await handler_(d);
        } catch (...) {
            threw = true; // co_await is not possible here, and nothing more is needed
        }
        if (!threw) {
            ++state_.handled;
            d.ack();
            co_return;
        }
        ++state_.failed;
        const bool again = options_.on_error == on_error::requeue ||
                           (options_.on_error == on_error::requeue_once && !redelivered);
        d.nack({.requeue = again});
    }

    Channel channel_;
    std::string queue_;
    Handler handler_;
    std::string tag_;
    table arguments_;
    serve_options options_;
    transport_detail::serving state_;
};

/// A server of `queue`, on a channel of any transport: runs `handler(delivery&)`, a coroutine, for each of its
/// messages.
///
///     auto handler = [&](lv::any_delivery& d) -> asio::awaitable<void> { ... };
///     auto server = lv::serve(channel, "tasks", handler, {.concurrency = 8});
///     co_await server.run();
///
/// Throws usage_error for options that can't be.
template <channel Channel, class Handler>
[[nodiscard]] server<Channel, Handler> serve(Channel c, std::string_view queue, Handler handler, serve_options o = {})
{
    if (o.concurrency == 0 || o.concurrency > 4096)
        throw_invalid_argument("serve: concurrency must be 1 to 4096");
    return server<Channel, Handler>(std::move(c), std::string(queue), std::move(handler), o);
}

} // namespace leveret
