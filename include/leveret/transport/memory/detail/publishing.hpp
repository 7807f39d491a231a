#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/transport/detail/confirm_call.hpp"
#include "leveret/transport/detail/publish_checks.hpp"
#include "leveret/transport/memory/detail/asking.hpp"
#include "leveret/transport/memory/detail/channel_core.hpp"
#include "leveret/transport/memory/detail/far_events.hpp"
#include "leveret/wire/content_header.hpp"
#include "leveret/wire/frame.hpp"

#include <asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::memory::detail {

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
        if (request_ == nullptr)
            return;
        const local_ptr<channel_core> channel = std::move(request_->channel); // it may be the last
        channel->connection->requests.give_back(request_);
    }
    [[nodiscard]] channel_core& channel() const noexcept { return *request_->channel; }
    [[nodiscard]] publish_request& request() const noexcept { return *request_; }

private:
    publish_request* request_;
};

/// Properties for a broker on another executor; the last ones once more if they are the same.
[[nodiscard]] inline std::shared_ptr<const properties> shared_properties_of(far_channel& c, const properties& p)
{
    if (!c.last_properties || *c.last_properties != p)
        c.last_properties = std::make_shared<const properties>(p);
    return c.last_properties;
}

[[nodiscard]] inline pending_publish prepare_publish(const local_ptr<channel_core>& channel,
                                                     const publish_target& target,
                                                     const leveret::properties* properties, payload body)
{
    check_publish(target, properties, connection_core::frame_max); // what works here works over a socket
    pending_publish p(channel);
    publish_request& r = p.request();
    r.exchange = target.exchange;
    r.routing_key = target.routing_key;
    r.body = std::move(body);
    r.mandatory = target.mandatory;
    r.immediate = target.immediate;
    r.is_timed = false;
    if (properties != nullptr && properties->flags() != 0 && channel->is_open()) {
        r.is_timed = properties->has(property::expiration);
        if (channel->ch)
            r.properties = channel->ch->share(*properties);
        else
            r.far_properties = shared_properties_of(*channel->far, *properties);
    }
    return p;
}

/// Queues for room. Throws when there never will be any.
inline void enter_room(channel_core& c, timed_bell& bell, instant deadline)
{
    if (!c.is_open())
        throw_failure(c.reason, "basic.publish", fate::never_sent);
    c.connection->room.enter(bell);
    bell.arm(deadline);
    c.connection->rearm();
}
/// After the wait: throws if it was in vain.
inline void check_room(const channel_core& c, io::wake why)
{
    if (why == io::wake::cancelled)
        throw_cancelled("basic.publish", fate::never_sent, c.number);
    if (why == io::wake::timed_out && !c.can_publish())
        throw_timeout("basic.publish",
                      c.connection->is_blocked() ? "the broker to unblock the connection (" +
                                                       escaped(c.connection->blocked_reason) + ")"
                                                 : "the broker, whose executor is another one, to take messages",
                      fate::never_sent, c.number);
}

[[nodiscard]] inline asio::awaitable<void> submit(pending_publish p, duration timeout)
{
    channel_core& c = p.channel();
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
    c.publish(p.request());
}

inline void start_confirming(channel_core& c)
{
    if (c.is_confirming)
        return;
    if (c.is_transactional)
        throw_invalid_argument("a channel in a transaction can't have publisher confirms: use another");
    if (!c.is_open())
        return; // and that is what the publish tells
    c.is_confirming = true;
    tell_only(c, wire::confirm::select::id, [](at_broker& b) { return b.channel.select_confirms(); });
}

[[nodiscard]] inline asio::awaitable<publish_result> submit_confirmed(pending_publish p, duration timeout)
{
    channel_core& c = p.channel();
    connection_core& connection = *c.connection;
    if (connection.must_yield())
        co_await yield(connection.executor());
    const instant deadline = connection.deadline_after(timeout);
    while (!c.can_publish()) {
        timed_bell bell(connection.waits, connection.deadlines);
        enter_room(c, bell, deadline);
        const io::wake why = co_await bell.bell.wait();
        check_room(c, why);
    }
    start_confirming(c);
    c.check_open(wire::basic::publish::id);
    confirm_call wait(connection.waits, connection.deadlines, c.publishes);
    wait.number = c.publish(p.request(), &wait, 1);
    wait.bell.arm(deadline);
    connection.rearm();
    if (!connection.is_near())
        connection.far->show_published();
    while (!wait.is_done) {
        if (!c.is_open())
            throw_failure(c.reason, "basic.publish", fate::unknown);
        c.over.enter(wait.bell);
        const io::wake why = co_await wait.bell.bell.wait();
        c.over.leave(wait.bell);
        if (wait.is_done)
            break;
        if (why == io::wake::timed_out)
            throw_timeout("basic.publish", "the broker's confirmation", fate::unknown, c.number);
        if (why == io::wake::cancelled)
            throw_cancelled("basic.publish", fate::unknown, c.number);
    }
    co_return std::move(wait.result);
}

} // namespace leveret::memory::detail
