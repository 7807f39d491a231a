// Declaring, binding and deleting: the part of virtual_host.hpp that changes what is there.
#pragma once

#include "leveret/broker/virtual_host.hpp"

namespace leveret::broker {

namespace detail {
inline const table no_arguments;
[[nodiscard]] inline const table& given(const table* t) noexcept
{
    return t == nullptr ? no_arguments : *t;
}
/// A declared name without line breaks, as RabbitMQ strips them.
[[nodiscard]] inline std::string without_breaks(std::string_view name)
{
    std::string kept;
    for (const char c : name)
        if (c != '\r' && c != '\n')
            kept += c;
    return kept;
}
} // namespace detail

inline virtual_host::virtual_host(shared_state& state, std::string_view name,
                                  std::span<const exchange_kind> kinds)
    : state_(state), name_(name), hash_(text_hash(name)), kinds_(kinds)
{
    struct known {
        std::string_view name, type;
        bool internal;
    };
    // The default exchange has an entry to find it; its router stays empty.
    if (const exchange_kind* kind = kind_of("direct"))
        add_exchange({.name = "", .type = "direct", .durable = true}, *kind);
    else
        add_exchange({.name = "", .durable = true}, kinds_.front());
    for (const known& x :
         {known{"amq.direct", "direct", false}, known{"amq.fanout", "fanout", false},
          known{"amq.topic", "topic", false}, known{"amq.headers", "headers", false},
          known{"amq.match", "headers", false}, known{"amq.rabbitmq.trace", "topic", true}})
        if (const exchange_kind* kind = kind_of(x.type))
            add_exchange({.name = x.name, .durable = true, .internal = x.internal}, *kind);
}

inline virtual_host::~virtual_host()
{
    LEVERET_ASSERT(sessions_ == 0);
    pod_vector<queue*> queues;
    queues_.for_each([&queues](queue& q) { queues.push_back(&q); });
    for (queue* q : queues)
        remove(*q);
    pod_vector<exchange*> exchanges; // what was not swept with the queues
    exchanges_.for_each([&exchanges](exchange& x) { exchanges.push_back(&x); });
    for (exchange* x : exchanges)
        remove(*x);
}

inline const exchange_kind* virtual_host::kind_of(std::string_view type) const noexcept
{
    for (const exchange_kind& kind : kinds_)
        if (kind.name == type)
            return &kind;
    return nullptr;
}

inline void virtual_host::add_exchange(const exchange_declaration& d, const exchange_kind& kind)
{
    auto* x = new exchange(d, kind, state_.router_seed());
    x->hash_ = state_.hash_of(d.name);
    try {
        exchanges_.insert(x->hash_, x);
        ++route_generation_;
    } catch (...) {
        delete x;
        throw;
    }
}

inline error virtual_host::locked(const queue& q) const
{
    return detail::failure(reply_code::resource_locked,
                           "cannot obtain exclusive access to locked " +
                               text_of("queue", q.name()) +
                               ". It could be originally declared on another connection or the "
                               "exclusive property value does not match that of the original "
                               "declaration.");
}

inline status virtual_host::check_new_name(std::string_view what, std::string_view n) const
{
    if (n.starts_with("amq."))
        return detail::failure(reply_code::access_refused, std::string(what) + " name " +
                                                               detail::in_quotes(n) +
                                                               " contains reserved prefix 'amq.*'");
    if (n.size() > state_.limits().name_bytes)
        return detail::precondition_failed(std::string(what) + " name is longer than " +
                                           std::to_string(state_.limits().name_bytes) + " bytes");
    return {};
}

inline status virtual_host::check_not_default(std::string_view exchange_name)
{
    if (!exchange_name.empty())
        return {};
    return detail::failure(reply_code::access_refused,
                           "operation not permitted on the default exchange");
}

inline result<queue*> virtual_host::usable_queue(std::string_view queue_name, exclusive_queues& who)
{
    queue* q = lookup_queue(queue_name);
    if (q == nullptr)
        return missing("queue", queue_name);
    if (status s = check_access(*q, who); !s)
        return s;
    return q;
}

inline result<queue*> virtual_host::declare(const queue_declaration& d, exclusive_queues& who)
{
    std::string actual = detail::without_breaks(d.name);
    if (d.passive) {
        result<queue*> found = usable_queue(actual, who);
        if (found)
            (*found)->last_use_ = state_.now; // which is a use of it
        return found;
    }
    if (actual.empty())
        actual = state_.unique_name("amq.gen");
    else if (status s = check_new_name("queue", actual); !s)
        return s;

    const std::string what = text_of("queue", actual);
    const table& arguments = detail::given(d.arguments);
    exclusive_queues* owner = d.exclusive ? &who : nullptr;
    if (queue* known = lookup_queue(actual)) {
        // Source: rabbit_amqqueue:assert_equivalence; an exclusive queue is not durable.
        if (known->owner_ != owner)
            return locked(*known);
        const bool durable = d.durable && !d.exclusive;
        if (known->durable_ != durable)
            return detail::precondition_failed(
                detail::inequivalent("durable", what, durable, known->durable_));
        if (known->auto_delete_ != d.auto_delete)
            return detail::precondition_failed(
                detail::inequivalent("auto_delete", what, d.auto_delete, known->auto_delete_));
        if (const std::string difference =
                detail::queue_arguments::difference(what, arguments, known->arguments_);
            !difference.empty())
            return detail::precondition_failed(difference);
        known->last_use_ = state_.now;
        return known;
    }
    if (queues_.size() >= state_.limits().queues)
        return over_limit("queue", actual, state_.limits().queues);
    result<queue_settings> settings = detail::queue_arguments(arguments, what).read();
    if (!settings)
        return settings.error();
    if (settings->quorum) {
        const std::string_view wrong = d.auto_delete ? "auto-delete"
                                       : d.exclusive ? "exclusive-owner"
                                       : !d.durable  ? "non-durable"
                                                     : std::string_view();
        if (!wrong.empty())
            return detail::precondition_failed("invalid property " + detail::in_quotes(wrong) +
                                               " for " + what);
    }
    auto* q = new queue(state_, *this, d, actual, std::move(*settings), owner);
    q->hash_ = state_.hash_of(actual);
    q->last_use_ = state_.now;
    try {
        q->arm_lease();
        queues_.insert(q->hash_, q);
        ++route_generation_;
    } catch (...) {
        q->retire();
        throw;
    }
    if (owner != nullptr)
        owner->add(*q);
    return q;
}

inline status virtual_host::declare(const exchange_declaration& d)
{
    const std::string actual = detail::without_breaks(d.name);
    if (d.passive) {
        if (status s = check_not_default(actual); !s)
            return s;
        return lookup_exchange(actual) == nullptr ? status(missing("exchange", actual)) : status();
    }
    const exchange_kind* kind = kind_of(d.type);
    if (kind == nullptr) // 3.10 closes the connection with 503; 4.x does this
        return detail::precondition_failed("unknown exchange type " + detail::in_quotes(d.type));
    if (status s = check_not_default(actual); !s)
        return s;
    const std::string what = text_of("exchange", actual);
    const table& arguments = detail::given(d.arguments);
    if (const exchange* known = lookup_exchange(actual)) {
        // Source: rabbit_exchange:assert_equivalence.
        if (known->type() != d.type)
            return detail::precondition_failed(detail::inequivalent(
                "type", what, detail::in_quotes(d.type), detail::in_quotes(known->type())));
        if (known->durable_ != d.durable)
            return detail::precondition_failed(
                detail::inequivalent("durable", what, d.durable, known->durable_));
        if (known->auto_delete_ != d.auto_delete)
            return detail::precondition_failed(
                detail::inequivalent("auto_delete", what, d.auto_delete, known->auto_delete_));
        if (known->internal_ != d.internal)
            return detail::precondition_failed(
                detail::inequivalent("internal", what, d.internal, known->internal_));
        const std::string difference =
            detail::argument_difference("alternate-exchange", what, arguments, known->arguments_);
        return difference.empty() ? status() : status(detail::precondition_failed(difference));
    }
    if (status s = check_new_name("exchange", actual); !s)
        return s;
    if (const field_value* alternate = arguments.find("alternate-exchange");
        alternate != nullptr && alternate->type() != field_type::string)
        return detail::precondition_failed("invalid type " +
                                           detail::in_quotes(detail::type_name(alternate->type())) +
                                           " for arg 'alternate-exchange' in " + what);
    if (const std::string refusal = kind->refusal(arguments); !refusal.empty())
        return detail::precondition_failed(refusal);
    if (exchanges_.size() >= state_.limits().exchanges)
        return over_limit("exchange", actual, state_.limits().exchanges);
    exchange_declaration stripped = d;
    stripped.name = actual;
    add_exchange(stripped, *kind);
    return {};
}

inline status virtual_host::bind(const binding_declaration& d, bool to_queue, exclusive_queues& who)
{
    if (status s = check_not_default(d.source); !s)
        return s;
    if (status s = to_queue ? status() : check_not_default(d.destination); !s)
        return s;
    exchange* source = lookup_exchange(d.source);
    if (source == nullptr)
        return missing("exchange", d.source);
    destination* to = nullptr;
    if (to_queue) {
        result<queue*> q = usable_queue(d.destination, who);
        if (!q)
            return q;
        to = *q;
    } else {
        to = lookup_exchange(d.destination);
        if (to == nullptr)
            return missing("exchange", d.destination);
    }
    if (d.routing_key.size() > state_.limits().name_bytes)
        return detail::precondition_failed("routing key is longer than " +
                                           std::to_string(state_.limits().name_bytes) + " bytes");
    const table& arguments = detail::given(d.arguments);
    if (const std::string refusal = source->router_->refusal(d.routing_key, arguments); !refusal.empty())
        return detail::precondition_failed(refusal);
    if (bindings_.find(*source, *to, d.routing_key, arguments) != nullptr)
        return {};
    if (bindings_.size() >= state_.limits().bindings)
        return detail::precondition_failed("cannot bind to " + text_of("exchange", d.source) +
                                           ": binding limit in vhost " + detail::in_quotes(name_) +
                                           " (" + std::to_string(state_.limits().bindings) +
                                           ") is reached");
    bindings_.add(*source, *to, d.routing_key, arguments);
    ++route_generation_;
    return {};
}

inline status virtual_host::unbind(const binding_declaration& d, bool to_queue,
                                   exclusive_queues& who)
{
    if (status s = check_not_default(d.source); !s)
        return s;
    if (status s = to_queue ? status() : check_not_default(d.destination); !s)
        return s;
    exchange* source = lookup_exchange(d.source);
    destination* to = nullptr;
    if (to_queue)
        to = lookup_queue(d.destination);
    else
        to = lookup_exchange(d.destination);
    if (source == nullptr || to == nullptr)
        return {}; // unbinding what is not bound is fine (RabbitMQ since 3.2)
    exchange_binding* b = bindings_.find(*source, *to, d.routing_key, detail::given(d.arguments));
    if (b == nullptr)
        return {};
    if (to_queue) // RabbitMQ looks at whose queue it is only if there is something to unbind
        if (status s = check_access(*static_cast<queue*>(to), who); !s)
            return s;
    unbind(*b);
    sweep();
    return {};
}

inline result<std::size_t> virtual_host::delete_queue(std::string_view queue_name, bool if_unused,
                                                      bool if_empty, exclusive_queues& who)
{
    queue* q = lookup_queue(queue_name);
    if (q == nullptr)
        return std::size_t{0}; // deleting what is not there is fine (RabbitMQ since 3.2)
    if (status s = check_access(*q, who); !s)
        return s;
    if (if_empty && q->message_count() > 0)
        return detail::precondition_failed(text_of("queue", queue_name) + " not empty");
    if (if_unused && q->consumer_count() > 0)
        return detail::precondition_failed(text_of("queue", queue_name) + " in use");
    const std::size_t messages = q->message_count();
    remove(*q);
    return messages;
}

inline status virtual_host::delete_exchange(std::string_view exchange_name, bool if_unused)
{
    if (status s = check_not_default(exchange_name); !s)
        return s;
    if (exchange_name.starts_with("amq."))
        return detail::failure(reply_code::access_refused, "deletion of system " +
                                                               text_of("exchange", exchange_name) +
                                                               " not allowed");
    exchange* x = lookup_exchange(exchange_name);
    if (x == nullptr)
        return {};
    if (if_unused && x->binding_count() > 0)
        return detail::precondition_failed(text_of("exchange", exchange_name) + " in use");
    remove(*x);
    sweep();
    return {};
}

inline void virtual_host::unbind(exchange_binding& b) noexcept
{
    exchange& source = *b.source;
    bindings_.remove(b);
    ++route_generation_;
    if (!source.auto_delete_ || source.binding_count_ > 0 || source.is_doomed_)
        return;
    source.is_doomed_ = true;
    source.next_doomed_ = std::exchange(doomed_, &source);
}

// By a list and not by recursion: exchanges bound in a row may be many.
inline void virtual_host::sweep() noexcept
{
    while (exchange* x = doomed_) {
        doomed_ = x->next_doomed_;
        remove(*x);
    }
}

inline void virtual_host::remove(exchange& x) noexcept
{
    while (x.outgoing_ != nullptr)
        bindings_.remove(*x.outgoing_);
    while (x.incoming_ != nullptr)
        unbind(*x.incoming_);
    exchanges_.erase(x.hash_, &x);
    ++route_generation_;
    ++exchange_generation_;
    delete &x;
}

inline void virtual_host::remove(queue& q) noexcept
{
    queues_.erase(q.hash_, &q);
    ++route_generation_;
    if (q.owner_ != nullptr)
        q.owner_->remove(q);
    while (q.incoming_ != nullptr)
        unbind(*q.incoming_);
    sweep();
    while (consumer* c = q.consumers_.first()) {
        q.consumers_.remove(*c);
        q.consumers_in_line_.remove(*c);
        c->channel_->queue_is_gone(*c);
    }
    q.retire();
}

inline void queue::lease_ended()
{
    if (consumers_.size() > 0)
        return; // armed again when they are gone
    if (last_use_ + settings_.expires > state_.now)
        arm_lease();
    else
        home_.remove(*this);
}

} // namespace leveret::broker
