// exchange.declare and exchange.delete.
#include "conformance/conformance.hpp"

#include <string>

using namespace leveret::test;

LEVERET_CONFORMANCE_CASE("exchange.declare: the predeclared exchanges are there, with their types")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    // Durable, and otherwise as by default: each of these would be refused if it were not so.
    co_await channel.declare_exchange("amq.direct", "direct", {.durable = true});
    co_await channel.declare_exchange("amq.fanout", "fanout", {.durable = true});
    co_await channel.declare_exchange("amq.topic", "topic", {.durable = true});
    co_await channel.declare_exchange("amq.headers", "headers", {.durable = true});
    co_await channel.declare_exchange("amq.match", "headers", {.durable = true});
    const auto e = co_await refused(channel.declare_exchange("amq.direct", "fanout", {.durable = true}));
    CHECK(e == precondition_failed("inequivalent arg 'type' for exchange 'amq.direct' in vhost '/': "
                                   "received 'fanout' but current is 'direct'",
                                   ids::exchange_declare));
}

LEVERET_CONFORMANCE_CASE("exchange.declare: passive finds by name only and makes nothing")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    const auto e = co_await refused(channel.declare_exchange(exchange, "direct", {.passive = true}));
    CHECK(e == no_exchange(exchange, ids::exchange_declare));
    CHECK(!channel.is_open());
    const bool made = co_await exchange_exists(connection, exchange);
    CHECK(!made);

    channel = co_await connection.open_channel();
    co_await channel.declare_exchange(exchange, "direct");
    co_await channel.declare_exchange(exchange, "topic", {.passive = true, .durable = true});
    CHECK(channel.is_open());
}

LEVERET_CONFORMANCE_CASE("exchange.declare: again with the same properties is no error")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "topic", {.durable = true, .internal = true});
    co_await channel.declare_exchange(exchange, "topic", {.durable = true, .internal = true});
    auto other = co_await t.connect();
    auto others = co_await other.open_channel();
    co_await others.declare_exchange(exchange, "topic", {.durable = true, .internal = true});
    CHECK(others.is_open());
    CHECK(channel.is_open());
}

LEVERET_CONFORMANCE_CASE("exchange.declare: again with another type, durable, auto_delete or internal")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "direct");
    const std::string of = " for exchange '" + exchange + "' in vhost '/': received ";

    const auto type = co_await refused(channel.declare_exchange(exchange, "fanout"));
    CHECK(type == precondition_failed("inequivalent arg 'type'" + of + "'fanout' but current is 'direct'",
                                      ids::exchange_declare));
    channel = co_await connection.open_channel();
    const auto durable =
        co_await refused(channel.declare_exchange(exchange, "direct", {.durable = true}));
    CHECK(durable == precondition_failed("inequivalent arg 'durable'" + of +
                                             "'true' but current is 'false'",
                                         ids::exchange_declare));
    channel = co_await connection.open_channel();
    const auto auto_delete =
        co_await refused(channel.declare_exchange(exchange, "direct", {.auto_delete = true}));
    CHECK(auto_delete == precondition_failed("inequivalent arg 'auto_delete'" + of +
                                                 "'true' but current is 'false'",
                                             ids::exchange_declare));
    channel = co_await connection.open_channel();
    const auto internal =
        co_await refused(channel.declare_exchange(exchange, "direct", {.internal = true}));
    CHECK(internal == precondition_failed("inequivalent arg 'internal'" + of +
                                              "'true' but current is 'false'",
                                          ids::exchange_declare));
}

LEVERET_CONFORMANCE_CASE("exchange.declare: again with another alternate exchange")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "direct", {.alternate_exchange = "one"});
    co_await channel.declare_exchange(exchange, "direct", {.alternate_exchange = "one"});
    const std::string of = "inequivalent arg 'alternate-exchange' for exchange '" + exchange +
                           "' in vhost '/': received ";
    const auto other =
        co_await refused(channel.declare_exchange(exchange, "direct", {.alternate_exchange = "two"}));
    CHECK(other == precondition_failed(of + "'two' but current is 'one'", ids::exchange_declare));

    channel = co_await connection.open_channel();
    const auto none = co_await refused(channel.declare_exchange(exchange, "direct"));
    CHECK(none == precondition_failed(of + "none but current is the value 'one' of type 'longstr'",
                                      ids::exchange_declare));

    channel = co_await connection.open_channel();
    const auto plain = t.name("plain");
    co_await channel.declare_exchange(plain, "direct");
    const auto added =
        co_await refused(channel.declare_exchange(plain, "direct", {.alternate_exchange = "one"}));
    CHECK(added == precondition_failed("inequivalent arg 'alternate-exchange' for exchange '" + plain +
                                           "' in vhost '/': received the value 'one' of type 'longstr' "
                                           "but current is none",
                                       ids::exchange_declare));
}

LEVERET_CONFORMANCE_CASE("exchange.declare: arguments that nobody knows don't matter")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    const lv::table one{{"colour", "green"}};
    const lv::table two{{"colour", 7}, {"x-size", true}};
    co_await channel.declare_exchange(exchange, "direct", {.arguments = one});
    co_await channel.declare_exchange(exchange, "direct", {.arguments = two});
    CHECK(channel.is_open());
}

LEVERET_CONFORMANCE_CASE("exchange.declare: an alternate exchange must be a text")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    const lv::table wrong{{"alternate-exchange", 5}};
    const auto e = co_await refused(channel.declare_exchange(exchange, "direct", {.arguments = wrong}));
    CHECK(e == precondition_failed("invalid type 'signedint' for arg 'alternate-exchange' in exchange '" +
                                       exchange + "' in vhost '/'",
                                   ids::exchange_declare));
    const bool made = co_await exchange_exists(connection, exchange);
    CHECK(!made);
}

LEVERET_CONFORMANCE_CASE("exchange.declare: names that begin with amq. are the broker's")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto e = co_await refused(channel.declare_exchange("amq.mine", "direct"));
    CHECK(e == access_refused("exchange name 'amq.mine' contains reserved prefix 'amq.*'",
                              ids::exchange_declare));
    channel = co_await connection.open_channel();
    const auto passive =
        co_await refused(channel.declare_exchange("amq.mine", "direct", {.passive = true}));
    CHECK(passive == no_exchange("amq.mine", ids::exchange_declare));
    channel = co_await connection.open_channel();
    const auto similar = t.name("amq");
    co_await channel.declare_exchange("amqp" + similar, "direct", {.auto_delete = true});
    co_await channel.delete_exchange("amqp" + similar);
    CHECK(channel.is_open());
}

LEVERET_CONFORMANCE_CASE("exchange.declare: an unknown type is refused and makes nothing")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    const auto e = co_await refused(channel.declare_exchange(exchange, "no-such-type"));
    if (Transport::is_rabbitmq()) { // 3.10; later ones close the channel with 406, as others may
        CHECK(e == closes_connection(503, "COMMAND_INVALID - unknown exchange type 'no-such-type'",
                                     ids::exchange_declare));
    } else {
        CHECK(e.closed() == refusal::level::channel);
        CHECK(e.code() == 406);
    }
    auto other = co_await t.connect();
    const bool made = co_await exchange_exists(other, exchange);
    CHECK(!made);
}

LEVERET_CONFORMANCE_CASE("exchange.declare: no wait; an error comes later")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "direct", {.no_wait = true});
    co_await channel.declare_exchange(exchange, "direct", {.passive = true});
    co_await channel.declare_exchange(exchange, "fanout", {.no_wait = true});
    const auto e = co_await refused(channel.next_return({.timeout = patience}));
    CHECK(e == precondition_failed("inequivalent arg 'type' for exchange '" + exchange +
                                       "' in vhost '/': received 'fanout' but current is 'direct'",
                                   ids::exchange_declare));
}

LEVERET_CONFORMANCE_CASE("the default exchange can't be declared, deleted or bound")
{
    auto connection = co_await t.connect();
    const std::string text = "operation not permitted on the default exchange";
    auto channel = co_await connection.open_channel();
    const auto declared = co_await refused(channel.declare_exchange("", "direct", {.durable = true}));
    CHECK(declared == access_refused(text, ids::exchange_declare));
    channel = co_await connection.open_channel();
    const auto passive = co_await refused(channel.declare_exchange("", "direct", {.passive = true}));
    CHECK(passive == access_refused(text, ids::exchange_declare));
    channel = co_await connection.open_channel();
    const auto deleted = co_await refused(channel.delete_exchange(""));
    CHECK(deleted == access_refused(text, ids::exchange_delete));
    channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const auto bound = co_await refused(channel.bind_queue(queue, "", "key"));
    CHECK(bound == access_refused(text, ids::queue_bind));
    channel = co_await connection.open_channel();
    const auto unbound = co_await refused(channel.unbind_queue(queue, "", queue));
    CHECK(unbound == access_refused(text, ids::queue_unbind));
    channel = co_await connection.open_channel();
    const auto source = co_await refused(channel.bind_exchange("amq.direct", "", "key"));
    CHECK(source == access_refused(text, ids::exchange_bind));
    channel = co_await connection.open_channel();
    const auto destination = co_await refused(channel.bind_exchange("", "amq.direct", "key"));
    CHECK(destination == access_refused(text, ids::exchange_bind));
    channel = co_await connection.open_channel();
    const auto undone = co_await refused(channel.unbind_exchange("amq.direct", "", "key"));
    CHECK(undone == access_refused(text, ids::exchange_unbind));
}

LEVERET_CONFORMANCE_CASE("exchange.delete: its bindings go with it")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "fanout");
    const auto queue = co_await bound_queue(channel, exchange, "");
    co_await channel.delete_exchange(exchange);
    const bool there = co_await exchange_exists(connection, exchange);
    CHECK(!there);
    co_await channel.declare_exchange(exchange, "fanout"); // a new one of the name
    co_await send(channel, exchange, "", "lost");
    const auto lost = co_await drain(channel, queue);
    CHECK(lost == "");
    co_await channel.bind_queue(queue, exchange);
    co_await send(channel, exchange, "", "comes");
    const auto comes = co_await drain(channel, queue);
    CHECK(comes == "comes");
}

LEVERET_CONFORMANCE_CASE("exchange.delete: one that is not there is no error")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.delete_exchange(exchange);
    co_await channel.delete_exchange(exchange, {.if_unused = true});
    co_await channel.declare_exchange(exchange, "direct");
    co_await channel.delete_exchange(exchange, {.no_wait = true});
    const auto gone = co_await refused(channel.declare_exchange(exchange, "direct", {.passive = true}));
    CHECK(gone == no_exchange(exchange, ids::exchange_declare));
}

LEVERET_CONFORMANCE_CASE("exchange.delete: if unused, with bindings from it and to it")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "direct");
    const auto queue = co_await bound_queue(channel, exchange, "k");
    const auto e = co_await refused(channel.delete_exchange(exchange, {.if_unused = true}));
    CHECK(e == precondition_failed("exchange '" + exchange + "' in vhost '/' in use",
                                   ids::exchange_delete));
    channel = co_await connection.open_channel();
    co_await channel.unbind_queue(queue, exchange, "k");
    co_await channel.bind_exchange(exchange, "amq.fanout"); // being a destination is no use
    co_await channel.delete_exchange(exchange, {.if_unused = true});
    const bool there = co_await exchange_exists(connection, exchange);
    CHECK(!there);
}

LEVERET_CONFORMANCE_CASE("exchange.delete: the predeclared ones stay")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto e = co_await refused(channel.delete_exchange("amq.topic"));
    CHECK(e == access_refused("deletion of system exchange 'amq.topic' in vhost '/' not allowed",
                              ids::exchange_delete));
    const bool there = co_await exchange_exists(connection, "amq.topic");
    CHECK(there);
}

LEVERET_CONFORMANCE_CASE("auto-delete exchange: goes with its last binding and not before its first")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "direct", {.auto_delete = true});
    const auto first = co_await bound_queue(channel, exchange, "k");
    const auto second = co_await bound_queue(channel, exchange, "k");
    co_await channel.bind_queue(second, exchange, "other");
    co_await channel.unbind_queue(first, exchange, "k");
    co_await channel.unbind_queue(second, exchange, "k");
    const bool still = co_await exchange_exists(connection, exchange);
    CHECK(still);
    co_await channel.unbind_queue(second, exchange, "other");
    const bool gone = !co_await exchange_exists(connection, exchange);
    CHECK(gone);
}

LEVERET_CONFORMANCE_CASE("auto-delete exchange: goes with the queue that it was bound to last")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "direct", {.auto_delete = true});
    const auto queue = co_await bound_queue(channel, exchange, "k");
    co_await channel.delete_queue(queue);
    const bool there = co_await exchange_exists(connection, exchange);
    CHECK(!there);
}

LEVERET_CONFORMANCE_CASE("auto-delete exchange: bindings to it don't keep it, bindings from it to exchanges do")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    const auto sink = t.name("sink");
    co_await channel.declare_exchange(exchange, "direct", {.auto_delete = true});
    co_await channel.declare_exchange(sink, "fanout");
    co_await channel.bind_exchange(exchange, "amq.direct", exchange);
    co_await channel.unbind_exchange(exchange, "amq.direct", exchange); // was never a source
    const bool unused = co_await exchange_exists(connection, exchange);
    CHECK(unused);
    co_await channel.bind_exchange(exchange, "amq.direct", exchange);
    co_await channel.bind_exchange(sink, exchange, "k");
    const bool used = co_await exchange_exists(connection, exchange);
    CHECK(used);
    co_await channel.delete_exchange(sink); // takes the last binding with it
    const bool gone = !co_await exchange_exists(connection, exchange);
    CHECK(gone);
}

LEVERET_CONFORMANCE_CASE("internal exchange: no publishing, but routing from others")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto inner = t.name("inner");
    co_await channel.declare_exchange(inner, "fanout", {.internal = true});
    const auto queue = co_await bound_queue(channel, inner, "");
    co_await channel.bind_exchange(inner, "amq.direct", inner);
    co_await channel.publish("amq.direct", inner, "through");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "through");
    const auto e = co_await refused_publish(channel, inner, "", "direct");
    CHECK(e == access_refused("cannot publish to internal exchange '" + inner + "' in vhost '/'",
                              ids::basic_publish));
}
