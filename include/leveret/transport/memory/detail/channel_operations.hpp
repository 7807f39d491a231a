// The operations of memory::channel. Included by channel.hpp.
#pragma once

#include "leveret/transport/memory/channel.hpp"

#include <asio/cancellation_state.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/this_coro.hpp>

namespace leveret::memory {

namespace detail {

/// Throws usage_error for what AMQP could not carry.
inline void check_names(std::string_view operation, std::initializer_list<std::string_view> names)
{
    for (const std::string_view n : names)
        if (n.size() > wire::short_string_max)
            throw_invalid_argument(std::string(operation) +
                                   ": a name or text is longer than 255 bytes, which AMQP can't carry");
}
inline void check_arguments(std::string_view operation, const table& t)
{
    if (wire::encoded_size(t) + 1024 > connection_core::frame_max)
        throw_invalid_argument(std::string(operation) + ": the arguments do not fit into a frame of " +
                               std::to_string(connection_core::frame_max) + " bytes");
    static_cast<void>(encode_arguments(t, operation)); // or throws
}
[[nodiscard]] inline table table_of(const table_ref& arguments, std::string_view operation)
{
    if (arguments.get() == nullptr)
        return {};
    check_arguments(operation, *arguments.get());
    return *arguments.get();
}
[[nodiscard]] inline const table* or_null(const table& t) noexcept { return t.empty() ? nullptr : &t; }

/// Arguments on which something depends that happens with time, or that tells of time.
[[nodiscard]] inline bool is_timed(const table& arguments) noexcept
{
    return arguments.find("x-message-ttl") != nullptr || arguments.find("x-expires") != nullptr ||
           arguments.find("x-dead-letter-exchange") != nullptr;
}

} // namespace detail

inline asio::awaitable<void> channel::declare_exchange(std::string_view name, std::string_view type,
                                                       exchange_options o)
{
    detail::check_names("exchange.declare", {name, type});
    table arguments = detail::exchange_arguments(o);
    detail::check_arguments("exchange.declare", arguments);
    o.alternate_exchange = {};
    o.arguments = {};
    return ask(wire::exchange::declare::id, [name = std::string(name), type = std::string(type), o,
                                             arguments = std::move(arguments)](leveret::broker::channel& c) {
        return c.declare_exchange({name, type, o.passive, o.durable, o.auto_delete, o.internal,
                                   detail::or_null(arguments)});
    }, o.no_wait);
}

inline asio::awaitable<void> channel::delete_exchange(std::string_view name, delete_exchange_options o)
{
    detail::check_names("exchange.delete", {name});
    return ask(wire::exchange::delete_::id, [name = std::string(name), o](leveret::broker::channel& c) {
        return c.delete_exchange(name, o.if_unused);
    }, o.no_wait);
}

inline asio::awaitable<void> channel::bind_exchange(std::string_view destination, std::string_view source,
                                                    std::string_view routing_key, bind_options o)
{
    detail::check_names("exchange.bind", {destination, source, routing_key});
    return ask(wire::exchange::bind::id,
               [to = std::string(destination), from = std::string(source), key = std::string(routing_key),
                arguments = detail::table_of(o.arguments, "exchange.bind")](leveret::broker::channel& c) {
                   return c.bind_exchange({from, to, key, detail::or_null(arguments)});
               },
               o.no_wait);
}

inline asio::awaitable<void> channel::unbind_exchange(std::string_view destination, std::string_view source,
                                                      std::string_view routing_key, bind_options o)
{
    detail::check_names("exchange.unbind", {destination, source, routing_key});
    return ask(wire::exchange::unbind::id,
               [to = std::string(destination), from = std::string(source), key = std::string(routing_key),
                arguments = detail::table_of(o.arguments, "exchange.unbind")](leveret::broker::channel& c) {
                   return c.unbind_exchange({from, to, key, detail::or_null(arguments)});
               },
               o.no_wait);
}

inline asio::awaitable<queue_info> channel::declare_queue(std::string_view name, queue_options o)
{
    detail::check_names("queue.declare", {name});
    table arguments = detail::queue_arguments(o);
    detail::check_arguments("queue.declare", arguments);
    const bool passive = o.passive, durable = o.durable, exclusive = o.exclusive, auto_delete = o.auto_delete;
    const bool no_wait = o.no_wait;
    return perform<queue_info>(
        shared_core(), [=, name = std::string(name), arguments = std::move(arguments)](detail::channel_core& c) {
            if (detail::is_timed(arguments))
                c.connection->home->begin_to_be_timed();
            const auto declare = [&](leveret::broker::channel& ch) {
                return ch.declare_queue(
                    {name, passive, durable, exclusive, auto_delete, detail::or_null(arguments)});
            };
            if (no_wait) {
                c.tell_only(wire::queue::declare::id, declare);
                return queue_info(name, 0, 0);
            }
            auto r = c.run(wire::queue::declare::id, declare);
            return queue_info(std::move(r->name), static_cast<std::uint32_t>(r->message_count),
                              static_cast<std::uint32_t>(r->consumer_count));
        });
}

inline asio::awaitable<std::uint32_t> channel::delete_queue(std::string_view name, delete_queue_options o)
{
    detail::check_names("queue.delete", {name});
    return perform<std::uint32_t>(shared_core(), [name = std::string(name), o](detail::channel_core& c) -> std::uint32_t {
        const auto remove = [&](leveret::broker::channel& ch) {
            return ch.delete_queue(name, o.if_unused, o.if_empty);
        };
        if (o.no_wait) {
            c.tell_only(wire::queue::delete_::id, remove);
            return 0U;
        }
        return static_cast<std::uint32_t>(*c.run(wire::queue::delete_::id, remove));
    });
}

inline asio::awaitable<std::uint32_t> channel::purge_queue(std::string_view name, call_options)
{
    detail::check_names("queue.purge", {name});
    return perform<std::uint32_t>(shared_core(), [name = std::string(name)](detail::channel_core& c) {
        auto r = c.run(wire::queue::purge::id, [&](leveret::broker::channel& ch) { return ch.purge(name); });
        return static_cast<std::uint32_t>(*r);
    });
}

inline asio::awaitable<void> channel::bind_queue(std::string_view queue, std::string_view exchange,
                                                 std::string_view routing_key, bind_options o)
{
    detail::check_names("queue.bind", {queue, exchange, routing_key});
    return ask(wire::queue::bind::id,
               [to = std::string(queue), from = std::string(exchange), key = std::string(routing_key),
                arguments = detail::table_of(o.arguments, "queue.bind")](leveret::broker::channel& c) {
                   return c.bind_queue({from, to, key, detail::or_null(arguments)});
               },
               o.no_wait);
}

inline asio::awaitable<void> channel::unbind_queue(std::string_view queue, std::string_view exchange,
                                                   std::string_view routing_key, bind_options o)
{
    detail::check_names("queue.unbind", {queue, exchange, routing_key});
    return ask(wire::queue::unbind::id,
               [to = std::string(queue), from = std::string(exchange), key = std::string(routing_key),
                arguments = detail::table_of(o.arguments, "queue.unbind")](leveret::broker::channel& c) {
                   return c.unbind_queue({from, to, key, detail::or_null(arguments)});
               });
}

inline bool channel::try_submit(const detail::publish_target& target, const leveret::properties* properties,
                                payload body)
{
    detail::channel_core& c = core();
    const detail::pending_publish p = prepare(target, properties, std::move(body));
    if (!c.is_open())
        detail::throw_failure(c.reason, "basic.publish", fate::never_sent);
    if (!c.can_publish())
        return false;
    c.publish(p.request());
    return true;
}

inline asio::awaitable<void> channel::select_confirms(call_options)
{
    return perform<void>(shared_core(), [](detail::channel_core& c) {
        c.tell(wire::confirm::select::id, [](leveret::broker::channel& ch) { return ch.select_confirms(); });
        c.is_confirming = true;
    });
}

inline asio::awaitable<returned_message> channel::returned(core_ptr core, duration timeout)
{
    detail::connection_core& connection = *core->connection;
    const instant deadline = connection.deadline_after(timeout);
    while (core->returns.empty()) {
        if (!core->is_open())
            detail::throw_failure(core->reason, "next_return", fate::never_sent);
        detail::timed_bell bell(connection.waits, connection.deadlines);
        core->return_readers.enter(bell);
        bell.arm(deadline);
        connection.rearm();
        const io::wake why = co_await bell.bell.wait();
        const auto state = co_await asio::this_coro::cancellation_state;
        if (why == io::wake::cancelled || state.cancelled() != asio::cancellation_type::none)
            detail::throw_cancelled("next_return", fate::never_sent, core->number);
        if (why == io::wake::timed_out && core->returns.empty())
            detail::throw_timeout("next_return", "a returned message", fate::never_sent, core->number);
    }
    returned_message first = core->returns.pop_front();
    core->returned_bytes -= detail::channel_core::size_of(first.message());
    co_return std::move(first);
}

inline asio::awaitable<consumer> channel::consume(std::string_view queue, consume_options o)
{
    table arguments = detail::consume_arguments(o);
    detail::check_arguments("basic.consume", arguments);
    const std::string tag = o.tag.empty() ? core().new_tag() : std::string(o.tag);
    detail::check_names("basic.consume", {queue, tag});
    for (const detail::consumer_core* c : core_->consumers)
        if (c->has_tag && c->tag == tag) // RabbitMQ would end the whole connection with 530
            throw_invalid_argument("basic.consume: this channel has a consumer with the tag '" + escaped(tag) +
                                   "' already");
    local_ptr<detail::consumer_core> made(new detail::consumer_core(core_, tag, o.no_ack));
    made->is_numbered = queue != "amq.rabbitmq.reply-to";
    const bool exclusive = o.exclusive;
    const auto prefetch = o.prefetch;
    return perform<consumer>(core_, [=, queue = std::string(queue),
                                     arguments = std::move(arguments)](detail::channel_core& c) {
        if (!made->no_ack && c.is_open() && (prefetch || !c.prefetch_is_told)) {
            c.prefetch_is_told = !prefetch;
            const std::uint16_t limit = prefetch.value_or(c.prefetch);
            c.tell(wire::basic::qos::id,
                  [&](leveret::broker::channel& ch) { return ch.set_prefetch(0, limit, false); });
        }
        made->state = detail::consumer_core::status::active; // before deliveries may come, or something throws
        c.tell(wire::basic::consume::id, [&](leveret::broker::channel& ch) {
            return ch.consume({queue, made->tag, made->no_ack, exclusive, detail::or_null(arguments), made.get()});
        });
        return consumer(made);
    });
}

inline asio::awaitable<std::optional<delivery>> channel::get(std::string_view queue, get_options o)
{
    detail::check_names("basic.get", {queue});
    return perform<std::optional<delivery>>(
        shared_core(), [queue = std::string(queue), o](detail::channel_core& c) -> std::optional<delivery> {
            auto r = c.run(wire::basic::get::id, [&](leveret::broker::channel& ch) { return ch.get(queue, o.no_ack); });
            if (!*r)
                return std::nullopt;
            leveret::broker::got_message& got = **r;
            static_cast<void>(c.deliveries.arrived(got.tag, !o.no_ack));
            return delivery(o.no_ack ? nullptr : &c,
                            c.make_record(std::move(got.message), got.tag, got.redelivered));
        });
}

inline asio::awaitable<void> channel::set_prefetch(std::uint16_t count, bool global, call_options)
{
    return perform<void>(shared_core(), [=](detail::channel_core& c) {
        if (!global)
            c.prefetch = count;
        c.prefetch_is_told = true;
        c.tell(wire::basic::qos::id, [=](leveret::broker::channel& ch) { return ch.set_prefetch(0, count, global); });
    });
}

inline asio::awaitable<void> channel::recover(bool requeue, call_options)
{
    return perform<void>(shared_core(), [=](detail::channel_core& c) {
        if (requeue) {
            c.drop_waiting();
            c.deliveries.forget();
        }
        c.tell(wire::basic::recover::id, [=](leveret::broker::channel& ch) { return ch.recover(requeue); });
        c.want_more();
    });
}

inline asio::awaitable<void> channel::select_transactions(call_options)
{
    return perform<void>(shared_core(), [](detail::channel_core& c) {
        c.tell(wire::tx::select::id, [](leveret::broker::channel& ch) { return ch.select_transactions(); });
        c.is_transactional = true;
    });
}

inline asio::awaitable<void> channel::commit(call_options)
{
    return ask(wire::tx::commit::id, [](leveret::broker::channel& c) { return c.commit(); });
}

inline asio::awaitable<void> channel::rollback(call_options)
{
    return perform<void>(shared_core(), [](detail::channel_core& c) {
        c.deliveries.lower_may_be_open();
        c.tell(wire::tx::rollback::id, [](leveret::broker::channel& ch) { return ch.rollback(); });
    });
}

inline asio::awaitable<void> channel::flow(bool active, call_options)
{
    return ask(wire::channel::flow::id, [active](leveret::broker::channel&) -> leveret::broker::status {
        if (!active)
            return leveret::broker::error{reply_code::not_implemented, "NOT_IMPLEMENTED - active=false", true};
        return {};
    });
}

inline asio::awaitable<void> channel::closed(core_ptr core)
{
    if (core)
        core->end(engine::failure::of_library(errc::channel_closed, "the channel is closed"));
    co_return;
}

} // namespace leveret::memory
