#pragma once

#include "leveret/core/flush_report.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/transport/concept.hpp"
#include "leveret/transport/memory/channel.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::memory {

using leveret::flush_report;
using leveret::publish_failure;
using leveret::publisher_options;

namespace detail {

/// State of a publisher. The broker confirms within the publish, so that a window never fills.
class publisher_core final : public local_counted, public engine::confirm_listener {
public:
    static constexpr std::size_t max_failures = 65536;

    explicit publisher_core(local_ptr<channel_core> c) : channel(std::move(c))
    {
        if (channel->is_open())
            start_confirming(*channel);
    }
    ~publisher_core() { channel->publishes.forget(*this); }

    local_ptr<channel_core> channel;
    std::size_t in_flight = 0;
    std::size_t bytes = 0;
    std::uint64_t confirmed_count = 0;

    static asio::awaitable<std::uint64_t> publish(local_ptr<publisher_core> self, pending_publish p,
                                                  duration timeout)
    {
        channel_core& c = *self->channel;
        if (c.connection->must_yield())
            co_await yield(c.connection->executor());
        if (!c.can_publish()) {
            connection_core& connection = *c.connection;
            const instant deadline = connection.deadline_after(timeout);
            while (!c.can_publish()) {
                timed_bell bell(connection.waits, connection.deadlines);
                enter_room(c, bell, deadline);
                const io::wake why = co_await bell.bell.wait();
                check_room(c, why);
            }
        }
        co_return self->write(p);
    }
    void check_flushed() const
    {
        if (in_flight != 0)
            throw_failure(channel->reason, "publisher.flush", fate::unknown);
    }
    [[nodiscard]] flush_report report()
    {
        return flush_report(std::exchange(confirmed_count, 0), std::exchange(failures_, {}));
    }
    [[nodiscard]] std::vector<std::uint64_t> unconfirmed()
    {
        std::vector<std::uint64_t> numbers;
        channel->publishes.for_each_open(*this, [&](std::uint64_t n) { numbers.push_back(n); });
        return numbers;
    }

    void confirmed(std::uint64_t first, std::size_t count, std::size_t size,
                   publish_outcome outcome) noexcept override
    {
        if (outcome == publish_outcome::confirmed)
            confirmed_count += count;
        else
            for (std::size_t i = 0; i < count; ++i)
                failures_.emplace_back(first + i, publish_result(outcome));
        in_flight -= count;
        bytes -= size;
    }
    void returned(std::uint64_t number, std::size_t size, std::uint16_t code,
                  std::string text) noexcept override
    {
        failures_.emplace_back(number, publish_result(static_cast<reply_code>(code), std::move(text)));
        --in_flight;
        bytes -= size;
    }

private:
    std::uint64_t write(const pending_publish& p)
    {
        if (failures_.size() >= max_failures) {
            leveret::diagnostics d;
            d.operation = "basic.publish";
            d.operation_fate = fate::never_sent;
            throw usage_error(make_error_code(errc::limit_exceeded),
                              "publisher: " + std::to_string(max_failures) +
                                  " failed messages wait to be reported; call flush",
                              std::move(d));
        }
        const std::uint64_t number = ++last_;
        ++in_flight;
        bytes += p.request().body.size();
        channel->publish(p.request(), this, number);
        return number;
    }

    std::uint64_t last_ = 0;
    std::vector<publish_failure> failures_;
};

} // namespace detail

/// Publishes with confirmations, many at a time: as amqp::publisher. Not copyable. Thread safety: its
/// connection's executor.
class publisher {
public:
    static constexpr std::size_t max_failures = detail::publisher_core::max_failures;

    /// Throws usage_error for a window that can't be or a channel in a transaction.
    explicit publisher(const channel& c, publisher_options o = {}) : options_(o)
    {
        if (o.window == 0 || o.window > detail::channel_core::max_unconfirmed)
            throw_invalid_argument("publisher: the window must be 1 to 65536 messages");
        core_ = local_ptr<detail::publisher_core>(new detail::publisher_core(c.shared_core()));
    }
    publisher(publisher&&) noexcept = default;
    publisher& operator=(publisher&&) noexcept = default;

    /// Publishes, and returns the message's number on this publisher. Throws as channel::publish, and
    /// usage_error (errc::limit_exceeded) when max_failures failures wait to be reported.
    [[nodiscard]] asio::awaitable<std::uint64_t> publish(std::string_view exchange,
                                                         std::string_view routing_key, std::string_view body)
    {
        return submit(exchange, routing_key, nullptr, payload(body));
    }
    [[nodiscard]] asio::awaitable<std::uint64_t> publish(std::string_view exchange,
                                                         std::string_view routing_key,
                                                         std::span<const std::byte> body)
    {
        return submit(exchange, routing_key, nullptr, payload(body));
    }
    [[nodiscard]] asio::awaitable<std::uint64_t> publish(std::string_view exchange,
                                                         std::string_view routing_key, const message& m)
    {
        return submit(exchange, routing_key, &m.properties(), m.body());
    }
    /// What became of what was published since the last flush. Throws channel_error or connection_error when
    /// that ended with messages whose outcome is not known: see `report` and `unconfirmed`.
    [[nodiscard]] asio::awaitable<flush_report> flush() { return flushed(shared_core()); }
    [[nodiscard]] asio::awaitable<flush_report> flush(duration) { return flush(); }
    /// The same without a look at the channel.
    [[nodiscard]] flush_report report() { return shared_core()->report(); }
    [[nodiscard]] std::size_t in_flight() const noexcept { return core_ ? core_->in_flight : 0; }
    [[nodiscard]] std::size_t bytes_in_flight() const noexcept { return core_ ? core_->bytes : 0; }
    /// Numbers of messages whose outcome is not known: the one that ended the channel.
    [[nodiscard]] std::vector<std::uint64_t> unconfirmed() const { return shared_core()->unconfirmed(); }
    [[nodiscard]] std::uint64_t confirmed() const noexcept { return core_ ? core_->confirmed_count : 0; }

private:
    [[nodiscard]] const local_ptr<detail::publisher_core>& shared_core() const
    {
        if (!core_)
            throw_invalid_argument("a publisher that was moved from");
        return core_;
    }
    [[nodiscard]] asio::awaitable<std::uint64_t> submit(std::string_view exchange, std::string_view routing_key,
                                                        const leveret::properties* properties, payload body)
    {
        const detail::publish_target target{exchange, routing_key, options_.mandatory, false};
        return detail::publisher_core::publish(
            shared_core(), detail::prepare_publish(core_->channel, target, properties, std::move(body)),
            options_.timeout);
    }
    static asio::awaitable<flush_report> flushed(local_ptr<detail::publisher_core> core)
    {
        core->check_flushed();
        co_return core->report();
    }

    local_ptr<detail::publisher_core> core_;
    publisher_options options_;
};

static_assert(leveret::publisher<publisher>);

} // namespace leveret::memory
