// Bindings between exchanges, and alternate exchanges.
#include "conformance/conformance.hpp"

#include <string>

using namespace leveret::test;

LEVERET_CONFORMANCE_CASE("exchange.bind: messages go through, with their key and first exchange")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto source = t.name("source");
    const auto sink = t.name("sink");
    co_await channel.declare_exchange(source, "topic");
    co_await channel.declare_exchange(sink, "direct");
    co_await channel.bind_exchange(sink, source, "a.#");
    const auto queue = co_await bound_queue(channel, sink, "a.b");
    co_await channel.publish(source, "a.b", "yes");
    co_await channel.publish(source, "a.c", "stops at the second");
    co_await channel.publish(source, "b", "stops at the first");
    auto got = co_await channel.get(queue);
    REQUIRE(got);
    CHECK(got->body() == "yes");
    CHECK(got->routing_key() == "a.b");
    CHECK(got->exchange() == source);
    got->ack();
    const auto more = co_await drain(channel, queue);
    CHECK(more == "");
}

LEVERET_CONFORMANCE_CASE("exchange.bind: a message comes once by however many ways")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto top = t.name("top");
    const auto left = t.name("left");
    const auto right = t.name("right");
    for (const auto& exchange : {top, left, right})
        co_await channel.declare_exchange(exchange, "fanout");
    co_await channel.bind_exchange(left, top);
    co_await channel.bind_exchange(right, top, "another key");
    const auto queue = co_await bound_queue(channel, left, "");
    co_await channel.bind_queue(queue, right);
    co_await channel.bind_queue(queue, top);
    co_await channel.publish(top, "", "once");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "once");
}

LEVERET_CONFORMANCE_CASE("exchange.bind: cycles are walked once")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto a = t.name("a");
    const auto b = t.name("b");
    const auto c = t.name("c");
    for (const auto& exchange : {a, b, c})
        co_await channel.declare_exchange(exchange, "fanout");
    co_await channel.bind_exchange(b, a);
    co_await channel.bind_exchange(c, b);
    co_await channel.bind_exchange(a, c);
    co_await channel.bind_exchange(a, a);
    const auto at_a = co_await bound_queue(channel, a, "");
    const auto at_c = co_await bound_queue(channel, c, "");
    co_await channel.publish(b, "", "round");
    const auto first = co_await drain(channel, at_a);
    const auto last = co_await drain(channel, at_c);
    CHECK(first == "round");
    CHECK(last == "round");
}

LEVERET_CONFORMANCE_CASE("exchange.bind: twice is the same as once, and undone once")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto source = t.name("source");
    const auto sink = t.name("sink");
    co_await channel.declare_exchange(source, "direct");
    co_await channel.declare_exchange(sink, "fanout");
    const auto queue = co_await bound_queue(channel, sink, "");
    co_await channel.bind_exchange(sink, source, "k");
    co_await channel.bind_exchange(sink, source, "k");
    co_await channel.bind_exchange(sink, source, "l");
    co_await channel.publish(source, "k", "1");
    co_await channel.unbind_exchange(sink, source, "k");
    co_await channel.publish(source, "k", "2");
    co_await channel.publish(source, "l", "3");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "1 3");
}

LEVERET_CONFORMANCE_CASE("exchange.bind: the source's type says what the binding means")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto source = t.name("source");
    const auto sink = t.name("sink");
    co_await channel.declare_exchange(source, "headers");
    co_await channel.declare_exchange(sink, "topic");
    const lv::table arguments{{"x-match", "all"}, {"colour", "green"}};
    co_await channel.bind_exchange(sink, source, "ignored", {.arguments = arguments});
    const auto queue = co_await bound_queue(channel, sink, "*.b");
    co_await channel.publish(source, "a.b", lv::message{"1"}.header("colour", "green"));
    co_await channel.publish(source, "a.b", lv::message{"2"}.header("colour", "red"));
    co_await channel.publish(source, "a.c", lv::message{"3"}.header("colour", "green"));
    const auto got = co_await drain(channel, queue);
    CHECK(got == "1");
    co_await channel.unbind_exchange(sink, source, "ignored"); // another binding: not this
    co_await channel.publish(source, "a.b", lv::message{"4"}.header("colour", "green"));
    co_await channel.unbind_exchange(sink, source, "ignored", {.arguments = arguments});
    co_await channel.publish(source, "a.b", lv::message{"5"}.header("colour", "green"));
    const auto rest = co_await drain(channel, queue);
    CHECK(rest == "4");
}

LEVERET_CONFORMANCE_CASE("exchange.bind: source or destination is missing")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto missing = t.name("missing");
    const auto source = co_await refused(channel.bind_exchange("amq.direct", missing, "k"));
    CHECK(source == no_exchange(missing, ids::exchange_bind));
    channel = co_await connection.open_channel();
    const auto destination = co_await refused(channel.bind_exchange(missing, "amq.direct", "k"));
    CHECK(destination == no_exchange(missing, ids::exchange_bind));
}

LEVERET_CONFORMANCE_CASE("exchange.unbind: what is not bound, or not there, is no error")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto missing = t.name("missing");
    co_await channel.unbind_exchange("amq.direct", "amq.topic", missing);
    co_await channel.unbind_exchange(missing, "amq.topic", "k");
    co_await channel.unbind_exchange("amq.direct", missing, "k");
    CHECK(channel.is_open());
}

LEVERET_CONFORMANCE_CASE("exchange.bind: a deleted exchange is out of the middle")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto a = t.name("a");
    const auto b = t.name("b");
    const auto c = t.name("c");
    for (const auto& exchange : {a, b, c})
        co_await channel.declare_exchange(exchange, "fanout");
    co_await channel.bind_exchange(b, a);
    co_await channel.bind_exchange(c, b);
    const auto queue = co_await bound_queue(channel, c, "");
    co_await channel.publish(a, "", "1");
    co_await channel.delete_exchange(b);
    co_await channel.publish(a, "", "2");
    co_await channel.declare_exchange(b, "fanout");
    co_await channel.publish(a, "", "3");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "1");
}

LEVERET_CONFORMANCE_CASE("exchange.bind: without waiting for the answer")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto sink = t.name("sink");
    co_await channel.declare_exchange(sink, "fanout");
    const auto queue = co_await bound_queue(channel, sink, "");
    co_await channel.bind_exchange(sink, "amq.direct", sink, {.no_wait = true});
    co_await channel.publish("amq.direct", sink, "1");
    co_await channel.unbind_exchange(sink, "amq.direct", sink, {.no_wait = true});
    co_await channel.publish("amq.direct", sink, "2");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "1");
}

LEVERET_CONFORMANCE_CASE("alternate exchange: gets what reaches no queue, and nothing else")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto alternate = t.name("alternate");
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(alternate, "fanout");
    co_await channel.declare_exchange(exchange, "direct", {.alternate_exchange = alternate});
    const auto queue = co_await bound_queue(channel, exchange, "k");
    const auto others = co_await bound_queue(channel, alternate, "");
    co_await channel.publish(exchange, "k", "known");
    co_await channel.publish(exchange, "u", "unknown");
    const auto known = co_await drain(channel, queue);
    CHECK(known == "known");
    auto got = co_await channel.get(others, {.no_ack = true});
    REQUIRE(got);
    CHECK(got->body() == "unknown");
    CHECK(got->exchange() == exchange);
    CHECK(got->routing_key() == "u");
    const auto more = co_await drain(channel, others);
    CHECK(more == "");
}

LEVERET_CONFORMANCE_CASE("alternate exchange: it has one of its own, and so on, even in a circle")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto a = t.name("a");
    const auto b = t.name("b");
    const auto c = t.name("c");
    co_await channel.declare_exchange(a, "direct", {.alternate_exchange = b});
    co_await channel.declare_exchange(b, "direct", {.alternate_exchange = c});
    co_await channel.declare_exchange(c, "direct", {.alternate_exchange = a});
    const auto queue = co_await bound_queue(channel, c, "k");
    co_await channel.publish(a, "k", "found");
    co_await channel.publish(a, "nobody's", lv::message{"lost"}, {.mandatory = true});
    auto returned = co_await channel.next_return({.timeout = patience});
    CHECK(returned.message().text() == "lost");
    CHECK(returned.exchange() == a);
    const auto got = co_await drain(channel, queue);
    CHECK(got == "found");
}

LEVERET_CONFORMANCE_CASE("alternate exchange: what it routes is not unroutable")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto alternate = t.name("alternate");
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(alternate, "direct");
    co_await channel.declare_exchange(exchange, "direct", {.alternate_exchange = alternate});
    const auto queue = co_await bound_queue(channel, alternate, "k");
    const auto good = co_await channel.publish_confirmed(exchange, "k", "x");
    CHECK(good.is_confirmed());
    const auto bad = co_await channel.publish_confirmed(exchange, "nobody's", "y");
    CHECK(bad.is_unroutable());
    const auto got = co_await drain(channel, queue);
    CHECK(got == "x");
}

LEVERET_CONFORMANCE_CASE("alternate exchange: may be missing, and is looked for again each time")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto alternate = t.name("alternate");
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "fanout", {.alternate_exchange = alternate});
    const auto lost = co_await channel.publish_confirmed(exchange, "", "1");
    CHECK(lost.is_unroutable());
    co_await channel.declare_exchange(alternate, "fanout");
    const auto queue = co_await bound_queue(channel, alternate, "");
    const auto found = co_await channel.publish_confirmed(exchange, "", "2");
    CHECK(found.is_confirmed());
    const auto got = co_await drain(channel, queue);
    CHECK(got == "2");
}

LEVERET_CONFORMANCE_CASE("alternate exchange: of an exchange that is bound to the one published to")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto alternate = t.name("alternate");
    const auto inner = t.name("inner");
    const auto outer = t.name("outer");
    co_await channel.declare_exchange(alternate, "fanout");
    co_await channel.declare_exchange(inner, "direct", {.alternate_exchange = alternate});
    co_await channel.declare_exchange(outer, "fanout");
    co_await channel.bind_exchange(inner, outer);
    const auto at_outer = co_await bound_queue(channel, outer, "");
    const auto at_alternate = co_await bound_queue(channel, alternate, "");
    co_await channel.publish(outer, "k", "both"); // not routed by inner, though by outer
    const auto first = co_await drain(channel, at_outer);
    const auto second = co_await drain(channel, at_alternate);
    CHECK(first == "both");
    CHECK(second == "both");
}
