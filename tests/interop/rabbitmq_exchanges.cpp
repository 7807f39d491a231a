// Exchanges of a real RabbitMQ: every type and property, their bindings to queues and to each other.
#include "interop/broker.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace leveret::test;

namespace {

/// What waits in a queue, in order, each acknowledged.
asio::awaitable<std::vector<std::string>> drained(lv::amqp::channel channel, std::string queue)
{
    std::vector<std::string> bodies;
    for (;;) {
        auto got = co_await channel.get(queue);
        if (!got)
            co_return bodies;
        bodies.emplace_back(got->body());
        got->ack();
    }
}

using strings = std::vector<std::string>;

} // namespace

LEVERET_CORO_TEST_CASE("RabbitMQ: a direct exchange routes by the whole key")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = unique("direct");
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    co_await channel.declare_exchange(exchange, lv::exchange_type::direct, {.auto_delete = true});
    co_await channel.bind_queue(queue, exchange, "a.b");

    co_await channel.publish(exchange, "a.b", "yes");
    co_await channel.publish(exchange, "a", "no");
    co_await channel.publish(exchange, "a.*", "no");
    const auto got = co_await drained(channel, queue);
    CHECK(got == strings{"yes"});

    co_await channel.unbind_queue(queue, exchange, "a.b"); // the last binding: the exchange goes too
    const auto gone = co_await failure_of<lv::channel_error>(
        channel.declare_exchange(exchange, lv::exchange_type::direct, {.passive = true}));
    CHECK(gone.code() == lv::reply_code::not_found);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a fanout exchange copies to every queue")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = unique("fanout");
    co_await channel.declare_exchange(exchange, lv::exchange_type::fanout);
    const auto first = (co_await channel.declare_queue("", {.exclusive = true})).name();
    const auto second = (co_await channel.declare_queue("", {.exclusive = true})).name();
    co_await channel.bind_queue(first, exchange);
    co_await channel.bind_queue(second, exchange, "the key does not matter");

    co_await channel.publish(exchange, "nor here", "x");
    const auto at_first = co_await drained(channel, first);
    const auto at_second = co_await drained(channel, second);
    CHECK(at_first == strings{"x"});
    CHECK(at_second == strings{"x"});
    co_await channel.delete_exchange(exchange);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a topic exchange routes by patterns")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = unique("topic");
    co_await channel.declare_exchange(exchange, lv::exchange_type::topic);
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    co_await channel.bind_queue(queue, exchange, "kern.*");
    co_await channel.bind_queue(queue, exchange, "#.critical");

    for (const char* key : {"kern.info", "kern", "kern.a.b", "critical", "a.b.critical", "cron.info"})
        co_await channel.publish(exchange, key, key);
    const auto got = co_await drained(channel, queue);
    CHECK(got == strings{"kern.info", "critical", "a.b.critical"});

    co_await channel.unbind_queue(queue, exchange, "kern.*");
    co_await channel.publish(exchange, "kern.info", "not any more");
    const bool empty = co_await is_empty(channel, queue);
    CHECK(empty);
    co_await channel.delete_exchange(exchange);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a headers exchange routes by header fields and their types")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = unique("headers");
    co_await channel.declare_exchange(exchange, lv::exchange_type::headers);
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    lv::table all;
    all.set("x-match", "all").set("colour", "red").set("size", 3);
    lv::table any;
    any.set("x-match", "any").set("urgent", true).set("weight", 1.5);
    co_await channel.bind_queue(queue, exchange, "", {.arguments = all});
    co_await channel.bind_queue(queue, exchange, "", {.arguments = any});

    const auto red = lv::message{"red 3"}.header("colour", "red").header("size", 3);
    const auto red_only = lv::message{"red"}.header("colour", "red");
    const auto urgent = lv::message{"urgent"}.header("urgent", true);
    const auto heavy = lv::message{"heavy"}.header("weight", 1.5).header("urgent", false);
    for (const lv::message* m : {&red, &red_only, &urgent, &heavy})
        co_await channel.publish(exchange, "", *m);
    const auto got = co_await drained(channel, queue);
    CHECK(got == strings{"red 3", "urgent", "heavy"});

    co_await channel.unbind_queue(queue, exchange, "", {.arguments = any});
    co_await channel.publish(exchange, "", urgent);
    const bool empty = co_await is_empty(channel, queue);
    CHECK(empty);
    co_await channel.delete_exchange(exchange);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: exchanges bound to exchanges, one of them internal")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto source = unique("source");
    const auto inner = unique("inner");
    co_await channel.declare_exchange(source, lv::exchange_type::topic);
    co_await channel.declare_exchange(inner, lv::exchange_type::fanout, {.internal = true});
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    co_await channel.bind_queue(queue, inner);
    co_await channel.bind_exchange(inner, source, "in.*");

    co_await channel.publish(source, "in.side", "through");
    co_await channel.publish(source, "out.side", "not through");
    const auto got = co_await drained(channel, queue);
    CHECK(got == strings{"through"});

    co_await channel.unbind_exchange(inner, source, "in.*");
    co_await channel.publish(source, "in.side", "not any more");
    const bool empty = co_await is_empty(channel, queue);
    CHECK(empty);

    auto publisher = co_await connection.open_channel();
    const auto refused =
        co_await failure_of<lv::channel_error>(publisher.publish_confirmed(inner, "", "direct"));
    CHECK(refused.code() == lv::reply_code::access_refused);
    CHECK(contains(refused.what(), "cannot publish to internal exchange '" + inner + "'"));
    co_await channel.delete_exchange(source);
    co_await channel.delete_exchange(inner);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: an alternate exchange gets what can't be routed")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto main = unique("main");
    const auto other = unique("alternate");
    co_await channel.declare_exchange(other, lv::exchange_type::fanout);
    co_await channel.declare_exchange(main, lv::exchange_type::direct, {.alternate_exchange = other});
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    co_await channel.bind_queue(queue, other);

    const auto result = co_await channel.publish_confirmed(main, "nobody", "lost and found");
    CHECK(result.is_confirmed());
    auto got = co_await channel.get(queue);
    REQUIRE(got);
    CHECK(got->body() == "lost and found");
    CHECK(got->exchange() == main);
    CHECK(got->routing_key() == "nobody");
    got->ack();
    co_await channel.delete_exchange(main);
    co_await channel.delete_exchange(other);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: an exchange is declared again only with its own properties")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto name = unique("durable");
    lv::table arguments;
    arguments.set("x-mine", 42);
    co_await channel.declare_exchange(name, "direct", {.durable = true, .arguments = arguments});
    co_await channel.declare_exchange(name, "direct", {.durable = true, .arguments = arguments});
    co_await channel.declare_exchange(name, "topic", {.passive = true}); // only the name counts
    co_await channel.declare_exchange("amq.topic", "topic", {.durable = true});

    const auto type = co_await failure_of<lv::channel_error>(
        channel.declare_exchange(name, "fanout", {.durable = true, .arguments = arguments}));
    CHECK(type.code() == lv::reply_code::precondition_failed);
    CHECK(contains(type.what(), "inequivalent arg 'type' for exchange '" + name +
                                    "' in vhost '/': received 'fanout' but current is 'direct'"));
    CHECK(type.diagnostics().operation == "exchange.declare");
    CHECK(type.diagnostics().operation_fate == lv::fate::refused);

    auto second = co_await connection.open_channel();
    const auto durable = co_await failure_of<lv::channel_error>(
        second.declare_exchange(name, "direct", {.arguments = arguments}));
    CHECK(contains(durable.what(), "inequivalent arg 'durable'"));

    auto third = co_await connection.open_channel();
    co_await third.delete_exchange(name);
    co_await third.delete_exchange(name); // not there: no error with RabbitMQ
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: deleting an exchange if it is unused")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto name = unique("used");
    co_await channel.declare_exchange(name, "direct");
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    co_await channel.bind_queue(queue, name, "key");

    auto refused = co_await connection.open_channel();
    const auto in_use =
        co_await failure_of<lv::channel_error>(refused.delete_exchange(name, {.if_unused = true}));
    CHECK(in_use.code() == lv::reply_code::precondition_failed);
    CHECK(contains(in_use.what(), "exchange '" + name + "' in vhost '/' in use"));
    CHECK(in_use.diagnostics().operation == "exchange.delete");

    co_await channel.unbind_queue(queue, name, "key");
    co_await channel.delete_exchange(name, {.if_unused = true});
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: exchange operations that don't wait for an answer")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto from = unique("from");
    const auto to = unique("to");
    co_await channel.declare_exchange(from, "fanout", {.no_wait = true});
    co_await channel.declare_exchange(to, "fanout", {.no_wait = true});
    co_await channel.bind_exchange(to, from, "", {.no_wait = true});
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    co_await channel.bind_queue(queue, to, "", {.no_wait = true});
    co_await channel.publish(from, "", "arrived");
    const auto got = co_await drained(channel, queue);
    CHECK(got == strings{"arrived"});

    co_await channel.unbind_exchange(to, from, "", {.no_wait = true});
    co_await channel.publish(from, "", "lost");
    const bool empty = co_await is_empty(channel, queue);
    CHECK(empty);
    co_await channel.delete_exchange(from, {.no_wait = true});
    co_await channel.delete_exchange(to, {.no_wait = true});
    const auto gone =
        co_await failure_of<lv::channel_error>(channel.declare_exchange(from, "fanout", {.passive = true}));
    CHECK(gone.code() == lv::reply_code::not_found);
    co_await connection.close();
}
