#pragma once

#include "leveret/core/options.hpp"
#include "leveret/transport/amqp/detail/channel_core.hpp"
#include "leveret/transport/detail/throw_failure.hpp"
#include "leveret/transport/detail/waiting.hpp"
#include "leveret/wire/method.hpp"

#include <asio/awaitable.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace leveret::amqp::detail {

/// A request as bytes, made when the operation is called and sent when it is awaited.
struct encoded_request {
    encoded_request() = default;
    std::string frame;
    std::string_view name; ///< static: the method's
    wire::method_number method;
    wire::method_number answer;
    duration timeout = default_timeout;
    bool no_ack = false;
    bool no_wait = false;
};

/// Encodes the method for its channel. Throws usage_error if a text is above 255 bytes, or if the
/// method does not fit a frame.
template <wire::method Request>
[[nodiscard]] encoded_request encode_request(const channel_core& channel, const Request& m,
                                             wire::method_number answer, duration timeout)
{
    if (!wire::fits(m))
        throw_invalid_argument(std::string(Request::name) +
                               ": a name or text is longer than 255 bytes, which AMQP can't carry");
    const std::size_t size = wire::frame_size(m);
    if (size > channel.connection->engine.frame_max() && channel.connection->engine.is_open())
        throw_invalid_argument(std::string(Request::name) + ": the arguments take " +
                               std::to_string(size) + " bytes, more than the negotiated frame_max of " +
                               std::to_string(channel.connection->engine.frame_max()));
    encoded_request r;
    r.frame.resize(size);
    wire::writer out(r.frame.data(), size);
    wire::encode_frame(out, channel.number(), m);
    r.name = Request::name;
    r.method = Request::id;
    r.answer = answer;
    r.timeout = timeout;
    if constexpr (requires { m.no_wait; })
        r.no_wait = m.no_wait;
    if constexpr (requires { m.no_ack; })
        r.no_ack = m.no_ack;
    return r;
}

/// Keeps a call known to the engine exactly as long as its coroutine waits.
class call_scope {
public:
    call_scope(connection_core& connection, channel_core* channel, call& op)
        : connection_(connection), channel_(channel), op_(op)
    {
        connection_.add_call();
    }
    call_scope(const call_scope&) = delete;
    call_scope& operator=(const call_scope&) = delete;
    ~call_scope()
    {
        connection_.drop_call();
        if (op_.state() != engine::operation::status::done)
            connection_.engine.abandon(channel_, op_);
    }

private:
    connection_core& connection_;
    channel_core* channel_;
    call& op_;
};

/// What became of a call that does not wait any more, as an exception unless it went well.
inline void check_call(const call& op, std::string_view name, std::uint16_t channel)
{
    using status = engine::operation::status;
    switch (op.state()) {
    case status::done: return;
    case status::failed: {
        const engine::failure& why = op.reason();
        const bool refused = why.code.category() == amqp_category() && why.channel != 0;
        throw_failure(why, name, refused ? fate::refused : fate::unknown);
    }
    case status::timed_out: throw_timeout(name, "the broker's answer", fate::unknown, channel);
    default: throw_cancelled(name, fate::unknown, channel);
    }
}

/// Sends a request and waits for its answer. The channel stays usable whatever happens.
inline asio::awaitable<engine::reply> ask(local_ptr<channel_core> channel, encoded_request request)
{
    connection_core& connection = *channel->connection;
    if (request.no_wait) {
        if (!channel->is_open())
            throw_failure(channel->reason(), request.name, fate::never_sent);
        connection.engine.send(*channel, request.frame);
        connection.touched();
        co_return engine::reply();
    }
    call op(connection.waits);
    call_scope scope(connection, channel.get(), op);
    connection.engine.request(*channel, request.frame, request.method, request.answer, &op,
                              connection.deadline_after(request.timeout), request.no_ack);
    connection.touched();
    while (op.is_waiting()) {
        const io::wake why = co_await op.bell.wait();
        if (why == io::wake::cancelled)
            break;
    }
    check_call(op, request.name, channel->number());
    co_return std::move(op.result());
}

inline asio::awaitable<void> ask_nothing(local_ptr<channel_core> channel, encoded_request request)
{
    static_cast<void>(co_await ask(std::move(channel), std::move(request)));
}

/// For answers that count messages.
inline asio::awaitable<std::uint32_t> ask_count(local_ptr<channel_core> channel, encoded_request request)
{
    const engine::reply r = co_await ask(std::move(channel), std::move(request));
    co_return r.message_count;
}

} // namespace leveret::amqp::detail
