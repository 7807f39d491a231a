// Methods of class exchange: a part of session.hpp.
#pragma once

#include "leveret/server/detail/session.hpp"

#include <string>
#include <string_view>

namespace leveret::broker::server_detail {

inline void session::on(session_channel& c, const wire::exchange::declare& m)
{
    const table arguments = wire::decode_table(m.arguments);
    exchange_declaration d;
    const std::string name = detail::without_breaks(m.exchange);
    d.name = name;
    d.type = m.type;
    d.passive = m.passive;
    d.durable = m.durable;
    d.auto_delete = m.auto_delete;
    d.internal = m.internal;
    d.arguments = &arguments;
    if (m.passive) {
        if (!rights_.allow_any(name))
            return refuse(c, rights_.refusal(kind_of_name::exchange, name), m.id);
    } else {
        if (!may(c, m, permission::configure, kind_of_name::exchange, name))
            return;
        const field_value* alternate = arguments.find("alternate-exchange");
        const bool is_there = session_->host().find_exchange(name) != nullptr; // it asked when it was made
        if (!is_there && alternate != nullptr && alternate->type() == field_type::string &&
            (!may(c, m, permission::read, kind_of_name::exchange, name) ||
             !may(c, m, permission::write, kind_of_name::exchange, alternate->text())))
            return;
    }
    if (is_fine(c, c.core->declare_exchange(d), m.id) && !m.no_wait)
        answer(c, wire::exchange::declare_ok{});
}

inline void session::on(session_channel& c, const wire::exchange::delete_& m)
{
    const std::string name = detail::without_breaks(m.exchange);
    if (!may(c, m, permission::configure, kind_of_name::exchange, name))
        return;
    if (is_fine(c, c.core->delete_exchange(name, m.if_unused), m.id) && !m.no_wait)
        answer(c, wire::exchange::delete_ok{});
}

namespace exchange_methods {
template <class Method>
[[nodiscard]] binding_declaration binding_of(const Method& m, const table& arguments)
{
    binding_declaration d;
    d.source = m.source;
    d.destination = m.destination;
    d.routing_key = m.routing_key;
    d.arguments = &arguments;
    return d;
}
} // namespace exchange_methods

inline void session::on(session_channel& c, const wire::exchange::bind& m)
{
    const table arguments = wire::decode_table(m.arguments);
    if (!may(c, m, permission::write, kind_of_name::exchange, m.destination) ||
        !may(c, m, permission::read, kind_of_name::exchange, m.source))
        return;
    if (is_fine(c, c.core->bind_exchange(exchange_methods::binding_of(m, arguments)), m.id) &&
        !m.no_wait)
        answer(c, wire::exchange::bind_ok{});
}

inline void session::on(session_channel& c, const wire::exchange::unbind& m)
{
    const table arguments = wire::decode_table(m.arguments);
    if (!may(c, m, permission::write, kind_of_name::exchange, m.destination) ||
        !may(c, m, permission::read, kind_of_name::exchange, m.source))
        return;
    if (is_fine(c, c.core->unbind_exchange(exchange_methods::binding_of(m, arguments)), m.id) &&
        !m.no_wait)
        answer(c, wire::exchange::unbind_ok{});
}

} // namespace leveret::broker::server_detail
