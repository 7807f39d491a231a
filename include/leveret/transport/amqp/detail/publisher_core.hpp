#pragma once

#include "leveret/engine/confirms.hpp"
#include "leveret/transport/amqp/detail/channel_core.hpp"
#include "leveret/transport/amqp/detail/publishing.hpp"
#include "leveret/transport/amqp/flush_report.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace leveret::amqp::detail {

/// State of a publisher. Its numbers are its own: those of the channel also count what others publish.
class publisher_core final : public local_counted, public engine::confirm_listener {
public:
    static constexpr std::size_t max_failures = 65536;

    publisher_core(local_ptr<channel_core> c, std::size_t window, std::size_t window_bytes)
        : channel(std::move(c)), window_(window), window_bytes_(window_bytes)
    {
        if (channel->is_open())
            start_confirming(*channel);
        channel->rung_at_end.push_back(&waiters);
    }
    ~publisher_core()
    {
        std::erase(channel->rung_at_end, &waiters);
        channel->publishes().forget(*this);
    }

    local_ptr<channel_core> channel;
    wait_queue waiters;
    std::size_t in_flight = 0;
    std::size_t bytes = 0;
    std::uint64_t confirmed_count = 0;

    static asio::awaitable<std::uint64_t> publish(local_ptr<publisher_core> self, pending_publish p,
                                                  duration timeout)
    {
        if (!self->has_room(p.request().body_size) || !self->channel->can_publish())
            co_await self->wait_for_window(p.request().body_size, timeout);
        co_return self->write(p);
    }

    static asio::awaitable<flush_report> flush(local_ptr<publisher_core> self, duration timeout)
    {
        connection_core& connection = *self->channel->connection;
        const instant deadline = connection.deadline_after(timeout);
        while (self->in_flight != 0) {
            if (!self->channel->is_open())
                throw_failure(self->channel->reason(), "publisher.flush", fate::unknown);
            const io::wake why = co_await self->wait(deadline);
            if (self->in_flight == 0)
                break;
            if (why == io::wake::timed_out)
                throw_timeout("publisher.flush",
                              "the broker's confirmation of " + std::to_string(self->in_flight) +
                                  " messages",
                              fate::unknown, self->channel->number());
            if (why == io::wake::cancelled)
                throw_cancelled("publisher.flush", fate::unknown, self->channel->number());
        }
        co_return flush_report(std::exchange(self->confirmed_count, 0), std::exchange(self->failures_, {}));
    }

    void confirmed(std::uint64_t first, std::size_t count, std::size_t size,
                   publish_outcome outcome) noexcept override
    {
        if (outcome == publish_outcome::confirmed)
            confirmed_count += count;
        else
            for (std::size_t i = 0; i < count; ++i)
                failed(first + i, publish_result(outcome));
        settled(count, size);
    }
    void returned(std::uint64_t number, std::size_t size, std::uint16_t code,
                  std::string text) noexcept override
    {
        failed(number, publish_result(static_cast<reply_code>(code), std::move(text)));
        settled(1, size);
    }

private:
    [[nodiscard]] bool has_room(std::size_t size) const noexcept
    {
        return in_flight < window_ && (in_flight == 0 || bytes + size <= window_bytes_) &&
               failures_.size() < max_failures;
    }
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
        write_publish(p, this, ++last_);
        ++in_flight;
        bytes += p.request().body_size;
        return last_;
    }
    [[nodiscard]] asio::awaitable<void> wait_for_window(std::size_t size, duration timeout)
    {
        const instant deadline = channel->connection->deadline_after(timeout);
        while (failures_.size() < max_failures && !(has_room(size) && channel->can_publish())) {
            if (has_room(size)) {
                co_await wait_for_room(*channel, deadline);
                continue;
            }
            if (!channel->is_open())
                throw_failure(channel->reason(), "basic.publish", fate::never_sent);
            const io::wake why = co_await wait(deadline);
            if (why == io::wake::cancelled)
                throw_cancelled("basic.publish", fate::never_sent, channel->number());
            if (why == io::wake::timed_out && !has_room(size))
                throw_timeout("basic.publish", "the broker to confirm earlier messages",
                              fate::never_sent, channel->number());
        }
    }
    [[nodiscard]] asio::awaitable<io::wake> wait(instant deadline)
    {
        connection_core& connection = *channel->connection;
        const waits_for_server reading(connection);
        timed_bell bell(connection.waits, connection.engine.deadlines());
        waiters.enter(bell);
        bell.arm(deadline);
        connection.rearm();
        co_return co_await bell.bell.wait();
    }
    void settled(std::size_t count, std::size_t size) noexcept
    {
        in_flight -= count;
        bytes -= size;
        // Half a window at a time: waking for each message would cost more than the message.
        if (!waiters.empty() && (in_flight == 0 || in_flight <= window_ / 2))
            waiters.ring_all();
    }
    void failed(std::uint64_t number, publish_result result) noexcept
    {
        failures_.emplace_back(number, std::move(result));
    }

    std::size_t window_;
    std::size_t window_bytes_;
    std::uint64_t last_ = 0;
    std::vector<publish_failure> failures_;
};

} // namespace leveret::amqp::detail
