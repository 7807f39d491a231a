#pragma once

#include "leveret/core/flush_report.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/core/options.hpp"
#include "leveret/engine/confirms.hpp"
#include "leveret/transport/detail/throw_failure.hpp"
#include "leveret/transport/detail/waiting.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::transport_detail {

/// State of a publisher. Its numbers are its own: those of the channel also count what others publish. `Traits` knows
/// how its transport publishes.
template <class Traits>
class publisher_core final : public local_counted, public engine::confirm_listener {
public:
    static constexpr std::size_t max_failures = 65536;
    using channel_core = typename Traits::channel_core;
    using pending_publish = typename Traits::pending_publish;

    publisher_core(local_ptr<channel_core> c, const publisher_options& o)
        : channel(std::move(c)), window_(o.window), window_bytes_(o.window_bytes)
    {
        if (channel->is_open())
            Traits::start_confirming(*channel);
        channel->rung_at_end.push_back(&waiters);
    }
    ~publisher_core()
    {
        std::erase(channel->rung_at_end, &waiters);
        Traits::confirms_of(*channel).forget(*this);
    }

    local_ptr<channel_core> channel;
    wait_queue waiters;
    std::size_t in_flight = 0;
    std::size_t bytes = 0;
    std::uint64_t confirmed_count = 0;

    static asio::awaitable<std::uint64_t> publish(local_ptr<publisher_core> self, pending_publish p,
                                                  duration timeout)
    {
        channel_core& c = *self->channel;
        if (Traits::must_yield(*c.connection))
            co_await Traits::yield(*c.connection);
        const std::size_t size = Traits::size_of(p);
        if (self->must_wait(size)) {
            auto& connection = *c.connection;
            const instant deadline = connection.deadline_after(timeout);
            const typename Traits::waits_for_broker waits(connection);
            while (self->must_wait(size)) {
                timed_bell bell(connection.waits, Traits::deadlines_of(connection));
                const bool is_full = !self->has_room(size);
                if (is_full)
                    self->enter_window(bell, deadline, "basic.publish", fate::never_sent);
                else
                    Traits::enter_room(c, bell, deadline);
                const io::wake why = co_await bell.bell.wait();
                if (!is_full)
                    Traits::check_room(c, why);
                else if (why == io::wake::cancelled)
                    throw_cancelled("basic.publish", fate::never_sent, Traits::number_of(c));
                else if (why == io::wake::timed_out && !self->has_room(size))
                    throw_timeout("basic.publish", "the broker to confirm earlier messages",
                                  fate::never_sent, Traits::number_of(c));
            }
        }
        co_return self->write(p, size);
    }

    static asio::awaitable<flush_report> flush(local_ptr<publisher_core> self, duration timeout)
    {
        auto& connection = *self->channel->connection;
        const instant deadline = connection.deadline_after(timeout);
        const typename Traits::waits_for_broker waits(connection);
        while (self->in_flight != 0) {
            timed_bell bell(connection.waits, Traits::deadlines_of(connection));
            self->enter_window(bell, deadline, "publisher.flush", fate::unknown);
            const io::wake why = co_await bell.bell.wait();
            if (self->in_flight == 0)
                break;
            if (why == io::wake::timed_out)
                throw_timeout("publisher.flush",
                              "the broker's confirmation of " + std::to_string(self->in_flight) +
                                  " messages",
                              fate::unknown, Traits::number_of(*self->channel));
            if (why == io::wake::cancelled)
                throw_cancelled("publisher.flush", fate::unknown, Traits::number_of(*self->channel));
        }
        co_return self->report();
    }
    [[nodiscard]] flush_report report()
    {
        return flush_report(std::exchange(confirmed_count, 0), std::exchange(failures_, {}));
    }
    [[nodiscard]] std::vector<std::uint64_t> unconfirmed()
    {
        std::vector<std::uint64_t> numbers;
        Traits::confirms_of(*channel).for_each_open(*this, [&](std::uint64_t n) { numbers.push_back(n); });
        return numbers;
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
    std::uint64_t write(const pending_publish& p, std::size_t size)
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
        ++in_flight; // before: a broker that is near confirms within
        bytes += size;
        Traits::write(p, *this, number);
        return number;
    }
    [[nodiscard]] bool must_wait(std::size_t size) const noexcept
    {
        return failures_.size() < max_failures && !(has_room(size) && channel->can_publish());
    }
    /// Queues for confirmations. Throws when there will be none.
    void enter_window(timed_bell& bell, instant deadline, std::string_view operation, fate f)
    {
        if (!channel->is_open())
            throw_failure(Traits::reason_of(*channel), operation, f);
        waiters.enter(bell);
        bell.arm(deadline);
        channel->connection->rearm();
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

} // namespace leveret::transport_detail
