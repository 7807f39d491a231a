// Methods of class basic: a part of session.hpp.
#pragma once

#include "leveret/server/detail/session.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace leveret::broker::server_detail {

inline void session::on_publish(session_channel& c, const engine::server_event& e)
{
    const wire::method_number id = wire::basic::publish::id;
    if (!rights_.allow(permission::write, e.exchange)) [[unlikely]]
        return refuse(c, rights_.refusal(kind_of_name::exchange, e.exchange), id);
    const publishing p{e.exchange, e.routing_key, e.mandatory, e.immediate};
    payload body = e.whole.empty() ? payload(e.body) : e.whole;
    const status s = e.properties.flags() == 0
                         ? c.core->publish(p, std::move(body))
                         : c.core->publish(p, std::move(body), c.share(e.properties));
    static_cast<void>(is_fine(c, s, id));
}

inline void session::on(session_channel& c, const wire::basic::qos& m)
{
    if (is_fine(c, c.core->set_prefetch(m.prefetch_size, m.prefetch_count, m.global), m.id))
        answer(c, wire::basic::qos_ok{});
}

inline void session::on(session_channel& c, const wire::basic::consume& m)
{
    const std::string_view queue = m.queue.empty() ? std::string_view(c.last_queue) : m.queue;
    if (!queue.empty() && queue != reply_to_name &&
        !may(c, m, permission::read, kind_of_name::queue, queue))
        return;
    const table arguments = wire::decode_table(m.arguments);
    consumption what;
    what.queue = m.queue;
    what.tag = m.consumer_tag;
    what.no_ack = m.no_ack;
    what.exclusive = m.exclusive;
    what.arguments = &arguments;
    c.no_wait = m.no_wait;
    static_cast<void>(
        is_fine(c, c.core->consume(what), m.id)); // answered by session_channel::consuming
}

inline void session::on(session_channel& c, const wire::basic::cancel& m)
{
    c.head_of_ = nullptr; // may be this one
    c.core->cancel(m.consumer_tag);
    if (m.no_wait)
        return;
    wire::basic::cancel_ok ok;
    ok.consumer_tag = m.consumer_tag;
    answer(c, ok);
}

inline void session::on(session_channel& c, const wire::basic::get& m)
{
    const std::string_view queue = m.queue.empty() ? std::string_view(c.last_queue) : m.queue;
    if (!queue.empty() && !may(c, m, permission::read, kind_of_name::queue, queue))
        return;
    const auto got = c.core->get(m.queue, m.no_ack);
    if (!is_fine(c, got, m.id))
        return;
    if (!*got)
        return answer(c, wire::basic::get_empty{});
    const got_message& g = **got;
    wire::basic::get_ok ok;
    ok.delivery_tag = g.tag;
    ok.redelivered = g.redelivered;
    ok.exchange = g.message->exchange();
    ok.routing_key = g.message->routing_key();
    ok.message_count = static_cast<std::uint32_t>(g.message_count);
    c.flush_confirms();
    engine::append_content(engine.output(), c.number(), ok, g.message->properties(),
                           g.message->body(), engine.frame_max());
    engine.note_output();
    touch();
}

inline void session::on(session_channel& c, const wire::basic::ack& m)
{
    static_cast<void>(is_fine(c, c.core->ack(m.delivery_tag, m.multiple), m.id));
}

inline void session::on(session_channel& c, const wire::basic::nack& m)
{
    static_cast<void>(is_fine(c, c.core->nack(m.delivery_tag, m.multiple, m.requeue), m.id));
}

inline void session::on(session_channel& c, const wire::basic::reject& m)
{
    static_cast<void>(is_fine(c, c.core->reject(m.delivery_tag, m.requeue), m.id));
}

/// What comes again does so behind the answer, as with RabbitMQ.
inline void session::on(session_channel& c, const wire::basic::recover& m)
{
    const bool was_paused = c.core->is_paused();
    c.core->pause();
    if (!is_fine(c, c.core->recover(m.requeue), m.id))
        return;
    answer(c, wire::basic::recover_ok{});
    if (!was_paused)
        c.core->resume();
}

inline void session::on(session_channel& c, const wire::basic::recover_async& m)
{
    static_cast<void>(is_fine(c, c.core->recover(m.requeue), m.id));
}

} // namespace leveret::broker::server_detail
