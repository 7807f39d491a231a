// The way of a message into queues: a part of channel.hpp.
#pragma once

#include "leveret/broker/channel.hpp"
#include "leveret/core/small_copy.hpp"

namespace leveret::broker {

/// Publishers name one exchange many times: the last one is remembered while none is deleted.
inline exchange* channel::find_exchange(std::string_view exchange_name)
{
    if (last_exchange_ != nullptr && last_generation_ == host_.exchange_generation_ &&
        is_same_text(last_exchange_->name(), exchange_name))
        return last_exchange_;
    last_exchange_ = host_.lookup_exchange(exchange_name);
    last_generation_ = host_.exchange_generation_;
    return last_exchange_;
}

inline const route_ptr& channel::route_to(const exchange& x, std::string_view key)
{
    const bool same_exchange = last_route_ && last_route_->exchange == x.name_;
    if (same_exchange && is_same_text(last_route_->routing_key, key))
        return last_route_;
    known_generation_ = 0;
    if (!last_route_.is_unique())
        last_route_ = state_.routes->take();
    last_route_->exchange = x.name_;
    last_route_->routing_key = key;
    return last_route_;
}

inline properties_ptr channel::share(const properties& values)
{
    if (values.flags() == 0)
        return {};
    if (last_properties_ && last_properties_->equals(values))
        return last_properties_;
    if (size_of(values) > max_remembered_properties) { // they would stay for as long as the channel
        last_properties_.reset();
        properties_ptr once = state_.properties->take();
        once->edit() = values;
        return once;
    }
    if (!last_properties_.is_unique())
        last_properties_ = state_.properties->take();
    last_properties_->edit() = values;
    return last_properties_;
}

/// Why a message is refused, for reasons that don't lie in its properties.
inline status channel::check_publishing(const publishing& p, const payload& body,
                                        const exchange* x) const
{
    if (p.immediate)
        return detail::failure(reply_code::not_implemented, "immediate=true");
    if (body.size() > state_.limits().message_bytes)
        return detail::precondition_failed("message size " + std::to_string(body.size()) +
                                           " is larger than configured max size " +
                                           std::to_string(state_.limits().message_bytes));
    if (x == nullptr)
        return host_.missing("exchange", p.exchange);
    if (x->internal_)
        return detail::failure(reply_code::access_refused,
                               "cannot publish to internal " +
                                   host_.text_of("exchange", p.exchange));
    if (p.routing_key.size() > state_.limits().name_bytes)
        return detail::precondition_failed("routing key is longer than " +
                                           std::to_string(state_.limits().name_bytes) + " bytes");
    return {};
}

inline status channel::publish_message(const publishing& p, payload& body, properties_ptr& shared)
{
    const operation scope(core_);
    if (state_.has_alarm()) [[unlikely]]
        session_.tell_blocked();
    exchange* x = find_exchange(p.exchange);
    if (x == nullptr || x->internal_ || p.immediate ||
        body.size() > state_.limits().message_bytes ||
        p.routing_key.size() > state_.limits().name_bytes) [[unlikely]]
        return check_publishing(p, body, x);
    duration ttl = duration::never();
    message_ptr m = state_.messages->take();
    if (!shared) {
        m->fill(std::move(body), std::move(shared), route_to(*x, p.routing_key));
    } else {
        route_ptr where = route_to(*x, p.routing_key);
        if (status s = check(shared, where, ttl); !s)
            return s;
        m->fill(std::move(body), std::move(shared), where);
    }
    const pod_vector<queue*>& queues = queues_for(*x, *m);
    if (transactional_) [[unlikely]]
        return hold_back(std::move(m), ttl, p.mandatory, queues);
    const bool taken = deliver_to(*m, queues.begin(), queues.size(), p.mandatory, ttl);
    if (confirms_)
        listener_->confirmed(++last_published_, false, taken);
    return {};
}

/// The queues that a message goes to.
inline const pod_vector<queue*>& channel::queues_for(exchange& x, const stored_message& m)
{
    if (m.properties_node() && m.properties().has(property::headers))
        return host_.route(x, *m.route(), m.properties());
    if (known_generation_ == host_.route_generation_)
        return known_queues_;
    const pod_vector<queue*>& queues = host_.route(x, *m.route(), m.properties());
    constexpr std::size_t most = 1024; // what is worth remembering, and the memory for it
    if (host_.is_route_stable_ && queues.size() <= most) {
        known_queues_.clear();
        for (queue* q : queues)
            known_queues_.push_back(q);
        known_generation_ = host_.route_generation_;
    }
    return queues;
}

/// Until tx.commit.
inline status channel::hold_back(message_ptr m, duration ttl, bool mandatory,
                                 const pod_vector<queue*>& queues)
{
    if (tx_publishes_.size() >= state_.limits().transaction_messages)
        return detail::precondition_failed("transaction has more than " +
                                           std::to_string(state_.limits().transaction_messages) +
                                           " messages");
    tx_queues_.reserve(tx_queues_.size() + queues.size());
    tx_publishes_.push_back({m, ttl, mandatory, queues.size()});
    state_.hold(*m); // it takes memory while it waits
    for (queue* q : queues) {
        q->pin();
        tx_queues_.push_back(q);
    }
    return {};
}

/// Whether every queue took it. A queue that is gone by now doesn't count.
inline bool channel::deliver_to(stored_message& m, queue* const* first, std::size_t count,
                                bool mandatory, duration ttl)
{
    bool all_taken = true;
    bool reached = false;
    for (std::size_t i = 0; i < count; ++i) {
        if (first[i]->removed_)
            continue;
        reached = true;
        if (!first[i]->offer(m, ttl))
            all_taken = false;
    }
    // A reply is in no queue: with mandatory it is returned as well, as RabbitMQ does.
    if (m.exchange().empty())
        host_.deliver_replies(m);
    if (!reached && mandatory)
        listener_->returned(m, reply_code::no_route, "NO_ROUTE");
    return all_taken;
}

inline properties_ptr channel::copy_of(const properties_ptr& p)
{
    properties_ptr copy = state_.properties->take();
    copy->edit() = p->values();
    return copy;
}

/// What the broker looks at in properties, and changes in its own copy: the reply address, BCC.
inline status channel::check(properties_ptr& p, route_ptr& where, duration& ttl)
{
    if (p->values().reply_to() == reply_to_name) {
        if (replies_.to == nullptr)
            return detail::precondition_failed("fast reply consumer does not exist");
        p = copy_of(p);
        p->edit().reply_to(replies_.key);
    }
    const properties& values = p->values();
    if (values.has(property::user_id) && values.user_id() != session_.user())
        return detail::precondition_failed(
            "user_id property set to " + detail::in_quotes(values.user_id()) +
            " but authenticated user was " + detail::in_quotes(session_.user()));
    if (values.has(property::expiration))
        if (status s = expiration_of(values.expiration(), ttl); !s)
            return s;
    if (values.has(property::delivery_mode) && values.delivery_mode() != 1 &&
        values.delivery_mode() != 2)
        return detail::precondition_failed("invalid message: {delivery_mode_unknown," +
                                           std::to_string(values.delivery_mode()) + "}");
    if (values.has(property::headers) && !values.headers().empty())
        return further_keys(p, where);
    return {};
}

/// Milliseconds as decimal text, in the words of Erlang's string:to_integer where it is not.
inline status channel::expiration_of(std::string_view text, duration& ttl)
{
    const auto invalid = [text](const std::string& why) {
        return detail::precondition_failed("invalid expiration " + detail::in_quotes(text) + ": " +
                                           why);
    };
    std::string_view rest = text;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+'))
        rest.remove_prefix(1);
    std::int64_t n = 0;
    std::size_t digits = 0;
    constexpr std::int64_t most = std::int64_t{1} << 53U; // 285,000 years: never
    for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits)
        n = n > most ? most : n * 10 + (rest[digits] - '0');
    if (digits == 0)
        return invalid("no_integer");
    if (digits < rest.size())
        return invalid("{leftover_string,\"" + std::string(rest.substr(digits)) + "\"}");
    if (negative && n > 0)
        return invalid("{value_negative,-" + std::string(rest.substr(0, digits)) + "}");
    if (n > detail::longest_ms)
        return invalid("{value_too_large," + std::string(rest.substr(0, digits)) + "}");
    ttl = duration::milliseconds(n);
    return {};
}

/// The CC and BCC headers: further routing keys. BCC is not for the receivers to see.
inline status channel::further_keys(properties_ptr& p, route_ptr& where)
{
    const table& headers = p->values().headers();
    std::size_t keys = 1;
    for (const std::string_view header : {"CC", "BCC"}) {
        const field_value* v = headers.find(header);
        if (v == nullptr)
            continue;
        if (v->type() != field_type::array)
            return detail::precondition_failed("invalid message: {unacceptable_type_in_header,\"" +
                                               std::string(header) + "\"," +
                                               std::string(detail::type_name(v->type())) + "}");
        keys += v->as<field_array>()->size();
    }
    if (!headers.contains("CC") && !headers.contains("BCC"))
        return {};
    if (keys > state_.limits().routing_keys)
        return detail::precondition_failed("message has more than " +
                                           std::to_string(state_.limits().routing_keys) +
                                           " routing keys");
    route_ptr own = state_.routes->take();
    own->exchange = where->exchange;
    own->routing_key = where->routing_key;
    for (const std::string_view header : {"CC", "BCC"})
        detail::for_each_key(headers, header,
                             [&own](std::string_view key) { own->further_keys.emplace_back(key); });
    where = std::move(own);
    if (headers.contains("BCC")) {
        table visible = headers;
        visible.erase("BCC");
        p = copy_of(p);
        p->edit().headers(std::move(visible));
    }
    return {};
}

} // namespace leveret::broker
