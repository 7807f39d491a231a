#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/transport/memory/detail/channel_core.hpp"
#include "leveret/wire/content_header.hpp"
#include "leveret/wire/frame.hpp"

#include <asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::memory::detail {

/// Where a message goes and how; views into the caller's arguments.
struct publish_target {
    std::string_view exchange;
    std::string_view routing_key;
    bool mandatory = false;
    bool immediate = false;
};

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

/// Throws usage_error for what AMQP could not carry: what works here works there.
inline void check_publish(const publish_target& target, const leveret::properties* properties)
{
    if (target.exchange.size() > wire::short_string_max)
        throw_invalid_argument("basic.publish: the exchange name is longer than 255 bytes");
    if (target.routing_key.size() > wire::short_string_max)
        throw_invalid_argument("basic.publish: the routing key is longer than 255 bytes");
    if (properties == nullptr || properties->flags() == 0)
        return;
    const std::string_view wrong = wire::unencodable(*properties);
    if (!wrong.empty())
        throw_invalid_argument("basic.publish: the property " + std::string(wrong) +
                               " is longer than 255 bytes, or its table has such a name or is nested "
                               "too deep: AMQP can't carry it");
    if (wire::encoded_size(*properties) + wire::content_header_size + wire::frame_overhead >
        connection_core::frame_max)
        throw_invalid_argument("basic.publish: the properties do not fit into one frame of " +
                               std::to_string(connection_core::frame_max) + " bytes");
}

[[nodiscard]] inline pending_publish prepare_publish(const local_ptr<channel_core>& channel,
                                                     const publish_target& target,
                                                     const leveret::properties* properties, payload body)
{
    check_publish(target, properties);
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
        r.properties = channel->ch->share(*properties);
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
                      "the broker to unblock the connection (" + escaped(c.connection->blocked_reason) + ")",
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
    c.tell(wire::confirm::select::id, [](leveret::broker::channel& ch) { return ch.select_confirms(); });
    c.is_confirming = true;
}

/// Waits for the confirmation of one publish.
class confirm_call final : public engine::confirm_listener {
public:
    explicit confirm_call(channel_core& c) : bell(c.connection->waits, c.connection->deadlines), channel_(c) {}
    confirm_call(const confirm_call&) = delete;
    confirm_call& operator=(const confirm_call&) = delete;
    ~confirm_call()
    {
        if (!is_done)
            channel_.publishes.forget(*this);
    }
    void confirmed(std::uint64_t, std::size_t, std::size_t, publish_outcome outcome) noexcept override
    {
        finish(publish_result(outcome));
    }
    void returned(std::uint64_t, std::size_t, std::uint16_t code, std::string text) noexcept override
    {
        finish(publish_result(static_cast<reply_code>(code), std::move(text)));
    }

    timed_bell bell;
    publish_result result;
    bool is_done = false;

private:
    void finish(publish_result r) noexcept
    {
        result = std::move(r);
        is_done = true;
        bell.bell.ring();
    }
    channel_core& channel_;
};

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
    confirm_call wait(c);
    c.publish(p.request(), &wait, 1);
    wait.bell.arm(deadline);
    connection.rearm();
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
