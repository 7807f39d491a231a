// Class tx.
#include "conformance/conformance.hpp"
#include "interop/task.hpp"

#include <string>

using namespace leveret::test;

LEVERET_CONFORMANCE_CASE("tx: messages appear at commit, in order, and not before")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    co_await channel.select_transactions();
    co_await fill(channel, queue, 3);
    const auto early = co_await drain(channel, queue);
    CHECK(early == "");
    co_await channel.commit();
    const auto got = co_await drain(other, queue);
    CHECK(got == "1 2 3");
    co_await channel.commit(); // nothing to do
    const auto nothing = co_await drain(other, queue);
    CHECK(nothing == "");
}

LEVERET_CONFORMANCE_CASE("tx: rolled back, messages never were")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    co_await channel.select_transactions();
    co_await channel.select_transactions(); // twice is no error
    co_await send(channel, "", queue, "1 2");
    co_await channel.rollback();
    co_await send(channel, "", queue, "3");
    co_await channel.commit();
    const auto got = co_await drain(channel, queue);
    CHECK(got == "3");
}

LEVERET_CONFORMANCE_CASE("tx: acknowledgements count at commit")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 3);
    co_await channel.select_transactions();
    auto consumer = co_await channel.consume(queue);
    auto held = co_await hold(consumer, 3);
    CHECK(held[0].ack());
    co_await channel.commit();
    CHECK(held[1].ack()); // never committed
    co_await channel.close();
    const auto left = co_await arrivals(other, queue, 2);
    CHECK(left == "2* 3*");
}

LEVERET_CONFORMANCE_CASE("tx: the prefetch has room when an acknowledgement is committed")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 3);
    co_await channel.select_transactions();
    auto consumer = co_await channel.consume(queue, {.prefetch = 1});
    auto first = co_await next(consumer);
    CHECK(first.ack());
    co_await channel.flow(true); // the acknowledgement is there
    const auto info = co_await other.declare_queue(queue, {.passive = true});
    CHECK(info.message_count() == 2);
    CHECK(!consumer.try_next());
    co_await channel.commit();
    auto second = co_await next(consumer);
    CHECK(second.body() == "2");
}

LEVERET_CONFORMANCE_CASE("tx: nack and reject take effect at commit")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 3);
    co_await channel.select_transactions();
    auto one = co_await channel.get(queue);
    auto two = co_await channel.get(queue);
    auto three = co_await channel.get(queue);
    REQUIRE(three);
    CHECK(one->nack());
    CHECK(two->reject());
    CHECK(three->ack());
    const auto early = co_await drain(channel, queue); // behind the settlements
    CHECK(early == "");
    co_await channel.commit();
    const auto left = co_await arrivals(other, queue, 1);
    CHECK(left == "1*");
}

LEVERET_CONFORMANCE_CASE("tx: rolled back, an acknowledged message is still this channel's")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 2);
    co_await channel.select_transactions();
    auto one = co_await channel.get(queue);
    REQUIRE(one);
    CHECK(one->ack());
    co_await channel.rollback();
    const auto rest = co_await drain(other, queue); // 1 is not given back by a rollback
    CHECK(rest == "2");
    co_await channel.close();
    const auto left = co_await arrivals(other, queue, 1);
    CHECK(left == "1*");
}

LEVERET_CONFORMANCE_CASE("tx: closing the channel rolls back")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    co_await channel.select_transactions();
    co_await send(channel, "", queue, "1");
    co_await channel.close();
    const auto result = co_await other.publish_confirmed("", queue, "2");
    CHECK(result.is_confirmed());
    const auto got = co_await drain(other, queue);
    CHECK(got == "2");
}

LEVERET_CONFORMANCE_CASE("tx: commit and rollback need a transaction")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto commit = co_await refused(channel.commit());
    CHECK(commit == precondition_failed("channel is not transactional", ids::tx_commit));
    channel = co_await connection.open_channel();
    const auto rollback = co_await refused(channel.rollback());
    CHECK(rollback == precondition_failed("channel is not transactional", ids::tx_rollback));
}

LEVERET_CONFORMANCE_CASE("tx: an unroutable mandatory message comes back at commit")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto nobody = t.name("nobody");
    co_await channel.select_transactions();
    co_await channel.publish("", nobody, "rolled back", {.mandatory = true});
    co_await channel.rollback();
    co_await channel.publish("", nobody, "committed", {.mandatory = true});
    const auto waiting = [](typename Transport::channel c) -> asio::awaitable<std::string> {
        const auto back = co_await c.next_return({.timeout = patience});
        co_return std::string(back.message().text());
    };
    task<std::string> returned(connection.get_executor(), waiting(channel));
    co_await channel.flow(true);
    CHECK(!returned.is_done());
    co_await channel.commit();
    const auto body = co_await returned.join();
    CHECK(body == "committed");
}

LEVERET_CONFORMANCE_CASE("tx: a missing exchange is told at once, and ends the transaction with its channel")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const auto missing = t.name("missing");
    co_await channel.select_transactions();
    co_await send(channel, "", queue, "1");
    const auto e = co_await refused_publish(channel, missing, "k", "x"); // before any commit
    CHECK(e == no_exchange(missing, ids::basic_publish));
    const auto got = co_await drain(other, queue);
    CHECK(got == "");
}

LEVERET_CONFORMANCE_CASE("tx: declarations are no part of it")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.select_transactions();
    co_await channel.declare_queue(queue, {.exclusive = true});
    co_await channel.bind_queue(queue, "amq.direct", queue);
    co_await channel.rollback();
    co_await channel.publish("amq.direct", queue, "x");
    co_await channel.commit();
    const auto got = co_await drain(channel, queue);
    CHECK(got == "x");
}
