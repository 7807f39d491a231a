// queue.declare, and what a queue is.
#include "conformance/conformance.hpp"

#include <chrono>
#include <string>

using namespace leveret::test;

LEVERET_CONFORMANCE_CASE("queue.declare: a new queue is empty; declared again it is counted")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    const auto made = co_await channel.declare_queue(queue);
    CHECK(made.name() == queue);
    CHECK(made.message_count() == 0);
    CHECK(made.consumer_count() == 0);
    co_await fill(channel, queue, 3);
    const bool three = co_await holds(channel, queue, 3);
    CHECK(three);
    auto first = co_await channel.consume(queue, {.prefetch = 1});
    auto second = co_await channel.consume(queue, {.prefetch = 1});
    const bool one_is_left = co_await holds(channel, queue, 1); // what is unsettled is not ready
    CHECK(one_is_left);
    const auto again = co_await channel.declare_queue(queue);
    CHECK(again.message_count() == 1);
    CHECK(again.consumer_count() == 2);
    co_await channel.close();
    auto other = co_await connection.open_channel();
    const bool back = co_await holds(other, queue, 3);
    CHECK(back);
}

LEVERET_CONFORMANCE_CASE("queue.declare: passive finds by name only and makes nothing")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    const auto e = co_await refused(channel.declare_queue(queue, {.passive = true}));
    CHECK(e == no_queue(queue, ids::queue_declare));
    const bool made = co_await queue_exists(connection, queue);
    CHECK(!made);

    channel = co_await connection.open_channel();
    co_await channel.declare_queue(queue, {.durable = true, .max_length = 7});
    const auto info = co_await channel.declare_queue(
        queue, {.passive = true, .auto_delete = true, .max_length = 8}); // only the name counts
    CHECK(info.name() == queue);
}

LEVERET_CONFORMANCE_CASE("queue.declare: named by the broker, each another")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto first = co_await channel.declare_queue("", {.exclusive = true});
    const auto second = co_await channel.declare_queue({}, {.exclusive = true});
    CHECK(first.name().starts_with("amq.gen-"));
    CHECK(second.name().starts_with("amq.gen-"));
    CHECK(first.name() != second.name());
    co_await channel.publish("", first.name(), "1");
    const auto got = co_await drain(channel, first.name());
    CHECK(got == "1");
}

LEVERET_CONFORMANCE_CASE("queue.declare: an empty name means the queue that was declared last on the channel")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto one = co_await channel.declare_queue("", {.exclusive = true});
    const auto two = co_await channel.declare_queue("", {.exclusive = true});
    co_await channel.bind_queue("", "amq.direct", two.name());
    co_await channel.publish("amq.direct", two.name(), "1");
    co_await channel.publish("", two.name(), "2");
    auto got = co_await channel.get("", {.no_ack = true});
    REQUIRE(got);
    CHECK(got->body() == "1");
    const auto purged = co_await channel.purge_queue("");
    CHECK(purged == 1);
    co_await channel.unbind_queue("", "amq.direct", two.name());
    auto consumer = co_await channel.consume("");
    co_await channel.publish("amq.direct", two.name(), "3");
    co_await channel.publish("", two.name(), "4");
    const auto came = co_await receive(consumer, 1);
    CHECK(came == "4");
    co_await channel.declare_queue(one.name(), {.passive = true}); // a passive declaration counts
    co_await channel.delete_queue("");
    const bool first = co_await queue_exists(connection, one.name());
    const bool second = co_await queue_exists(connection, two.name());
    CHECK(!first);
    CHECK(second);
}

LEVERET_CONFORMANCE_CASE("queue.bind: empty name and empty key, the name is also the key")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto declared = co_await channel.declare_queue("", {.exclusive = true});
    co_await channel.bind_queue("", "amq.direct", "");
    co_await channel.publish("amq.direct", declared.name(), "by name");
    const auto got = co_await drain(channel, declared.name());
    CHECK(got == "by name");
    co_await channel.bind_queue(declared.name(), "amq.fanout", ""); // a name that is given is no key
    co_await channel.unbind_queue(declared.name(), "amq.fanout", "");
    CHECK(channel.is_open());
}

LEVERET_CONFORMANCE_CASE("an empty queue name, and none was declared on the channel")
{
    auto connection = co_await t.connect();
    const std::string text = "NOT_FOUND - no previously declared queue";
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("", {.exclusive = true}); // on another channel
    channel = co_await connection.open_channel();
    const auto get = co_await refused(channel.get(""));
    CHECK(get == closes_channel(404, text, ids::basic_get));
    channel = co_await connection.open_channel();
    const auto consume = co_await refused(channel.consume(""));
    CHECK(consume == closes_channel(404, text, ids::basic_consume));
    channel = co_await connection.open_channel();
    const auto bind = co_await refused(channel.bind_queue("", "amq.direct", "k"));
    CHECK(bind == closes_channel(404, text, ids::queue_bind));
    channel = co_await connection.open_channel();
    const auto purge = co_await refused(channel.purge_queue(""));
    CHECK(purge == closes_channel(404, text, ids::queue_purge));
    channel = co_await connection.open_channel();
    const auto remove = co_await refused(channel.delete_queue(""));
    CHECK(remove == closes_channel(404, text, ids::queue_delete));
    channel = co_await connection.open_channel();
    const auto passive = co_await refused(channel.declare_queue("", {.passive = true}));
    CHECK(passive == no_queue("", ids::queue_declare));
}

LEVERET_CONFORMANCE_CASE("an empty queue name after the queue declared last was deleted")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue);
    const auto passive = co_await refused(channel.declare_queue("", {.passive = true}));
    CHECK(passive == no_queue("", ids::queue_declare)); // here empty means a name
    channel = co_await connection.open_channel();
    co_await channel.declare_queue(queue);
    co_await channel.delete_queue(queue);
    const auto get = co_await refused(channel.get(""));
    CHECK(get == no_queue(queue, ids::basic_get));
}

LEVERET_CONFORMANCE_CASE("queue.declare: names that begin with amq. are the broker's")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto e = co_await refused(channel.declare_queue("amq.mine"));
    CHECK(e == access_refused("queue name 'amq.mine' contains reserved prefix 'amq.*'",
                              ids::queue_declare));
    channel = co_await connection.open_channel();
    const auto passive = co_await refused(channel.declare_queue("amq.mine", {.passive = true}));
    CHECK(passive == no_queue("amq.mine", ids::queue_declare));
}

LEVERET_CONFORMANCE_CASE("queue.declare: names of 255 bytes and of any text")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto prefix = t.name("q");
    const std::string longest = prefix + std::string(255 - prefix.size(), 'q');
    const auto info = co_await channel.declare_queue(longest, {.exclusive = true});
    CHECK(info.name() == longest);
    const std::string wide = prefix + " Hase 野兎 🐇";
    co_await channel.declare_queue(wide, {.exclusive = true});
    co_await channel.publish("", wide, "1");
    auto got = co_await channel.get(wide);
    REQUIRE(got);
    CHECK(got->routing_key() == wide);
    got->ack();
}

LEVERET_CONFORMANCE_CASE("queue.declare: without waiting for the answer")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    const auto unknown = co_await channel.declare_queue(queue, {.exclusive = true, .no_wait = true});
    CHECK(unknown.name() == queue);
    co_await channel.bind_queue(queue, "amq.direct", queue, {.no_wait = true});
    co_await channel.publish("amq.direct", queue, "1");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "1");
    co_await channel.delete_queue(queue, {.no_wait = true});
    const auto gone = co_await refused(channel.declare_queue(queue, {.passive = true}));
    CHECK(gone == no_queue(queue, ids::queue_declare));
}

LEVERET_CONFORMANCE_CASE("exclusive queue: locked for every other connection")
{
    auto owner = co_await t.connect();
    auto mine = co_await owner.open_channel();
    const auto queue = t.name("q");
    co_await mine.declare_queue(queue, {.exclusive = true});
    co_await mine.bind_queue(queue, "amq.direct", "bound");
    auto also_mine = co_await owner.open_channel(); // the connection's, not the channel's
    co_await also_mine.declare_queue(queue, {.exclusive = true});

    auto other = co_await t.connect();
    auto channel = co_await other.open_channel();
    const auto declare = co_await refused(channel.declare_queue(queue, {.exclusive = true}));
    CHECK(declare == locked_queue(queue, ids::queue_declare));
    channel = co_await other.open_channel();
    const auto passive = co_await refused(channel.declare_queue(queue, {.passive = true}));
    CHECK(passive == locked_queue(queue, ids::queue_declare));
    channel = co_await other.open_channel();
    const auto consume = co_await refused(channel.consume(queue));
    CHECK(consume == locked_queue(queue, ids::basic_consume));
    channel = co_await other.open_channel();
    const auto get = co_await refused(channel.get(queue));
    CHECK(get == locked_queue(queue, ids::basic_get));
    channel = co_await other.open_channel();
    const auto purge = co_await refused(channel.purge_queue(queue));
    CHECK(purge == locked_queue(queue, ids::queue_purge));
    channel = co_await other.open_channel();
    const auto remove = co_await refused(channel.delete_queue(queue));
    CHECK(remove == locked_queue(queue, ids::queue_delete));
    channel = co_await other.open_channel();
    const auto bind = co_await refused(channel.bind_queue(queue, "amq.direct", "k"));
    CHECK(bind == locked_queue(queue, ids::queue_bind));
    channel = co_await other.open_channel();
    co_await channel.unbind_queue(queue, "amq.direct", "not bound"); // nothing to be refused
    const auto unbind = co_await refused(channel.unbind_queue(queue, "amq.direct", "bound"));
    CHECK(unbind == locked_queue(queue, ids::queue_unbind));
}

LEVERET_CONFORMANCE_CASE("exclusive queue: others may publish to it")
{
    auto owner = co_await t.connect();
    auto mine = co_await owner.open_channel();
    const auto queue = co_await filled_queue(mine, 0);
    auto other = co_await t.connect();
    auto channel = co_await other.open_channel();
    const auto result = co_await channel.publish_confirmed("", queue, "hello");
    CHECK(result.is_confirmed());
    const auto got = co_await drain(mine, queue);
    CHECK(got == "hello");
}

LEVERET_CONFORMANCE_CASE("exclusive queue: goes with its connection, and not with its channel")
{
    auto owner = co_await t.connect();
    auto mine = co_await owner.open_channel();
    const auto queue = t.name("q");
    co_await mine.declare_queue(queue, {.durable = true, .exclusive = true}); // durable does not matter
    co_await mine.close();
    const bool stays = co_await queue_exists(owner, queue);
    CHECK(stays);
    co_await owner.close();
    auto other = co_await t.connect();
    const bool gone = !co_await queue_exists(other, queue);
    CHECK(gone);
}

LEVERET_CONFORMANCE_CASE("exclusive queue: the flag must be the same in every declaration")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto mine = t.name("mine");
    const auto shared = t.name("shared");
    co_await channel.declare_queue(mine, {.exclusive = true});
    co_await channel.declare_queue(shared);
    const auto less = co_await refused(channel.declare_queue(mine));
    CHECK(less == locked_queue(mine, ids::queue_declare));
    channel = co_await connection.open_channel();
    const auto more = co_await refused(channel.declare_queue(shared, {.exclusive = true}));
    CHECK(more == locked_queue(shared, ids::queue_declare));
}

LEVERET_CONFORMANCE_CASE("auto-delete queue: goes with its last consumer and not before its first")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.auto_delete = true});
    co_await fill(channel, queue, 2);
    auto got = co_await channel.get(queue); // is not a consumer
    REQUIRE(got);
    got->ack();
    auto first = co_await channel.consume(queue);
    auto second = co_await channel.consume(queue);
    co_await first.cancel();
    const bool stays = co_await queue_exists(connection, queue);
    CHECK(stays);
    co_await second.cancel();
    const bool gone = !co_await queue_exists(connection, queue);
    CHECK(gone);
}

LEVERET_CONFORMANCE_CASE("auto-delete queue: goes when the channel of its last consumer closes")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.auto_delete = true});
    co_await channel.bind_queue(queue, "amq.direct", queue);
    auto consumer = co_await channel.consume(queue);
    co_await channel.close();
    auto other = co_await connection.open_channel();
    // The broker may take a moment: until nothing is bound any more.
    lv::publish_result result;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    do {
        result = co_await other.publish_confirmed("amq.direct", queue, "x");
    } while (!result.is_unroutable() && std::chrono::steady_clock::now() < deadline);
    CHECK(result.is_unroutable());
    const bool gone = !co_await queue_exists(connection, queue);
    CHECK(gone);
}
