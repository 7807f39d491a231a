#pragma once

#include <cstdint>

/// \file
/// The rules that a topology must keep, each with the sentence that a compiler prints when it is broken.

namespace leveret {

/// What can be wrong with a topology.
enum class topology_rule : std::uint8_t {
    none,
    // names
    empty_name,
    name_too_long,
    reserved_name,
    predeclared_exchange,
    exchange_declared_twice,
    queue_declared_twice,
    // bindings
    unknown_exchange,
    unknown_queue,
    unknown_destination,
    binding_of_default_exchange,
    binding_twice,
    exchange_has_changed,
    queue_has_changed,
    key_too_long,
    key_for_fanout,
    key_for_headers,
    no_key_for_direct,
    no_pattern_for_topic,
    wildcard_for_direct,
    pattern_with_empty_word,
    pattern_with_star_inside_word,
    pattern_with_hash_inside_word,
    headers_elsewhere,
    no_headers,
    x_match,
    refused_key,
    // options
    option_twice,
    not_an_exchange_option,
    not_a_queue_option,
    argument_twice,
    argument_name_too_long,
    // arguments that have options of their own
    argument_message_ttl,
    argument_expires,
    argument_max_length,
    argument_max_length_bytes,
    argument_overflow,
    argument_dead_letter_exchange,
    argument_dead_letter_routing_key,
    argument_max_priority,
    argument_single_active_consumer,
    argument_queue_type,
    argument_delivery_limit,
    argument_alternate_exchange,
    // values
    negative_value,
    zero_expires,
    time_too_long,
    priority_out_of_range,
    quorum_exclusive,
    quorum_auto_delete,
    quorum_not_durable,
    quorum_priority,
    quorum_reject_publish_dlx,
    delivery_limit_without_quorum,
    dead_letter_key_without_exchange,
    reject_publish_dlx_without_exchange,
    unknown_dead_letter_exchange,
    unknown_alternate_exchange,
    own_alternate_exchange,
    // publishing
    publish_to_unknown_exchange,
    publish_to_internal_exchange,
    publish_is_unbound,
    publish_key_too_long,
};

namespace topology_detail {

/// Doesn't compile if `Broken` is a rule; `Offender`, which breaks it, is then named where the compiler tells
/// what it instantiates.
template <topology_rule Broken, class Offender, class... Others>
struct check {
    using enum topology_rule;
    static_assert(Broken != empty_name, "leveret: a topology's exchanges and queues have names");
    static_assert(Broken != name_too_long, "leveret: a name has at most 255 bytes");
    static_assert(Broken != reserved_name,
                  "leveret: names that begin with 'amq.' are the broker's own");
    static_assert(Broken != predeclared_exchange, "leveret: a predeclared exchange (amq.topic and "
                                                  "its like) has its own type, is durable and has "
                                                  "no other options");
    static_assert(Broken != exchange_declared_twice,
                  "leveret: an exchange is declared twice with different types or options");
    static_assert(Broken != queue_declared_twice,
                  "leveret: a queue is declared twice with different options");
    static_assert(Broken != unknown_exchange,
                  "leveret: a binding's exchange is not in the topology");
    static_assert(Broken != unknown_queue, "leveret: a binding's queue is not in the topology");
    static_assert(Broken != unknown_destination,
                  "leveret: the exchange that a binding leads to is not in the topology");
    static_assert(Broken != binding_of_default_exchange,
                  "leveret: the default exchange has no bindings");
    static_assert(Broken != binding_twice, "leveret: a binding is there twice");
    static_assert(
        Broken != exchange_has_changed,
        "leveret: a binding's exchange is in the topology with another type or other options");
    static_assert(Broken != queue_has_changed,
                  "leveret: a binding's queue is in the topology with other options");
    static_assert(Broken != key_too_long,
                  "leveret: a binding's key or pattern has at most 255 bytes");
    static_assert(Broken != key_for_fanout, "leveret: a binding of a fanout exchange has a key or "
                                            "pattern, at which fanout does not look");
    static_assert(Broken != key_for_headers, "leveret: a binding of a headers exchange has a key "
                                             "or pattern, at which headers does not look");
    static_assert(Broken != no_key_for_direct,
                  "leveret: a binding of a direct exchange needs a key");
    static_assert(Broken != no_pattern_for_topic,
                  "leveret: a binding of a topic exchange needs a pattern");
    static_assert(Broken != wildcard_for_direct, "leveret: a binding of a direct exchange has a "
                                                 "wildcard as a word, which means nothing there");
    static_assert(Broken != pattern_with_empty_word,
                  "leveret: a word of a topic pattern is not empty");
    static_assert(Broken != pattern_with_star_inside_word,
                  "leveret: * is a word of its own in a topic pattern, not part of one");
    static_assert(Broken != pattern_with_hash_inside_word,
                  "leveret: # is a word of its own in a topic pattern, not part of one");
    static_assert(
        Broken != headers_elsewhere,
        "leveret: a binding has headers to match, but its exchange is not a headers exchange");
    static_assert(Broken != no_headers,
                  "leveret: a binding of a headers exchange names the headers to match");
    static_assert(Broken != x_match, "leveret: x-match is all, any, all-with-x or any-with-x");
    static_assert(Broken != refused_key,
                  "leveret: the exchange's policy refuses the binding's key");
    static_assert(Broken != option_twice,
                  "leveret: an option is given twice, or two that exclude each other");
    static_assert(Broken != not_an_exchange_option, "leveret: this is not an option of exchanges");
    static_assert(Broken != not_a_queue_option, "leveret: this is not an option of queues");
    static_assert(Broken != argument_twice, "leveret: an argument is given twice");
    static_assert(Broken != argument_name_too_long,
                  "leveret: an argument's name has 1 to 255 bytes");
    static_assert(Broken != argument_message_ttl,
                  "leveret: the argument x-message-ttl is the option message_ttl<...>");
    static_assert(Broken != argument_expires,
                  "leveret: the argument x-expires is the option expires<...>");
    static_assert(Broken != argument_max_length,
                  "leveret: the argument x-max-length is the option max_length<...>");
    static_assert(Broken != argument_max_length_bytes,
                  "leveret: the argument x-max-length-bytes is the option max_length_bytes<...>");
    static_assert(Broken != argument_overflow,
                  "leveret: the argument x-overflow is the option drop_head, reject_publish or reject_publish_dlx");
    static_assert(Broken != argument_dead_letter_exchange,
                  "leveret: the argument x-dead-letter-exchange is the option dead_letter_exchange<...>");
    static_assert(Broken != argument_dead_letter_routing_key,
                  "leveret: the argument x-dead-letter-routing-key is the option dead_letter_routing_key<...>");
    static_assert(Broken != argument_max_priority,
                  "leveret: the argument x-max-priority is the option max_priority<...>");
    static_assert(Broken != argument_single_active_consumer,
                  "leveret: the argument x-single-active-consumer is the option single_active_consumer");
    static_assert(Broken != argument_queue_type,
                  "leveret: the argument x-queue-type is the option classic or quorum");
    static_assert(Broken != argument_delivery_limit,
                  "leveret: the argument x-delivery-limit is the option delivery_limit<...>");
    static_assert(Broken != argument_alternate_exchange,
                  "leveret: the argument alternate-exchange is the option alternate_exchange<...>");
    static_assert(Broken != negative_value, "leveret: a time, length or limit is not negative");
    static_assert(Broken != zero_expires, "leveret: a queue can't expire after 0 ms");
    static_assert(Broken != time_too_long, "leveret: a time is at most 315360000000 ms, ten years");
    static_assert(Broken != priority_out_of_range,
                  "leveret: a queue's highest priority is 1 to 255");
    static_assert(Broken != quorum_exclusive, "leveret: a quorum queue can't be exclusive");
    static_assert(Broken != quorum_auto_delete,
                  "leveret: a quorum queue can't be deleted automatically");
    static_assert(Broken != quorum_not_durable, "leveret: a quorum queue must be durable");
    static_assert(Broken != quorum_priority, "leveret: a quorum queue has no x-max-priority");
    static_assert(Broken != quorum_reject_publish_dlx,
                  "leveret: a quorum queue does not know the overflow reject-publish-dlx");
    static_assert(Broken != delivery_limit_without_quorum,
                  "leveret: only a quorum queue has a delivery limit");
    static_assert(Broken != dead_letter_key_without_exchange,
                  "leveret: a dead letter routing key needs a dead letter exchange");
    static_assert(Broken != reject_publish_dlx_without_exchange,
                  "leveret: the overflow reject-publish-dlx needs a dead letter exchange");
    static_assert(Broken != unknown_dead_letter_exchange,
                  "leveret: a queue's dead letter exchange is not in the topology");
    static_assert(Broken != unknown_alternate_exchange,
                  "leveret: an exchange's alternate exchange is not in the topology");
    static_assert(Broken != own_alternate_exchange,
                  "leveret: an exchange is its own alternate exchange, which gets nothing");
    static_assert(Broken != publish_to_unknown_exchange,
                  "leveret: publish: the exchange is not in the topology");
    static_assert(
        Broken != publish_to_internal_exchange,
        "leveret: publish: the exchange is internal: bindings reach it, publishers don't");
    static_assert(
        Broken != publish_is_unbound,
        "leveret: publish: no binding of the topology routes this key from the exchange (or say "
        "unbound_ok)");
    static_assert(Broken != publish_key_too_long,
                  "leveret: publish: a routing key has at most 255 bytes");
    static constexpr bool holds = true;
};

} // namespace topology_detail

} // namespace leveret
