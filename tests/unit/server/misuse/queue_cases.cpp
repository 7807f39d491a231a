// Queues and exchanges.
#include "unit/server/misuse/misuse.hpp"

namespace leveret::test {

namespace {

void add_declarations(misuse_cases& all)
{
    const auto q = misused_queue;
    all["queue: passive declare of a missing queue"] = [q](misuse& m) {
        m.open().declare({.queue = q, .passive = true});
    };
    all["queue: declare passive, empty name, nothing declared before"] = [](misuse& m) {
        m.open().declare({.passive = true});
    };
    all["queue: redeclare, auto_delete differs"] = [q](misuse& m) {
        m.open().declare().declare({.queue = q, .auto_delete = true});
    };
    all["queue: redeclare, exclusive differs (same connection)"] = [q](misuse& m) {
        m.open().declare().declare({.queue = q, .exclusive = true});
    };
    all["queue: redeclare exclusive queue as non-exclusive (same connection)"] = [q](misuse& m) {
        m.open().declare({.queue = q, .exclusive = true}).declare();
    };
    all["queue: redeclare, x-message-ttl differs"] = [](misuse& m) {
        m.open().declare({{"x-message-ttl", 1000}}).declare({{"x-message-ttl", 2000}});
    };
    all["queue: redeclare, x-max-length added"] = [](misuse& m) {
        m.open().declare().declare({{"x-max-length", 5}});
    };
    all["queue: redeclare, unknown argument differs"] = [](misuse& m) {
        m.open().declare({{"x-whatever", 1}}).declare({{"x-whatever", 2}});
    };
    all["queue: redeclare, same ttl in another integer width"] = [](misuse& m) {
        m.open()
            .declare({{"x-message-ttl", 1000}})
            .declare({{"x-message-ttl", std::int64_t{1000}}});
    };
    all["queue: declare amq.* name"] = [](misuse& m) { m.open().declare({.queue = "amq.mis"}); };
    all["queue: passive declare amq.* name"] = [](misuse& m) {
        m.open().declare({.queue = "amq.mis", .passive = true});
    };
    all["queue: name that is not UTF-8"] = [](misuse& m) {
        m.open().declare({.queue = "\xff\xfe"});
    };
}

void add_arguments(misuse_cases& all)
{
    const auto with = [&](const char* name, const char* argument, const field_value& value) {
        all[name] = [=](misuse& m) {
            table t;
            t.append(argument, value);
            m.open().declare(t);
        };
    };
    with("queue: x-message-ttl too large", "x-message-ttl", std::int64_t{315'360'000'000});
    with("queue: x-expires 0", "x-expires", 0);
    with("queue: x-expires string", "x-expires", "1000");
    with("queue: x-max-length negative", "x-max-length", -5);
    with("queue: x-max-length-bytes string", "x-max-length-bytes", "1000");
    with("queue: x-max-priority 256", "x-max-priority", 256);
    with("queue: x-max-priority negative", "x-max-priority", -1);
    with("queue: x-overflow unknown value", "x-overflow", "nosuch");
    with("queue: x-overflow integer", "x-overflow", 1);
    with("queue: x-dead-letter-routing-key without exchange", "x-dead-letter-routing-key", "k");
    with("queue: x-queue-type unknown", "x-queue-type", "nosuch");
    with("queue: x-queue-mode unknown", "x-queue-mode", "nosuch");
    with("queue: x-single-active-consumer string", "x-single-active-consumer", "yes");
}

void add_uses(misuse_cases& all)
{
    const auto q = misused_queue;
    all["queue: exclusive queue, consume / get / purge / delete / bind from another connection"] =
        [q](misuse& m) {
            server_peer other(m.server);
            other.open();
            other.send(frame(1, wire::queue::declare{.queue = q, .exclusive = true}));
            m.open();
            for (std::uint16_t n = 2; n <= 6; ++n)
                m.open_channel(n);
            m.send(wire::basic::consume{.queue = q, .consumer_tag = "t"}, 2);
            m.send(wire::basic::get{.queue = q}, 3);
            m.send(wire::queue::purge{.queue = q}, 4);
            m.send(wire::queue::delete_{.queue = q}, 5);
            m.send(wire::queue::bind{.queue = q, .exchange = "amq.direct", .routing_key = "k"}, 6);
        };
    all["queue: delete of a missing queue"] = [q](misuse& m) {
        m.open().send(wire::queue::delete_{.queue = q});
    };
    all["queue: delete if-unused, queue has a consumer"] = [q](misuse& m) {
        m.open().declare().send(wire::basic::consume{.queue = q, .consumer_tag = "t"});
        m.send(wire::queue::delete_{.queue = q, .if_unused = true});
    };
    all["queue: delete if-empty, queue has messages"] = [q](misuse& m) {
        m.open().declare().publish().send(wire::queue::delete_{.queue = q, .if_empty = true});
    };
    all["queue: purge of a missing queue"] = [q](misuse& m) {
        m.open().send(wire::queue::purge{.queue = q});
    };
    all["queue: bind, queue missing"] = [](misuse& m) {
        m.open().send(
            wire::queue::bind{.queue = "mis.nosuch", .exchange = "amq.direct", .routing_key = "k"});
    };
    all["queue: bind, both missing"] = [](misuse& m) {
        m.open().send(wire::queue::bind{
            .queue = "mis.nosuch", .exchange = "mis.nosuch2", .routing_key = "k"});
    };
    all["queue: unbind, exchange missing"] = [q](misuse& m) {
        m.open().declare().send(
            wire::queue::unbind{.queue = q, .exchange = "mis.nosuch", .routing_key = "k"});
    };
    all["queue: bind, empty queue name and key = last declared queue, name as key"] =
        [q](misuse& m) {
            m.open().declare().send(wire::queue::bind{.exchange = "amq.direct"});
            m.publish({.exchange = "amq.direct", .routing_key = q}).declare();
        };
}

void add_exchanges(misuse_cases& all)
{
    const std::string_view x = "mis.x";
    const auto twice = [&](const char* name, wire::exchange::declare other) {
        all[name] = [=](misuse& m) {
            m.open().declare_exchange({.exchange = x}).declare_exchange(other);
        };
    };
    all["exchange: passive declare of a missing exchange"] = [x](misuse& m) {
        m.open().declare_exchange({.exchange = x, .passive = true});
    };
    all["exchange: unknown type"] = [x](misuse& m) {
        m.open().declare_exchange({.exchange = x, .type = "nosuchtype"});
    };
    twice("exchange: redeclare with another type", {.exchange = x, .type = "fanout"});
    twice("exchange: redeclare, durable differs", {.exchange = x, .durable = true});
    twice("exchange: redeclare, internal differs", {.exchange = x, .internal = true});
    all["exchange: passive declare of amq.direct"] = [](misuse& m) {
        m.open().declare_exchange({.exchange = "amq.direct", .passive = true});
    };
    all["exchange: redeclare amq.direct with its own properties"] = [](misuse& m) {
        m.open().declare_exchange({.exchange = "amq.direct", .durable = true});
    };
    all["exchange: redeclare amq.direct as fanout"] = [](misuse& m) {
        m.open().declare_exchange({.exchange = "amq.direct", .type = "fanout", .durable = true});
    };
    all["exchange: delete the default exchange"] = [](misuse& m) {
        m.open().send(wire::exchange::delete_{});
    };
    all["exchange: alternate-exchange of the wrong type"] = [x](misuse& m) {
        m.open().declare_exchange({.exchange = x}, {{"alternate-exchange", 1}});
    };
    all["exchange: e2e bind, source missing"] = [x](misuse& m) {
        m.open().declare_exchange({.exchange = x});
        m.send(wire::exchange::bind{.destination = x, .source = "mis.nosuch", .routing_key = "k"});
    };
    all["exchange: e2e bind, destination missing"] = [x](misuse& m) {
        m.open().declare_exchange({.exchange = x});
        m.send(wire::exchange::bind{.destination = "mis.nosuch", .source = x, .routing_key = "k"});
    };
    all["exchange: publish to a missing exchange"] = [](misuse& m) {
        m.open().publish({.exchange = "mis.nosuch", .routing_key = "k"});
    };
    all["exchange: publish to an internal exchange"] = [x](misuse& m) {
        m.open().declare_exchange({.exchange = x, .internal = true});
        m.publish({.exchange = x, .routing_key = "k"});
    };
}

} // namespace

void add_queue_cases(misuse_cases& all)
{
    add_declarations(all);
    add_arguments(all);
    add_uses(all);
    add_exchanges(all);
}

} // namespace leveret::test
