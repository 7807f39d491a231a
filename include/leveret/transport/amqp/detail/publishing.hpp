#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/engine/confirms.hpp"
#include "leveret/transport/amqp/detail/channel_core.hpp"
#include "leveret/transport/amqp/detail/publish_request.hpp"
#include "leveret/transport/detail/throw_failure.hpp"
#include "leveret/transport/detail/confirm_call.hpp"
#include "leveret/transport/detail/publish_checks.hpp"

#include <asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::amqp::detail {

/// A publish that was called and not yet awaited; its memory goes back to the connection's pool.
class pending_publish {
public:
    explicit pending_publish(const local_ptr<channel_core>& channel)
        : request_(channel->connection->requests.take())
    {
        request_->channel = channel;
    }
    pending_publish(pending_publish&& o) noexcept : request_(std::exchange(o.request_, nullptr)) {}
    pending_publish& operator=(pending_publish&&) = delete;
    ~pending_publish()
    {
        if (request_ != nullptr)
            give_back();
    }
    [[nodiscard]] channel_core& channel() const noexcept { return *request_->channel; }
    [[nodiscard]] publish_request& request() const noexcept { return *request_; }

private:
    void give_back() noexcept
    {
        // The channel may be the last that keeps the connection, and so the pool.
        const local_ptr<channel_core> channel = std::move(request_->channel);
        channel->connection->requests.give_back(request_);
    }

    publish_request* request_;
};

/// Checks and encodes, to be written when it is awaited.
[[nodiscard]] inline pending_publish prepare_publish(const local_ptr<channel_core>& channel,
                                                     const publish_target& target,
                                                     const leveret::properties* properties,
                                                     std::string_view body, const payload* shared)
{
    check_publish(target, properties, channel->connection->engine.frame_max());
    pending_publish p(channel);
    p.request().encode(channel->number(), channel->connection->engine.frame_max(), target, properties,
                       body, shared);
    return p;
}

/// Counts a publish that was put into the output, and sees to its being written.
/// `mark` gives the publish's fingerprint, if that is needed.
template <class Mark>
std::uint64_t note_published(channel_core& c, std::size_t body_size, Mark mark,
                             engine::confirm_listener* listener = nullptr, std::uint64_t own_number = 0)
{
    /// From this much on a write is started without waiting for the end of the turn.
    constexpr std::size_t eager_write = 64 * 1024;
    connection_core& connection = *c.connection;
    connection.engine.note_output();
    std::uint64_t number = 0;
    if (c.is_confirming())
        number = c.publishes().published(listener, own_number, body_size, mark());
    if (connection.engine.output().size() >= eager_write)
        connection.flush();
    else
        connection.flush_soon();
    return number;
}

/// Encodes a small message straight into the output. The channel must have room.
inline void write_publish_now(channel_core& c, const publish_target& target,
                              const leveret::properties* properties, std::string_view body)
{
    engine::client& engine = c.connection->engine;
    const publish_sizes sizes(engine.frame_max(), target, properties, body.size());
    char* start = engine.output().append(sizes.whole(body.size()));
    char* p = write_head(start, c.number(), sizes, target, properties, body.size());
    write_body(p, c.number(), sizes, body);
    note_published(c, body.size(), [start] { return mark_of(start, {}); });
}

/// Puts the frames into the output; returns the publish's number on a confirm-mode channel, else 0.
/// `listener` knows it as `own_number`.
inline std::uint64_t write_publish(const pending_publish& p,
                                   engine::confirm_listener* listener = nullptr,
                                   std::uint64_t own_number = 0)
{
    publish_request& request = p.request();
    request.submit(p.channel().connection->engine.output());
    return note_published(p.channel(), request.body_size, [&request] { return request.mark(); }, listener, own_number);
}

// Waiting for room is spelled out in each coroutine that does it, `enter_room`, a wait, `check_room`: a
// coroutine of its own would be the third frame at once, and Asio keeps the memory of only two.

/// Queues for room in the output. Throws when there never will be any.
inline void enter_room(channel_core& c, timed_bell& bell, instant deadline)
{
    if (!c.is_open())
        throw_failure(c.reason(), "basic.publish", fate::never_sent);
    c.connection->room.enter(bell);
    bell.arm(deadline);
    c.connection->rearm();
}

/// After the wait: throws if it was in vain.
inline void check_room(const channel_core& c, io::wake why)
{
    const connection_core& connection = *c.connection;
    if (why == io::wake::cancelled)
        throw_cancelled("basic.publish", fate::never_sent, c.number());
    if (why == io::wake::timed_out && !c.can_publish())
        throw_timeout("basic.publish",
                      connection.engine.is_blocked() ? "the broker to unblock the connection (" +
                                                           escaped(connection.blocked_reason) + ")"
                      : !c.flow_active() ? std::string("the broker to resume the channel's flow")
                                         : std::string("room in the output buffer"),
                      fate::never_sent, c.number());
}

[[nodiscard]] inline asio::awaitable<void> submit(pending_publish p, duration timeout)
{
    channel_core& c = p.channel();
    if (!c.can_publish()) {
        connection_core& connection = *c.connection;
        const instant deadline = connection.deadline_after(timeout);
        const waits_for_server reading(connection);
        while (!c.can_publish()) {
            timed_bell bell(connection.waits, connection.engine.deadlines());
            enter_room(c, bell, deadline);
            const io::wake why = co_await bell.bell.wait();
            check_room(c, why);
        }
    }
    write_publish(p);
}

/// Puts the channel into confirm mode without waiting: the broker reads in order.
inline void start_confirming(channel_core& c)
{
    if (c.is_confirming())
        return;
    if (c.is_transactional())
        throw_invalid_argument("a channel in a transaction can't have publisher confirms: use another");
    c.connection->engine.request(c, wire::confirm::select{}, wire::confirm::select_ok::id, nullptr,
                                 instant::never());
}

[[nodiscard]] inline asio::awaitable<publish_result> submit_confirmed(pending_publish p, duration timeout)
{
    channel_core& c = p.channel();
    connection_core& connection = *c.connection;
    const instant deadline = connection.deadline_after(timeout);
    const waits_for_server reading(connection);
    while (!c.can_publish()) {
        timed_bell bell(connection.waits, connection.engine.deadlines());
        enter_room(c, bell, deadline);
        const io::wake why = co_await bell.bell.wait();
        check_room(c, why);
    }
    start_confirming(c);
    confirm_call wait(connection.waits, connection.engine.deadlines(), c.publishes());
    wait.number = write_publish(p, &wait);
    wait.bell.arm(deadline);
    connection.rearm();
    while (!wait.is_done) {
        if (!c.is_open())
            throw_failure(c.reason(), "basic.publish", fate::unknown);
        c.over.enter(wait.bell);
        const io::wake why = co_await wait.bell.bell.wait();
        c.over.leave(wait.bell);
        if (wait.is_done)
            break;
        if (why == io::wake::timed_out)
            throw_timeout("basic.publish", "the broker's confirmation", fate::unknown, c.number());
        if (why == io::wake::cancelled)
            throw_cancelled("basic.publish", fate::unknown, c.number());
    }
    co_return std::move(wait.result);
}

} // namespace leveret::amqp::detail
