// queue.bind and unbind, purge and delete.
#include "conformance/conformance.hpp"

#include <string>

using namespace leveret::test;

LEVERET_CONFORMANCE_CASE("queue.bind: queue or exchange is missing")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto missing = t.name("missing");
    const auto missing_too = t.name("missing");
    const auto no_q = co_await refused(channel.bind_queue(missing, "amq.direct", "k"));
    CHECK(no_q == no_queue(missing, ids::queue_bind));
    channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const auto no_x = co_await refused(channel.bind_queue(queue, missing, "k"));
    CHECK(no_x == no_exchange(missing, ids::queue_bind));
    channel = co_await connection.open_channel();
    const auto neither = co_await refused(channel.bind_queue(missing, missing_too, "k"));
    CHECK(neither == no_exchange(missing_too, ids::queue_bind));
}

LEVERET_CONFORMANCE_CASE("queue.bind: without waiting, an error comes later and names its cause")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto missing = t.name("missing");
    co_await channel.bind_queue(missing, "amq.direct", "k", {.no_wait = true});
    const auto e = co_await refused(channel.declare_queue("", {.exclusive = true}));
    CHECK(e == no_queue(missing, ids::queue_bind));
}

LEVERET_CONFORMANCE_CASE("queue.unbind: what is not bound, or not there, is no error")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto missing = t.name("missing");
    const auto queue = co_await filled_queue(channel, 0);
    co_await channel.unbind_queue(queue, "amq.direct", "never bound");
    co_await channel.unbind_queue(queue, missing, "k");
    co_await channel.unbind_queue(missing, "amq.direct", "k");
    CHECK(channel.is_open());
}

LEVERET_CONFORMANCE_CASE("queue.purge: what is ready goes, what is unsettled stays")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 5);
    auto held = co_await channel.get(queue);
    REQUIRE(held);
    const auto purged = co_await channel.purge_queue(queue);
    CHECK(purged == 4);
    held->nack();
    const auto rest = co_await drain(channel, queue);
    CHECK(rest == "1*");
    const auto nothing = co_await channel.purge_queue(queue);
    CHECK(nothing == 0);
}

LEVERET_CONFORMANCE_CASE("queue.purge: of one that is not there")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto missing = t.name("missing");
    const auto e = co_await refused(channel.purge_queue(missing));
    CHECK(e == no_queue(missing, ids::queue_purge));
}

LEVERET_CONFORMANCE_CASE("queue.delete: counts what goes with it; one that is not there is no error")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue);
    co_await fill(channel, queue, 3);
    const bool three = co_await holds(channel, queue, 3);
    CHECK(three);
    const auto deleted = co_await channel.delete_queue(queue);
    CHECK(deleted == 3);
    const auto again = co_await channel.delete_queue(queue);
    CHECK(again == 0);
    const auto conditional = co_await channel.delete_queue(queue, {.if_unused = true, .if_empty = true});
    CHECK(conditional == 0);
    const auto lost = co_await channel.publish_confirmed("", queue, "x");
    CHECK(lost.is_unroutable());
}

LEVERET_CONFORMANCE_CASE("queue.delete: its bindings go with it")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue);
    co_await channel.bind_queue(queue, "amq.direct", queue);
    co_await channel.delete_queue(queue);
    co_await channel.declare_queue(queue, {.exclusive = true});
    const auto lost = co_await channel.publish_confirmed("amq.direct", queue, "x");
    CHECK(lost.is_unroutable());
    const auto rest = co_await drain(channel, queue);
    CHECK(rest == "");
}

LEVERET_CONFORMANCE_CASE("queue.delete: if unused")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue);
    co_await fill(channel, queue, 1);
    auto consuming = co_await connection.open_channel();
    auto consumer = co_await consuming.consume(queue);
    const auto e = co_await refused(channel.delete_queue(queue, {.if_unused = true}));
    CHECK(e == precondition_failed("queue '" + queue + "' in vhost '/' in use", ids::queue_delete));
    channel = co_await connection.open_channel();
    const auto both =
        co_await refused(channel.delete_queue(queue, {.if_unused = true, .if_empty = true}));
    CHECK(both == precondition_failed("queue '" + queue + "' in vhost '/' in use", ids::queue_delete));
    co_await consumer.cancel();
    co_await consuming.close();
    channel = co_await connection.open_channel();
    co_await channel.delete_queue(queue, {.if_unused = true});
    const bool gone = !co_await queue_exists(connection, queue);
    CHECK(gone);
}

LEVERET_CONFORMANCE_CASE("queue.delete: if empty")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue);
    const auto safe = co_await channel.publish_confirmed("", queue, "x");
    CHECK(safe.is_confirmed());
    const auto e = co_await refused(channel.delete_queue(queue, {.if_empty = true}));
    CHECK(e == precondition_failed("queue '" + queue + "' in vhost '/' not empty", ids::queue_delete));
    channel = co_await connection.open_channel();
    const auto got = co_await drain(channel, queue);
    CHECK(got == "x");
    const auto deleted = co_await channel.delete_queue(queue, {.if_empty = true});
    CHECK(deleted == 0);
    const bool gone = !co_await queue_exists(connection, queue);
    CHECK(gone);
}

LEVERET_CONFORMANCE_CASE("queue.delete: what was delivered from it can still be settled, to no effect")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 3);
    auto one = co_await channel.get(queue);
    auto two = co_await channel.get(queue);
    REQUIRE(one);
    REQUIRE(two);
    const auto deleted = co_await channel.delete_queue(queue);
    CHECK(deleted == 1); // what is unsettled is not counted
    CHECK(one->ack());
    CHECK(two->nack());
    co_await channel.flow(true); // answered behind the settlements
    CHECK(channel.is_open());
}

LEVERET_CONFORMANCE_CASE("operations on a queue that is not there")
{
    auto connection = co_await t.connect();
    const auto missing = t.name("missing");
    auto channel = co_await connection.open_channel();
    const auto get = co_await refused(channel.get(missing));
    CHECK(get == no_queue(missing, ids::basic_get));
    channel = co_await connection.open_channel();
    const auto consume = co_await refused(channel.consume(missing));
    CHECK(consume == no_queue(missing, ids::basic_consume));
    CHECK(connection.is_open());
}
