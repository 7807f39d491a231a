#pragma once

#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/transport/amqp/channel.hpp"
#include "leveret/transport/amqp/detail/publisher_core.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace leveret::amqp {

/// Options of a publisher.
struct publisher_options {
    std::size_t window = 1000;                   ///< messages in flight, 1 to 65,536
    std::size_t window_bytes = 16 * 1024 * 1024; ///< bodies in flight; one larger message still goes
    bool mandatory = true;                       ///< notice messages that reach no queue
    duration timeout = default_timeout;          ///< for room in the window, and for flush
};
static_assert(safe_options<publisher_options>);

/// Publishes with confirmations, many at a time: keeps a window of messages in flight, suspends while it
/// is full, and remembers every message that was not confirmed until `flush` reports it.
///
///     lv::amqp::publisher out{channel, {.window = 1000}};
///     for (const auto& line : lines)
///         co_await out.publish("", "lines", line);
///     auto report = co_await out.flush();
///
/// A value of one channel, which it puts into confirm mode. Not copyable; destroyed it lets its messages
/// go on unwatched. Thread safety: its connection's executor.
class publisher {
public:
    /// Reports that were not fetched by `flush` are kept up to this number; then publish refuses.
    static constexpr std::size_t max_failures = detail::publisher_core::max_failures;

    /// Throws usage_error for a window that can't be or a channel in a transaction.
    explicit publisher(const channel& c, publisher_options o = {}) : core_(make(c, o)), options_(o) {}
    publisher(publisher&&) noexcept = default;
    publisher& operator=(publisher&&) noexcept = default;

    /// Publishes; completes when the message is in the output buffer, with its number (1, 2, 3... on this
    /// publisher), by which `flush` reports it if it fails. Throws as channel::publish, and usage_error
    /// (errc::limit_exceeded) when max_failures failures wait to be reported.
    [[nodiscard]] asio::awaitable<std::uint64_t> publish(std::string_view exchange,
                                                         std::string_view routing_key,
                                                         std::string_view body)
    {
        return detail::publisher_core::publish(
            core_,
            detail::prepare_publish(core_->channel, {exchange, routing_key, options_.mandatory, false},
                                    nullptr, body, nullptr),
            options_.timeout);
    }
    [[nodiscard]] asio::awaitable<std::uint64_t> publish(std::string_view exchange,
                                                         std::string_view routing_key, const message& m)
    {
        return detail::publisher_core::publish(
            core_,
            detail::prepare_publish(core_->channel, {exchange, routing_key, options_.mandatory, false},
                                    &m.properties(), m.text(), &m.body()),
            options_.timeout);
    }

    /// Waits until nothing is in flight, and reports what was published since the last flush. Throws
    /// channel_error or connection_error if that ended first: then the messages in flight are counted by
    /// `in_flight()`, and whether the broker has them is unknown; timeout_error, operation_cancelled.
    [[nodiscard]] asio::awaitable<flush_report> flush() { return flush(options_.timeout); }
    [[nodiscard]] asio::awaitable<flush_report> flush(duration timeout)
    {
        return detail::publisher_core::flush(core_, timeout);
    }

    /// Messages whose outcome is not known yet.
    [[nodiscard]] std::size_t in_flight() const noexcept { return core_->in_flight; }
    [[nodiscard]] std::size_t bytes_in_flight() const noexcept { return core_->bytes; }
    /// Messages the broker has taken since the last flush.
    [[nodiscard]] std::uint64_t confirmed() const noexcept { return core_->confirmed_count; }

private:
    static local_ptr<detail::publisher_core> make(const channel& c, const publisher_options& o)
    {
        if (o.window == 0 || o.window > detail::channel_core::max_unconfirmed)
            throw_invalid_argument("publisher: the window must be 1 to 65536 messages");
        return local_ptr<detail::publisher_core>(
            new detail::publisher_core(c.core_, o.window, o.window_bytes));
    }

    local_ptr<detail::publisher_core> core_;
    publisher_options options_;
};

} // namespace leveret::amqp
