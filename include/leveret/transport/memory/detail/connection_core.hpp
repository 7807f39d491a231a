#pragma once

#include "leveret/broker/broker.hpp"
#include "leveret/core/deadlines.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/engine/failure.hpp"
#include "leveret/io/doorbell.hpp"
#include "leveret/transport/detail/waiting.hpp"
#include "leveret/transport/memory/detail/far_end.hpp"
#include "leveret/transport/memory/detail/hub.hpp"
#include "leveret/transport/memory/detail/publish_request.hpp"
#include "leveret/transport/memory/detail/record.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::memory::detail {

using namespace leveret::transport_detail; // what all transports share

/// State of a connection, shared by its handle, its channels and all that they gave out. One executor.
class connection_core : public local_counted, public leveret::broker::session_listener {
public:
    /// As AMQP negotiates with RabbitMQ's defaults: what does not fit these could not be said on the wire.
    static constexpr std::uint32_t frame_max = 131072;
    static constexpr std::uint16_t channel_max = 2047;

    connection_core(std::shared_ptr<hub> h, asio::any_io_executor executor)
        : home(std::move(h)), executor_(std::move(executor))
    {
    }
    virtual ~connection_core()
    {
        far.reset();
        if (has_entered_)
            home->leave();
    }

    std::shared_ptr<hub> home;
    io::wait_list waits;
    leveret::deadlines deadlines;                        ///< of those who wait
    std::unique_ptr<leveret::broker::session> session; ///< on the broker's executor
    std::unique_ptr<far_end> far;                      ///< on another one
    std::vector<channel_core*> channels;
    wait_queue room; ///< those who wait to publish
    wait_queue over; ///< those who wait for an answer from another executor
    record_pool records;
    request_pool requests;
    engine::failure reason; ///< why it ended
    std::string blocked_reason;
    std::shared_ptr<const void> name; ///< of the broker: taken as long as this is open

    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
    [[nodiscard]] bool is_open() const noexcept { return is_open_; }
    [[nodiscard]] bool is_blocked() const noexcept { return is_blocked_; }
    /// Whether the broker's executor is this one.
    [[nodiscard]] bool is_near() const noexcept { return far == nullptr; }
    /// Whether an operation with no_wait may leave without its answer: not when thousands have.
    [[nodiscard]] bool may_only_tell() const noexcept { return is_near() || far->may_call_on(); }
    [[nodiscard]] instant now() const noexcept { return home->now(); }
    [[nodiscard]] instant deadline_after(duration timeout) const noexcept
    {
        return timeout.is_never() ? instant::never() : now() + timeout;
    }

    /// Nothing here needs to wait, so that a loop of operations would never let others run: every so many that
    /// did not suspend, one does, as it would over a socket.
    [[nodiscard]] bool must_yield() noexcept
    {
        if (++unyielding_ < 256)
            return false;
        unyielding_ = 0;
        return true;
    }
    void has_waited() noexcept { unyielding_ = 0; }

    /// There may be an earlier deadline of one who waits.
    virtual void rearm() = 0;
    virtual void stop() noexcept = 0;

    /// Becomes one more that uses the broker on its executor; false if that is another one.
    [[nodiscard]] bool enter() { return has_entered_ = home->enter(executor_); }
    /// Joins the broker on this executor. Throws connection_error with what the broker says against it.
    void open(std::string_view virtual_host, std::string_view user);
    /// Joined, here or elsewhere.
    void opened()
    {
        is_open_ = true;
        rearm();
    }
    /// Ends the session, and with it all channels.
    void close(const engine::failure& why)
    {
        shut(why);
        stop();
    }
    /// The same, but that the context goes on to be kept running.
    void shut(const engine::failure& why);
    void recycle(record* r) noexcept
    {
        if (is_near())
            records.give_back(r);
        else
            far->release(r);
    }
    /// The lowest number that no channel has, or 0.
    [[nodiscard]] std::uint16_t free_number() const;

    void add_user() noexcept { ++users_; }
    void drop_user() noexcept
    {
        if (--users_ == 0)
            close(closed_by_us());
    }
    [[nodiscard]] static engine::failure closed_by_us()
    {
        return engine::failure::of_library(errc::connection_closed, "the connection is closed");
    }
    /// The execution context goes away, and with it whoever waits.
    void abandoned() noexcept
    {
        if (far) // before the coroutines: one of them may wait for the broker's thread
            far->context_ends();
        waits.destroy_all();
        close(engine::failure::of_system(asio::error::operation_aborted,
                                         "its execution context was destroyed"));
    }

    void blocked(std::string_view why) noexcept override
    {
        is_blocked_ = true;
        blocked_reason = why;
    }
    void unblocked() noexcept override
    {
        is_blocked_ = false;
        blocked_reason.clear();
        room.ring_all();
    }

private:
    asio::any_io_executor executor_;
    std::size_t users_ = 0;
    int unyielding_ = 0;
    bool has_entered_ = false;
    bool is_open_ = false;
    bool is_blocked_ = false;
};

/// Lets others run.
[[nodiscard]] inline asio::awaitable<void> yield(asio::any_io_executor executor)
{
    co_await asio::post(executor, asio::use_awaitable);
}

} // namespace leveret::memory::detail
