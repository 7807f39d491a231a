// The operations of amqp::channel that are more than a question and its answer. Included by channel.hpp.
#pragma once

#include "leveret/transport/amqp/channel.hpp"

#include <asio/cancellation_type.hpp>
#include <asio/this_coro.hpp>

namespace leveret::amqp {

inline bool channel::settle(std::uint64_t tag, engine::settlement how, bool multiple)
{
    if (!core_)
        return false;
    engine::client& engine = core_->connection->engine;
    const bool news =
        multiple ? engine.settle_up_to(*core_, tag, how) != 0 : engine.settle(*core_, tag, how);
    if (news)
        core_->connection->flush_soon();
    return news;
}

inline bool channel::try_submit(const detail::publish_target& target,
                                const leveret::properties* properties, std::string_view body,
                                const payload* shared)
{
    detail::channel_core& c = core();
    detail::check_publish(target, properties, c.connection->engine.frame_max());
    if (!c.is_open())
        detail::throw_failure(c.reason(), "basic.publish", fate::never_sent);
    if (!c.can_publish())
        return false;
    if (body.size() < detail::gather_threshold)
        detail::write_publish_now(c, target, properties, body);
    else
        detail::write_publish(detail::prepare_publish(core_, target, properties, body, shared));
    return true;
}

inline asio::awaitable<queue_info> channel::declared(core_ptr core, detail::encoded_request request,
                                                     std::string name)
{
    const bool no_wait = request.no_wait;
    engine::reply r = co_await detail::ask(core, std::move(request));
    if (no_wait)
        co_return queue_info(std::move(name), 0, 0);
    const bool as_asked = name.empty() ? !r.name.empty() : r.name == name;
    if (!as_asked) {
        leveret::diagnostics d;
        d.operation = "queue.declare";
        d.channel = core->number();
        throw channel_error(make_error_code(errc::queue_name),
                            "queue.declare: asked for '" + escaped(name) + "', the broker answered for '" +
                                escaped(r.name) + "'",
                            std::move(d));
    }
    co_return queue_info(std::move(r.name), r.message_count, r.consumer_count);
}

inline asio::awaitable<consumer> channel::consume(std::string_view queue, consume_options o)
{
    const std::string arguments =
        detail::encode_arguments(detail::consume_arguments(o), "basic.consume");
    const std::string tag = o.tag.empty() ? core().new_tag() : std::string(o.tag);
    for (const detail::consumer_core* c : core_->consumers)
        if (c->has_tag && c->tag == tag) // RabbitMQ would end the whole connection with 530
            throw_invalid_argument("basic.consume: this channel has a consumer with the tag '" +
                                   escaped(tag) + "' already");
    if (core_->is_still_starting(tag)) // and for this
        throw_invalid_argument("basic.consume: a consumer with the tag '" + escaped(tag) +
                               "', which timed out or was cancelled, is not answered yet: use another tag");
    wire::basic::consume m;
    m.queue = queue;
    m.consumer_tag = tag;
    m.no_local = o.no_local;
    m.no_ack = o.no_ack;
    m.exclusive = o.exclusive;
    m.arguments = {arguments};
    auto request = detail::encode_request(*core_, m, wire::basic::consume_ok::id, o.timeout);
    local_ptr<detail::consumer_core> consumer(new detail::consumer_core(core_, tag, o.no_ack));
    consumer->is_numbered = queue != "amq.rabbitmq.reply-to";
    return consuming(core_, std::move(consumer), std::move(request), o.prefetch);
}

inline asio::awaitable<consumer> channel::consuming(core_ptr core, local_ptr<detail::consumer_core> c,
                                                    detail::encoded_request request,
                                                    std::optional<std::uint16_t> prefetch)
{
    using status = detail::consumer_core::status;
    // Not sent without need: it makes RabbitMQ forget a limit of the whole channel.
    if (!c->no_ack && core->is_open() && (prefetch || !core->prefetch_is_told)) {
        core->prefetch_is_told = !prefetch;
        wire::basic::qos qos;
        qos.prefetch_count = prefetch.value_or(core->prefetch);
        core->connection->engine.request(*core, qos, wire::basic::qos_ok::id, nullptr, instant::never());
    }
    c->state = status::starting;
    c->is_told = true;
    const engine::reply r = co_await detail::ask(core, std::move(request));
    if (r.name != c->tag) {
        leveret::diagnostics d;
        d.operation = "basic.consume";
        d.channel = core->number();
        throw channel_error(make_error_code(errc::wrong_state),
                            "basic.consume: the broker answered for another consumer tag", std::move(d));
    }
    if (c->state == status::starting)
        c->state = status::active;
    co_return consumer(std::move(c));
}

inline asio::awaitable<void> channel::prefetch_set(core_ptr core, detail::encoded_request request,
                                                   std::uint16_t count, bool global)
{
    if (!global)
        core->prefetch = count;
    core->prefetch_is_told = true;
    co_await detail::ask_nothing(core, std::move(request));
}

inline asio::awaitable<std::optional<delivery>> channel::got(core_ptr core,
                                                             detail::encoded_request request)
{
    detail::connection_core& connection = *core->connection;
    detail::call op(connection.waits);
    detail::call_scope scope(connection, core.get(), op);
    connection.engine.request(*core, request.frame, request.method, request.answer, &op,
                              connection.deadline_after(request.timeout), request.no_ack);
    connection.touched();
    while (op.is_waiting()) {
        const io::wake why = co_await op.bell.wait();
        if (why == io::wake::cancelled)
            break;
    }
    detail::check_call(op, request.name, core->number());
    if (!op.message)
        co_return std::nullopt;
    co_return delivery(op.needs_ack ? core.get() : nullptr, std::move(op.message));
}

inline asio::awaitable<returned_message> channel::returned(core_ptr core, duration timeout)
{
    detail::connection_core& connection = *core->connection;
    const instant deadline = connection.deadline_after(timeout);
    while (core->returns.empty()) {
        if (!core->is_open())
            detail::throw_failure(core->reason(), "next_return", fate::never_sent);
        detail::timed_bell bell(connection.waits, connection.engine.deadlines());
        core->return_readers.enter(bell);
        bell.arm(deadline);
        connection.rearm();
        const io::wake why = co_await bell.bell.wait();
        const auto state = co_await asio::this_coro::cancellation_state;
        if (why != io::wake::cancelled && state.cancelled() == asio::cancellation_type::none &&
            !core->returns.empty())
            break;
        if (why == io::wake::timed_out && core->returns.empty())
            detail::throw_timeout("next_return", "a returned message", fate::never_sent, core->number());
        if (why == io::wake::cancelled || state.cancelled() != asio::cancellation_type::none)
            detail::throw_cancelled("next_return", fate::never_sent, core->number());
    }
    returned_message first = core->returns.pop_front();
    core->returned_bytes -= detail::channel_core::size_of(first.message());
    co_return std::move(first);
}

inline asio::awaitable<void> channel::recovered(core_ptr core, detail::encoded_request request)
{
    core->drop_waiting();
    co_await detail::ask_nothing(core, std::move(request));
}

inline asio::awaitable<void> channel::closed(core_ptr core, duration timeout)
{
    if (!core || core->state() == engine::channel_state::closed)
        co_return;
    detail::connection_core& connection = *core->connection;
    const instant deadline = connection.deadline_after(timeout);
    while (core->state() == engine::channel_state::closing) { // somebody else closes it
        detail::timed_bell bell(connection.waits, connection.engine.deadlines());
        core->closed_readers.enter(bell);
        bell.arm(deadline);
        connection.rearm();
        const io::wake why = co_await bell.bell.wait();
        if (core->state() == engine::channel_state::closed)
            co_return;
        if (why == io::wake::timed_out)
            detail::throw_timeout("channel.close", "the broker's answer", fate::unknown, core->number());
        if (why == io::wake::cancelled)
            detail::throw_cancelled("channel.close", fate::unknown, core->number());
    }
    if (core->state() == engine::channel_state::closed)
        co_return;
    detail::call op(connection.waits);
    detail::call_scope scope(connection, core.get(), op);
    connection.engine.close_channel(*core, &op, connection.deadline_after(timeout));
    core->on_closed();
    connection.touched();
    while (op.is_waiting()) {
        const io::wake why = co_await op.bell.wait();
        if (why == io::wake::cancelled)
            break;
    }
    detail::check_call(op, "channel.close", core->number());
}

} // namespace leveret::amqp
