// Where messages go: the part of virtual_host.hpp that runs with every message.
#pragma once

#include "leveret/broker/virtual_host.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::broker {

inline pod_vector<queue*>& virtual_host::route(exchange& x, const message_route& where,
                                               const properties& values)
{
    reached_.clear();
    routing_.clear();
    reached_destinations reached(++state_.epoch, reached_, routing_);
    const routing::message_view message{where.routing_key, values, where.further_keys};
    const auto to_queue_named = [&](std::string_view key) {
        if (queue* q = lookup_queue(key))
            reached.add(*q);
    };
    is_route_stable_ = true;
    reached.add(x);
    static_cast<void>(reached.take_hit());
    // Exchanges bound to exchanges join the list behind; the mark keeps each from coming twice.
    for (std::size_t i = 0; i < routing_.size(); ++i) {
        exchange& at = *routing_[i];
        if (!at.name().empty()) {
            at.router_->route(message, reached);
            is_route_stable_ = is_route_stable_ && at.kind_->is_stable;
        } else { // every queue is bound to the default exchange
            to_queue_named(where.routing_key);
            for (const std::string& key : where.further_keys)
                to_queue_named(key);
        }
        if (!reached.take_hit() && at.alternate_) {
            if (exchange* alternate = lookup_exchange(*at.alternate_))
                reached.add(*alternate);
            static_cast<void>(reached.take_hit());
        }
    }
    return reached_;
}

inline void virtual_host::route(dead_letter& d)
{
    const queue_settings& settings = d.from->settings();
    exchange* x = lookup_exchange(*settings.dead_letter_exchange);
    if (x == nullptr)
        return; // as RabbitMQ: a dead letter exchange that isn't there drops
    const stored_message& dead = *d.message;
    properties_ptr p = state_.properties->take();
    p->edit() = dead.properties();
    detail::record_death(p->edit(), dead, d.from->name(), d.reason, state_.unix_time());
    p->edit().clear(property::expiration);
    route_ptr where = state_.routes->take();
    where->exchange = x->name_;
    if (settings.dead_letter_routing_key) {
        table headers = p->values().headers();
        if (headers.erase("CC") > 0)
            p->edit().headers(std::move(headers));
        where->routing_key = *settings.dead_letter_routing_key;
    } else {
        where->routing_key = dead.routing_key();
        where->further_keys = dead.route()->further_keys;
    }
    const table& headers = p->values().headers();
    message_ptr m = state_.messages->take();
    m->fill(payload(dead.body()), properties_ptr(p), where);
    for (queue* q : route(*x, *where, p->values()))
        if (d.reason == death_reason::rejected || !detail::is_death_cycle(headers, q->name()))
            static_cast<void>(q->offer(*m, duration::never()));
    if (x->name().empty())
        deliver_replies(*m);
}

inline void virtual_host::deliver_replies(stored_message& m)
{
    if (replies_.empty())
        return;
    const std::uint64_t mark = ++state_.epoch;
    const auto by_key = [&](std::string_view key) {
        reply_address* a = lookup_reply(key);
        if (a != nullptr && std::exchange(a->mark, mark) != mark) // once, however many keys name it
            a->window->reply(*a->to, m);
    };
    by_key(m.routing_key());
    for (const std::string& key : m.route()->further_keys)
        by_key(key);
}

} // namespace leveret::broker
