// Methods of class queue: a part of session.hpp.
#pragma once

#include "leveret/server/detail/session.hpp"

#include <string>
#include <string_view>

namespace leveret::broker::server_detail {

inline void session::on(session_channel& c, const wire::queue::declare& m)
{
    const table arguments = wire::decode_table(m.arguments);
    queue_declaration d;
    d.name = m.queue;
    d.passive = m.passive;
    d.durable = m.durable;
    d.exclusive = m.exclusive;
    d.auto_delete = m.auto_delete;
    d.arguments = &arguments;
    // The name that the broker is going to make up begins like this; breaks in lines are no part of one.
    std::string name = detail::without_breaks(m.queue);
    if (name.empty() && !m.passive)
        name = "amq.gen-";
    if (m.passive) {
        if (!name.starts_with(reply_to_name) && !rights_.allow_any(name))
            return refuse(c, rights_.refusal(kind_of_name::queue, name), m.id);
    } else {
        if (!may(c, m, permission::configure, kind_of_name::queue, name))
            return;
        const field_value* dead_letters = arguments.find("x-dead-letter-exchange");
        const bool is_there = session_->host().find_queue(name) != nullptr; // it asked when it was made
        if (!is_there && dead_letters != nullptr && dead_letters->type() == field_type::string &&
            (!may(c, m, permission::read, kind_of_name::queue, name) ||
             !may(c, m, permission::write, kind_of_name::exchange, dead_letters->text())))
            return;
    }
    const auto info = c.core->declare_queue(d);
    if (!is_fine(c, info, m.id))
        return;
    c.last_queue = info->name;
    if (m.no_wait)
        return;
    wire::queue::declare_ok ok;
    ok.queue = info->name;
    ok.message_count = static_cast<std::uint32_t>(info->message_count);
    ok.consumer_count = static_cast<std::uint32_t>(info->consumer_count);
    answer(c, ok);
}

namespace queue_methods {
template <class Method>
[[nodiscard]] binding_declaration binding_of(const Method& m, const table& arguments)
{
    binding_declaration d;
    d.source = m.exchange;
    d.destination = m.queue;
    d.routing_key = m.routing_key;
    d.arguments = &arguments;
    return d;
}
} // namespace queue_methods

inline void session::on(session_channel& c, const wire::queue::bind& m)
{
    const table arguments = wire::decode_table(m.arguments);
    const std::string_view name = m.queue.empty() ? std::string_view(c.last_queue) : m.queue;
    if (!name.empty() && (!may(c, m, permission::write, kind_of_name::queue, name) ||
                          !may(c, m, permission::read, kind_of_name::exchange, m.exchange)))
        return;
    if (is_fine(c, c.core->bind_queue(queue_methods::binding_of(m, arguments)), m.id) && !m.no_wait)
        answer(c, wire::queue::bind_ok{});
}

inline void session::on(session_channel& c, const wire::queue::unbind& m)
{
    const table arguments = wire::decode_table(m.arguments);
    const std::string_view name = m.queue.empty() ? std::string_view(c.last_queue) : m.queue;
    if (!name.empty() && (!may(c, m, permission::write, kind_of_name::queue, name) ||
                          !may(c, m, permission::read, kind_of_name::exchange, m.exchange)))
        return;
    if (is_fine(c, c.core->unbind_queue(queue_methods::binding_of(m, arguments)), m.id))
        answer(c, wire::queue::unbind_ok{});
}

inline void session::on(session_channel& c, const wire::queue::purge& m)
{
    const std::string_view name = m.queue.empty() ? std::string_view(c.last_queue) : m.queue;
    if (!name.empty() && !may(c, m, permission::read, kind_of_name::queue, name))
        return;
    const auto n = c.core->purge(m.queue);
    if (!is_fine(c, n, m.id) || m.no_wait)
        return;
    wire::queue::purge_ok ok;
    ok.message_count = static_cast<std::uint32_t>(*n);
    answer(c, ok);
}

inline void session::on(session_channel& c, const wire::queue::delete_& m)
{
    const std::string asked = detail::without_breaks(m.queue);
    const std::string_view name = asked.empty() ? c.last_queue : asked;
    if (!name.empty() && !may(c, m, permission::configure, kind_of_name::queue, name))
        return;
    const auto n = c.core->delete_queue(asked, m.if_unused, m.if_empty);
    if (!is_fine(c, n, m.id) || m.no_wait)
        return;
    wire::queue::delete_ok ok;
    ok.message_count = static_cast<std::uint32_t>(*n);
    answer(c, ok);
}

} // namespace leveret::broker::server_detail
