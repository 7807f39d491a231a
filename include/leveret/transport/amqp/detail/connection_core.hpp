#pragma once

#include "leveret/core/local_ptr.hpp"
#include "leveret/engine/client.hpp"
#include "leveret/io/doorbell.hpp"
#include "leveret/transport/amqp/detail/call.hpp"
#include "leveret/transport/amqp/detail/publish_request.hpp"
#include "leveret/transport/detail/waiting.hpp"

#include <asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::amqp::detail {

using namespace leveret::transport_detail; // what all transports share

class channel_core;

/// What a connection may keep in memory, each with its default.
struct buffer_limits {
    /// Publishing waits while this much is on its way to the socket, and goes on at half of it.
    std::size_t output_high_water = 512 * 1024;
    /// The socket is not read while deliveries of this size wait for their consumers...
    std::size_t backlog_high_water = 16 * 1024 * 1024;
    /// ...or, while an answer is awaited, which must still get through, of this size.
    std::size_t backlog_hard_limit = 64 * 1024 * 1024;
};

/// State of a connection, shared by its handle, its channels and all that they gave out. What needs a
/// socket or a clock is left to the driver, which derives from this. One executor.
class connection_core : public local_counted {
public:
    connection_core(asio::any_io_executor executor, engine::client_config config)
        : engine(std::move(config)), executor_(std::move(executor))
    {
    }
    virtual ~connection_core() { received.abandon(); }

    engine::client engine;
    io::wait_list waits;
    buffer_limits limits;
    request_pool requests;
    received_pool& received = *new received_pool; ///< may outlive the connection: see there

    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
    [[nodiscard]] virtual instant now() const noexcept = 0;
    /// Sees to it that output is written soon, once for all that is appended in this turn.
    virtual void schedule_flush() = 0;
    /// Starts writing at once.
    virtual void flush() = 0;
    /// The engine may have an earlier deadline now.
    virtual void rearm() = 0;
    /// Reading may go on, or an answer is awaited.
    virtual void resume_reading() noexcept = 0;
    /// Our close was started: sees it through.
    virtual void closing() = 0;
    /// Nothing is read or written any more.
    [[nodiscard]] virtual bool is_over() const noexcept = 0;
    /// Nobody holds the connection any more: close it in the background.
    virtual void let_go() noexcept = 0;

    /// schedule_flush, for hot paths: nothing if it is on its way already.
    void flush_soon()
    {
        if (!flush_pending_)
            schedule_flush();
    }

    /// After anything was asked of the engine: sees to output and deadlines.
    void touched()
    {
        schedule_flush();
        rearm();
    }

    /// When an operation with this timeout must be over.
    [[nodiscard]] instant deadline_after(duration timeout) const noexcept
    {
        return timeout.is_never() ? instant::never() : now() + timeout;
    }

    /// Handles of users: the connection's own and one for each channel.
    void add_user() noexcept { ++users_; }
    void drop_user() noexcept
    {
        if (--users_ == 0)
            let_go();
    }

    // Publishing.
    [[nodiscard]] bool has_room() const noexcept
    {
        return engine.is_open() && !engine.is_blocked() &&
               engine.output().size() < limits.output_high_water;
    }
    std::vector<channel_core*> channels;
    wait_queue room;       ///< those who wait to publish
    wait_queue until_over; ///< those who wait for the connection to be closed

    // Deliveries that wait for their consumers.
    [[nodiscard]] std::size_t backlog() const noexcept { return backlog_; }
    /// Counts the blocks that deliveries wait in: it is a whole block that they keep from being used again.
    /// Their records are not counted; they take no more than twice as much.
    void add_waiting(shared_block& block) noexcept
    {
        if (block.add_waiting())
            backlog_ += block.capacity();
    }
    void drop_waiting(shared_block& block) noexcept
    {
        if (!block.drop_waiting())
            return;
        backlog_ -= block.capacity();
        if (read_paused_ && wants_input())
            resume_reading();
    }
    /// Operations that wait for an answer.
    void add_call()
    {
        if (calls_++ == 0 && read_paused_)
            resume_reading();
    }
    void drop_call() noexcept { --calls_; }
    [[nodiscard]] bool wants_input() const noexcept
    {
        return backlog_ < (calls_ == 0 ? limits.backlog_high_water : limits.backlog_hard_limit);
    }

    std::string blocked_reason;
    std::exception_ptr input_error; ///< what was thrown while input was handled, by a user's sasl_mechanism say

protected:
    bool read_paused_ = false;   ///< the socket is not read, for the backlog's sake
    bool flush_pending_ = false; ///< a flush is posted or a write is under way

private:
    asio::any_io_executor executor_;
    std::size_t users_ = 0;
    std::size_t backlog_ = 0;
    std::size_t calls_ = 0;
};

/// While it lives somebody waits for what the server will say, and it is read though consumers lag.
class waits_for_server {
public:
    explicit waits_for_server(connection_core& c) : connection_(c) { connection_.add_call(); }
    waits_for_server(const waits_for_server&) = delete;
    waits_for_server& operator=(const waits_for_server&) = delete;
    ~waits_for_server() { connection_.drop_call(); }

private:
    connection_core& connection_;
};

} // namespace leveret::amqp::detail
