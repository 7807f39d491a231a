#pragma once

#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/transport/detail/publish_checks.hpp"
#include "leveret/transport/detail/publisher_core.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret {

/// Publishes with confirmations, many at a time: keeps a window of messages in flight, suspends while it
/// is full, and remembers every message that was not confirmed until `flush` reports it. Used by the names
/// `amqp::publisher` and `memory::publisher`.
///
///     lv::amqp::publisher out{channel, {.window = 1000}};
///     for (const auto& line : lines)
///         co_await out.publish("", "lines", line);
///     auto report = co_await out.flush();
///
/// A value of one channel, which it puts into confirm mode. Not copyable; destroyed it lets its messages
/// go on unwatched. Thread safety: its connection's executor.
template <class Traits>
class basic_publisher {
    using core = transport_detail::publisher_core<Traits>;

public:
    /// Reports that were not fetched by `flush` are kept up to this number; then publish refuses.
    static constexpr std::size_t max_failures = core::max_failures;

    /// Throws usage_error for a window that can't be or a channel in a transaction.
    explicit basic_publisher(const typename Traits::channel& c, publisher_options o = {}) : options_(o)
    {
        if (o.window == 0 || o.window > Traits::channel_core::max_unconfirmed)
            throw_invalid_argument("publisher: the window must be 1 to 65536 messages");
        core_ = local_ptr<core>(new core(Traits::core_of(c), o));
    }
    basic_publisher(basic_publisher&&) noexcept = default;
    basic_publisher& operator=(basic_publisher&&) noexcept = default;

    /// Publishes; completes when the message is on its way, with its number (1, 2, 3... on this
    /// publisher), by which `flush` reports it if it fails. Throws as channel::publish, and usage_error
    /// (errc::limit_exceeded) when max_failures failures wait to be reported.
    [[nodiscard]] asio::awaitable<std::uint64_t> publish(std::string_view exchange,
                                                         std::string_view routing_key,
                                                         std::string_view body)
    {
        return submit(exchange, routing_key, nullptr, body, nullptr);
    }
    [[nodiscard]] asio::awaitable<std::uint64_t> publish(std::string_view exchange,
                                                         std::string_view routing_key,
                                                         std::span<const std::byte> body)
    {
        return publish(exchange, routing_key,
                       std::string_view(reinterpret_cast<const char*>(body.data()), body.size()));
    }
    [[nodiscard]] asio::awaitable<std::uint64_t> publish(std::string_view exchange,
                                                         std::string_view routing_key, const message& m)
    {
        return submit(exchange, routing_key, &m.properties(), m.text(), &m.body());
    }

    /// Waits until nothing is in flight, and reports what was published since the last flush. Throws
    /// channel_error or connection_error if that ended first; timeout_error, operation_cancelled. Nothing is
    /// lost then: `report` has what is known, `unconfirmed` the rest, and after a timeout or a cancellation it
    /// may be called again.
    [[nodiscard]] asio::awaitable<flush_report> flush() { return flush(options_.timeout); }
    /// The same with another deadline.
    [[nodiscard]] asio::awaitable<flush_report> flush(duration timeout)
    {
        return core::flush(shared_core(), timeout);
    }
    /// The report on what has an outcome already, without waiting, also after the channel failed.
    [[nodiscard]] flush_report report() { return shared_core()->report(); }

    /// Messages whose outcome is not known yet, and bytes of their bodies.
    [[nodiscard]] std::size_t in_flight() const noexcept { return core_ ? core_->in_flight : 0; }
    [[nodiscard]] std::size_t bytes_in_flight() const noexcept { return core_ ? core_->bytes : 0; }
    /// Their numbers, in order. When the channel has failed the broker may have them or not: these are the ones
    /// to publish again.
    [[nodiscard]] std::vector<std::uint64_t> unconfirmed() const { return shared_core()->unconfirmed(); }
    /// Messages the broker has taken since the last flush.
    [[nodiscard]] std::uint64_t confirmed() const noexcept { return core_ ? core_->confirmed_count : 0; }

private:
    [[nodiscard]] const local_ptr<core>& shared_core() const
    {
        if (!core_)
            throw_invalid_argument("a publisher that was moved from");
        return core_;
    }
    [[nodiscard]] asio::awaitable<std::uint64_t> submit(std::string_view exchange, std::string_view routing_key,
                                                        const leveret::properties* properties,
                                                        std::string_view body, const payload* shared)
    {
        const transport_detail::publish_target target{exchange, routing_key, options_.mandatory, false};
        return core::publish(shared_core(),
                             Traits::prepare(core_->channel, target, properties, body, shared),
                             options_.timeout);
    }

    local_ptr<core> core_;
    publisher_options options_;
};

} // namespace leveret
