// Methods of the classes channel, tx, confirm and access: a part of session.hpp.
#pragma once

#include "leveret/server/detail/session.hpp"

namespace leveret::broker::server_detail {

/// A client may not stop deliveries: that is what prefetch is for. Source: RabbitMQ.
inline void session::on(session_channel& c, const wire::channel::flow& m)
{
    if (!m.active)
        return refuse(c, detail::failure(reply_code::not_implemented, "active=false"), m.id);
    wire::channel::flow_ok ok;
    ok.active = true;
    answer(c, ok);
}

inline void session::on(session_channel& c, const wire::tx::select& m)
{
    if (is_fine(c, c.core->select_transactions(), m.id))
        answer(c, wire::tx::select_ok{});
}

inline void session::on(session_channel& c, const wire::tx::commit& m)
{
    if (is_fine(c, c.core->commit(), m.id))
        answer(c, wire::tx::commit_ok{});
}

inline void session::on(session_channel& c, const wire::tx::rollback& m)
{
    if (is_fine(c, c.core->rollback(), m.id))
        answer(c, wire::tx::rollback_ok{});
}

inline void session::on(session_channel& c, const wire::confirm::select& m)
{
    if (is_fine(c, c.core->select_confirms(), m.id) && !m.no_wait)
        answer(c, wire::confirm::select_ok{});
}

/// Of AMQP 0-8. Every ticket will do. Source: RabbitMQ.
inline void session::on(session_channel& c, const wire::access::request&)
{
    answer(c, wire::access::request_ok{});
}

} // namespace leveret::broker::server_detail
