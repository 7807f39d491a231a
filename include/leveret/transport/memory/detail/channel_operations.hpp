// The operations of memory::channel. Included by channel.hpp.
#pragma once

#include "leveret/core/utf8.hpp"
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
        else if (!is_utf8(n))
            throw_invalid_argument(std::string(operation) + ": a name or text is not UTF-8");
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

inline constexpr auto as_count = [](channel_core&, leveret::broker::result<std::size_t>& r) {
    return static_cast<std::uint32_t>(*r);
};

template <class Ask>
asio::awaitable<std::uint32_t> told_count(local_ptr<channel_core> c, wire::method_number cause, Ask ask, duration timeout)
{
    if (c->connection->may_only_tell())
        tell_only(*c, cause, std::move(ask));
    else
        static_cast<void>(co_await asked<std::uint32_t>(c, cause, std::move(ask), as_count, timeout));
    co_return 0U;
}
template <class Ask>
asio::awaitable<queue_info> told_queue(local_ptr<channel_core> c, std::string name, Ask ask, duration timeout)
{
    const auto nothing = [](channel_core&, leveret::broker::result<leveret::broker::queue_info>&) {};
    if (c->connection->may_only_tell())
        tell_only(*c, wire::queue::declare::id, std::move(ask));
    else
        co_await asked<void>(c, wire::queue::declare::id, std::move(ask), nothing, timeout);
    co_return queue_info(std::move(name), 0, 0);
}
inline asio::awaitable<void> confirms_selected(local_ptr<channel_core> c, duration timeout)
{
    if (c->connection->must_yield())
        co_await yield(c->connection->executor());
    c->check_open(wire::confirm::select::id);
    c->is_confirming = true; // from here on, as the broker numbers them
    const auto select = [](at_broker& b) { return b.channel.select_confirms(); };
    const auto nothing = [](channel_core&, leveret::broker::status&) {};
    co_await asked<void>(c, wire::confirm::select::id, select, nothing, timeout, nothing_missed{}, false);
}
inline asio::awaitable<void> transactions_selected(local_ptr<channel_core> c, duration timeout)
{
    if (c->connection->must_yield())
        co_await yield(c->connection->executor());
    c->is_transactional = true; // whoever refuses it ends the channel
    const auto select = [](at_broker& b) { return b.channel.select_transactions(); };
    const auto nothing = [](channel_core&, leveret::broker::status&) {};
    co_await asked<void>(c, wire::tx::select::id, select, nothing, timeout, nothing_missed{}, false);
}
inline asio::awaitable<void> rolled_back(local_ptr<channel_core> c, duration timeout)
{
    if (c->connection->must_yield())
        co_await yield(c->connection->executor());
    c->deliveries.lower_may_be_open();
    const auto roll_back = [](at_broker& b) { return b.channel.rollback(); };
    const auto nothing = [](channel_core&, leveret::broker::status&) {};
    co_await asked<void>(c, wire::tx::rollback::id, roll_back, nothing, timeout, nothing_missed{}, false);
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
                                             arguments = std::move(arguments)](detail::at_broker& b) {
        return b.channel.declare_exchange({name, type, o.passive, o.durable, o.auto_delete, o.internal,
                                   detail::or_null(arguments)});
    }, o.timeout, o.no_wait);
}

inline asio::awaitable<void> channel::delete_exchange(std::string_view name, delete_exchange_options o)
{
    detail::check_names("exchange.delete", {name});
    return ask(wire::exchange::delete_::id, [name = std::string(name), o](detail::at_broker& b) {
        return b.channel.delete_exchange(name, o.if_unused);
    }, o.timeout, o.no_wait);
}

inline asio::awaitable<void> channel::bind_exchange(std::string_view destination, std::string_view source,
                                                    std::string_view routing_key, bind_options o)
{
    detail::check_names("exchange.bind", {destination, source, routing_key});
    return ask(wire::exchange::bind::id,
               [to = std::string(destination), from = std::string(source), key = std::string(routing_key),
                arguments = detail::table_of(o.arguments, "exchange.bind")](detail::at_broker& b) {
                   return b.channel.bind_exchange({from, to, key, detail::or_null(arguments)});
               },
               o.timeout, o.no_wait);
}

inline asio::awaitable<void> channel::unbind_exchange(std::string_view destination, std::string_view source,
                                                      std::string_view routing_key, bind_options o)
{
    detail::check_names("exchange.unbind", {destination, source, routing_key});
    return ask(wire::exchange::unbind::id,
               [to = std::string(destination), from = std::string(source), key = std::string(routing_key),
                arguments = detail::table_of(o.arguments, "exchange.unbind")](detail::at_broker& b) {
                   return b.channel.unbind_exchange({from, to, key, detail::or_null(arguments)});
               },
               o.timeout, o.no_wait);
}

inline asio::awaitable<queue_info> channel::declare_queue(std::string_view name, queue_options o)
{
    detail::check_names("queue.declare", {name});
    table arguments = detail::queue_arguments(o);
    detail::check_arguments("queue.declare", arguments);
    const bool passive = o.passive, durable = o.durable, exclusive = o.exclusive, auto_delete = o.auto_delete;
    auto declare = [=, name = std::string(name), arguments = std::move(arguments)](detail::at_broker& b) {
        if (detail::is_timed(arguments))
            b.home.begin_to_be_timed();
        return b.channel.declare_queue({name, passive, durable, exclusive, auto_delete, detail::or_null(arguments)});
    };
    if (o.no_wait)
        return detail::told_queue(shared_core(), std::string(name), std::move(declare), o.timeout);
    const auto told = [](detail::channel_core&, leveret::broker::result<leveret::broker::queue_info>& r) {
        return queue_info(std::move(r->name), static_cast<std::uint32_t>(r->message_count),
                          static_cast<std::uint32_t>(r->consumer_count));
    };
    return detail::asked<queue_info>(shared_core(), wire::queue::declare::id, std::move(declare), told, o.timeout);
}

inline asio::awaitable<std::uint32_t> channel::delete_queue(std::string_view name, delete_queue_options o)
{
    detail::check_names("queue.delete", {name});
    auto remove = [name = std::string(name), if_unused = o.if_unused, if_empty = o.if_empty](detail::at_broker& b) {
        return b.channel.delete_queue(name, if_unused, if_empty);
    };
    if (o.no_wait)
        return detail::told_count(shared_core(), wire::queue::delete_::id, std::move(remove), o.timeout);
    return detail::asked<std::uint32_t>(shared_core(), wire::queue::delete_::id, std::move(remove), detail::as_count,
                                        o.timeout);
}

inline asio::awaitable<std::uint32_t> channel::purge_queue(std::string_view name, call_options o)
{
    detail::check_names("queue.purge", {name});
    auto purge = [name = std::string(name)](detail::at_broker& b) { return b.channel.purge(name); };
    return detail::asked<std::uint32_t>(shared_core(), wire::queue::purge::id, std::move(purge), detail::as_count,
                                        o.timeout);
}

inline asio::awaitable<void> channel::bind_queue(std::string_view queue, std::string_view exchange,
                                                 std::string_view routing_key, bind_options o)
{
    detail::check_names("queue.bind", {queue, exchange, routing_key});
    return ask(wire::queue::bind::id,
               [to = std::string(queue), from = std::string(exchange), key = std::string(routing_key),
                arguments = detail::table_of(o.arguments, "queue.bind")](detail::at_broker& b) {
                   return b.channel.bind_queue({from, to, key, detail::or_null(arguments)});
               },
               o.timeout, o.no_wait);
}

inline asio::awaitable<void> channel::unbind_queue(std::string_view queue, std::string_view exchange,
                                                   std::string_view routing_key, bind_options o)
{
    detail::check_names("queue.unbind", {queue, exchange, routing_key});
    return ask(wire::queue::unbind::id,
               [to = std::string(queue), from = std::string(exchange), key = std::string(routing_key),
                arguments = detail::table_of(o.arguments, "queue.unbind")](detail::at_broker& b) {
                   return b.channel.unbind_queue({from, to, key, detail::or_null(arguments)});
               },
               o.timeout);
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

inline asio::awaitable<void> channel::select_confirms(call_options o)
{
    return detail::confirms_selected(shared_core(), o.timeout);
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
        connection.has_waited();
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
    o.tag = {};
    o.arguments = {};
    return consumed(std::move(made), std::string(queue), std::move(arguments), o);
}

inline asio::awaitable<consumer> channel::consumed(local_ptr<detail::consumer_core> made, std::string queue,
                                                   table arguments, consume_options o)
{
    const core_ptr core = made->channel;
    detail::channel_core& c = *core;
    if (c.connection->must_yield())
        co_await detail::yield(c.connection->executor());
    c.check_open(wire::basic::consume::id);
    std::optional<std::uint16_t> prefetch; // to be told before
    if (!made->no_ack && (o.prefetch || !c.prefetch_is_told)) {
        c.prefetch_is_told = !o.prefetch;
        prefetch = o.prefetch.value_or(c.prefetch);
    }
    if (c.far != nullptr)
        made->stream = c.connection->far->add_stream(*c.far, *made, made->no_ack);
    made->state = detail::consumer_core::status::active; // before deliveries may come, or something throws
    auto begin = [=, tag = made->tag, no_ack = made->no_ack, exclusive = o.exclusive, context = made->context(),
                  queue = std::move(queue), arguments = std::move(arguments)](detail::at_broker& b)
        -> leveret::broker::result<leveret::broker::consumer*> {
        if (prefetch)
            if (leveret::broker::status s = b.channel.set_prefetch(0, *prefetch, false); !s)
                return s;
        return b.channel.consume({queue, tag, no_ack, exclusive, detail::or_null(arguments), context});
    };
    const auto nothing = [](detail::channel_core&, auto&) {};
    auto asked = detail::asked<void>(core, wire::basic::consume::id, std::move(begin), nothing, o.timeout,
                                     detail::nothing_missed{}, false);
    co_await std::move(asked);
    co_return consumer(std::move(made));
}

inline asio::awaitable<std::optional<delivery>> channel::get(std::string_view queue, get_options o)
{
    detail::check_names("basic.get", {queue});
    auto get = [queue = std::string(queue), no_ack = o.no_ack](detail::at_broker& b)
        -> leveret::broker::result<detail::record*> {
        auto r = b.channel.get(queue, no_ack);
        if (!r)
            return leveret::broker::error(r.error());
        if (!*r)
            return static_cast<detail::record*>(nullptr);
        leveret::broker::got_message& got = **r;
        return b.records.make(std::move(got.message), got.tag, got.redelivered);
    };
    const auto told = [no_ack = o.no_ack](detail::channel_core& c, leveret::broker::result<detail::record*>& r)
        -> std::optional<delivery> {
        if (*r == nullptr)
            return std::nullopt;
        // While a recover is on its way it comes again, under another tag.
        static_cast<void>(c.deliveries.arrived((*r)->tag, !no_ack && c.recovering == 0));
        return delivery(no_ack ? nullptr : &c, c.adopt(*r));
    };
    const auto missed = [no_ack = o.no_ack](detail::far_end& e, detail::far_channel& c,
                                            leveret::broker::result<detail::record*>& r) {
        if (*r != nullptr)
            e.give_back(c, *r, no_ack);
    };
    return detail::asked<std::optional<delivery>>(shared_core(), wire::basic::get::id, std::move(get), told,
                                                  o.timeout, missed);
}

inline asio::awaitable<void> channel::set_prefetch(std::uint16_t count, bool global, call_options o)
{
    return prefetched(shared_core(), count, global, o.timeout);
}

inline asio::awaitable<void> channel::prefetched(core_ptr core, std::uint16_t count, bool global, duration timeout)
{
    if (!global)
        core->prefetch = count;
    core->prefetch_is_told = true;
    const auto set = [=](detail::at_broker& b) { return b.channel.set_prefetch(0, count, global); };
    co_await answered(core, wire::basic::qos::id, set, timeout);
}

inline asio::awaitable<void> channel::recover(bool requeue, call_options o)
{
    return recovered(shared_core(), requeue, o.timeout);
}

inline asio::awaitable<void> channel::recovered(core_ptr core, bool requeue, duration timeout)
{
    if (core->connection->must_yield())
        co_await detail::yield(core->connection->executor());
    core->check_open(wire::basic::recover::id);
    if (requeue) {
        core->drop_waiting();
        core->deliveries.forget();
        core->recovering += core->far != nullptr ? 1 : 0;
    }
    const auto recover = [requeue](detail::at_broker& b) {
        if (b.far != nullptr && requeue)
            b.far->recovers();
        return b.channel.recover(requeue);
    };
    const auto nothing = [](detail::channel_core&, leveret::broker::status&) {};
    co_await detail::asked<void>(core, wire::basic::recover::id, recover, nothing, timeout, detail::nothing_missed{},
                                 false);
    core->want_more();
}

inline asio::awaitable<void> channel::select_transactions(call_options o)
{
    return detail::transactions_selected(shared_core(), o.timeout);
}

inline asio::awaitable<void> channel::commit(call_options o)
{
    return ask(wire::tx::commit::id, [](detail::at_broker& b) { return b.channel.commit(); }, o.timeout);
}

inline asio::awaitable<void> channel::rollback(call_options o)
{
    return detail::rolled_back(shared_core(), o.timeout);
}

inline asio::awaitable<void> channel::flow(bool active, call_options o)
{
    return ask(wire::channel::flow::id, [active](detail::at_broker&) -> leveret::broker::status {
        if (!active)
            return leveret::broker::error{reply_code::not_implemented, "NOT_IMPLEMENTED - active=false", true};
        return {};
    }, o.timeout);
}

inline asio::awaitable<void> channel::closed(core_ptr core, duration timeout)
{
    if (!core || !core->is_open())
        co_return;
    if (core->far != nullptr) { // what was asked for before is done when this is
        const auto nothing = [](detail::at_broker&) -> leveret::broker::status { return {}; };
        co_await answered(core, wire::channel::close::id, nothing, timeout);
    }
    core->end(engine::failure::of_library(errc::channel_closed, "the channel is closed"));
}

} // namespace leveret::memory
