// Queues of a real RabbitMQ: declared in every way, bound, purged and deleted.
#include "interop/broker.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <string>

using namespace leveret::test;

LEVERET_CORO_TEST_CASE("RabbitMQ: a queue is declared, counted, purged and deleted")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto name = unique("queue");
    const auto created = co_await channel.declare_queue(name);
    CHECK(created.name() == name);
    CHECK(created.message_count() == 0);
    CHECK(created.consumer_count() == 0);

    for (int i = 0; i < 3; ++i)
        co_await channel.publish("", name, "x");
    auto consumer_channel = co_await connection.open_channel();
    auto idle = co_await consumer_channel.consume(name, {.prefetch = 1});
    const auto counted = co_await channel.declare_queue(name);
    CHECK(counted.message_count() == 2);
    CHECK(counted.consumer_count() == 1);

    const auto purged = co_await channel.purge_queue(name); // only what is ready
    CHECK(purged == 2);
    auto held = co_await idle.next();
    REQUIRE(held);
    held->nack();
    co_await idle.cancel();
    co_await consumer_channel.close();
    const auto deleted = co_await channel.delete_queue(name);
    CHECK(deleted == 1);
    const auto again = co_await channel.delete_queue(name); // not there: no error with RabbitMQ
    CHECK(again == 0);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a queue named by the server")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto first = co_await channel.declare_queue("", {.exclusive = true});
    const auto second = co_await channel.declare_queue({}, {.exclusive = true});
    CHECK(first.name().starts_with("amq.gen-"));
    CHECK(first.name() != second.name());

    // An empty name means the queue declared last on this channel.
    co_await channel.publish("", second.name(), "for the last");
    auto got = co_await channel.get("");
    REQUIRE(got);
    CHECK(got->body() == "for the last");
    got->ack();
    co_await channel.bind_queue("", "amq.fanout");
    co_await channel.unbind_queue("", "amq.fanout");
    const auto purged = co_await channel.purge_queue("");
    CHECK(purged == 0);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: without a queue declared before, an empty name is refused")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto refused = co_await failure_of<lv::channel_error>(channel.get(""));
    CHECK(refused.code() == lv::reply_code::not_found);
    CHECK(contains(refused.what(), "no previously declared queue"));
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a passive declaration finds what is there and makes nothing")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto name = unique("passive");
    co_await channel.declare_queue(name, {.durable = true});
    const auto info = co_await channel.declare_queue(name, {.passive = true}); // only the name counts
    CHECK(info.name() == name);
    co_await channel.delete_queue(name);

    const auto missing =
        co_await failure_of<lv::channel_error>(channel.declare_queue(name, {.passive = true}));
    CHECK(missing.code() == lv::reply_code::not_found);
    CHECK(std::string(missing.what()) == "404 NOT_FOUND - no queue '" + name +
                                             "' in vhost '/' (queue.declare on channel " +
                                             std::to_string(channel.number()) + ")");
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a queue is declared again only with its own properties")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto name = unique("same");
    co_await channel.declare_queue(name, {.durable = true, .message_ttl = 60s});
    co_await channel.declare_queue(name, {.durable = true, .message_ttl = 60s});

    const auto durable =
        co_await failure_of<lv::channel_error>(channel.declare_queue(name, {.message_ttl = 60s}));
    CHECK(durable.code() == lv::reply_code::precondition_failed);
    CHECK(contains(durable.what(), "inequivalent arg 'durable' for queue '" + name + "'"));

    channel = co_await connection.open_channel();
    const auto ttl = co_await failure_of<lv::channel_error>(
        channel.declare_queue(name, {.durable = true, .message_ttl = 61s}));
    CHECK(contains(ttl.what(), "inequivalent arg 'x-message-ttl' for queue '" + name +
                                   "' in vhost '/': received '61000' but current is '60000'"));
    CHECK(contains(ttl.diagnostics().text, "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl'"));

    channel = co_await connection.open_channel();
    co_await channel.delete_queue(name);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: an exclusive queue is its connection's own and goes with it")
{
    auto owner = co_await connect();
    auto other = co_await connect();
    auto mine = co_await owner.open_channel();
    auto foreign = co_await other.open_channel();
    const auto name = unique("exclusive");
    co_await mine.declare_queue(name, {.exclusive = true});

    const auto locked = co_await failure_of<lv::channel_error>(foreign.consume(name));
    CHECK(locked.code() == lv::reply_code::resource_locked);
    CHECK(contains(locked.what(), "405 RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '" +
                                      name + "'"));
    CHECK(locked.diagnostics().operation == "basic.consume");
    co_await owner.close();

    foreign = co_await other.open_channel();
    const auto gone =
        co_await failure_of<lv::channel_error>(foreign.declare_queue(name, {.passive = true}));
    CHECK(gone.code() == lv::reply_code::not_found);
    co_await other.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: an auto-delete queue goes with its last consumer")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto name = unique("auto");
    co_await channel.declare_queue(name, {.auto_delete = true});
    auto first = co_await channel.consume(name);
    auto second = co_await channel.consume(name);
    co_await first.cancel();
    const auto left = co_await consumers(channel, name);
    CHECK(left == 1);
    co_await second.cancel();
    const auto gone =
        co_await failure_of<lv::channel_error>(channel.declare_queue(name, {.passive = true}));
    CHECK(gone.code() == lv::reply_code::not_found);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: deleting a queue if it is unused, or empty")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    auto consuming = co_await connection.open_channel();
    const auto name = unique("deleted");
    co_await channel.declare_queue(name);
    {
        auto consumer = co_await consuming.consume(name);
        const auto used = co_await failure_of<lv::channel_error>(
            channel.delete_queue(name, {.if_unused = true}));
        CHECK(used.code() == lv::reply_code::precondition_failed);
        CHECK(contains(used.what(), "queue '" + name + "' in vhost '/' in use"));
        CHECK(used.diagnostics().operation == "queue.delete");
        co_await consumer.cancel();
    }
    channel = co_await connection.open_channel();
    co_await channel.publish("", name, "still here");
    const auto full =
        co_await failure_of<lv::channel_error>(channel.delete_queue(name, {.if_empty = true}));
    CHECK(full.code() == lv::reply_code::precondition_failed);
    CHECK(contains(full.what(), "queue '" + name + "' in vhost '/' not empty"));

    channel = co_await connection.open_channel();
    const auto with_it = co_await channel.delete_queue(name, {.if_unused = true});
    CHECK(with_it == 1);
    co_await channel.declare_queue(name);
    const auto empty = co_await channel.delete_queue(name, {.if_empty = true});
    CHECK(empty == 0);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: queue operations that don't wait for an answer")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto name = unique("nowait");
    const auto unknown = co_await channel.declare_queue(name, {.no_wait = true});
    CHECK(unknown.name() == name);
    CHECK(unknown.message_count() == 0);
    co_await channel.bind_queue(name, "amq.direct", name, {.no_wait = true});
    co_await channel.publish("amq.direct", name, "x");
    const bool bound = co_await holds(channel, name, 1);
    CHECK(bound);
    const auto deleted = co_await channel.delete_queue(name, {.no_wait = true});
    CHECK(deleted == 0);
    const auto gone =
        co_await failure_of<lv::channel_error>(channel.declare_queue(name, {.passive = true}));
    CHECK(gone.code() == lv::reply_code::not_found);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: an operation that did not wait fails its channel when it fails")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    co_await channel.bind_queue(unique("missing"), "amq.direct", "", {.no_wait = true});
    const auto later = co_await failure_of<lv::channel_error>(channel.declare_queue());
    CHECK(later.code() == lv::reply_code::not_found);
    CHECK(contains(later.what(), "queue.bind"));                      // who caused it
    CHECK(contains(later.what(), "queue.declare was not completed")); // and who suffers
    CHECK(later.diagnostics().class_id == 50);
    CHECK(later.diagnostics().method_id == 20);
    CHECK(later.diagnostics().operation == "queue.declare");
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: names that are not allowed")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto reserved = co_await failure_of<lv::channel_error>(channel.declare_queue("amq.mine"));
    CHECK(reserved.code() == lv::reply_code::access_refused);
    CHECK(contains(reserved.what(), "queue name 'amq.mine' contains reserved prefix 'amq.*'"));

    // What AMQP can't carry is found before anything is sent, and leaves the channel open.
    channel = co_await connection.open_channel();
    const std::string long_name(256, 'q');
    CHECK_THROWS_AS(static_cast<void>(channel.declare_queue(long_name)), lv::usage_error);
    const std::string longest(255, 'q');
    const auto info = co_await channel.declare_queue(longest, {.exclusive = true});
    CHECK(info.name() == longest);

    // UTF-8 is passed as it is.
    const auto wide = unique("Hase 野兎 🐇");
    co_await channel.declare_queue(wide, {.exclusive = true});
    co_await channel.publish("", wide, "x");
    auto got = co_await channel.get(wide);
    REQUIRE(got);
    CHECK(got->routing_key() == wide);
    got->ack();
    co_await connection.close();
}
