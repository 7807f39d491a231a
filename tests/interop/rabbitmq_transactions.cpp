// Class tx with a real RabbitMQ: publishes and settlements that take effect at commit.
#include "interop/broker.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <string>

using namespace leveret::test;

LEVERET_CORO_TEST_CASE("RabbitMQ: publishes of a transaction appear at commit, or never")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    auto observer = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    co_await channel.select_transactions();
    co_await channel.select_transactions(); // twice is legal
    co_await channel.publish("", queue, "1");
    co_await channel.publish("", queue, "2");
    auto early = co_await channel.get(queue);
    CHECK(!early);
    co_await channel.commit();
    const bool both = co_await holds(observer, queue, 2);
    CHECK(both);

    co_await channel.publish("", queue, "3");
    co_await channel.rollback();
    co_await channel.publish("", queue, "4");
    co_await channel.commit();
    co_await channel.commit(); // nothing to do
    std::string bodies;
    for (int i = 0; i < 3; ++i) {
        auto got = co_await observer.get(queue, {.no_ack = true});
        REQUIRE(got);
        bodies += got->body();
    }
    CHECK(bodies == "124");
    const bool empty = co_await is_empty(observer, queue);
    CHECK(empty);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: acknowledgements of a transaction count at commit")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    for (const char* body : {"1", "2"})
        co_await channel.publish("", queue, body);
    co_await channel.select_transactions();
    auto first = co_await channel.get(queue);
    auto second = co_await channel.get(queue);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->ack());
    co_await channel.commit();
    CHECK(second->ack());
    co_await channel.rollback(); // the broker has it unsettled again, under a tag that is told for good
    co_await channel.close();

    auto after = co_await connection.open_channel();
    auto back = co_await after.get(queue);
    REQUIRE(back);
    CHECK(back->body() == "2");
    CHECK(back->redelivered());
    back->ack();
    const bool empty = co_await is_empty(after, queue);
    CHECK(empty);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: an unroutable message of a transaction is returned at commit")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    co_await channel.select_transactions();
    co_await channel.publish("", "nobody's", "back", {.mandatory = true});
    const auto early = co_await failure_of<lv::timeout_error>(channel.next_return({.timeout = 20ms}));
    CHECK(early.diagnostics().operation == "next_return");
    co_await channel.commit();
    const auto returned = co_await channel.next_return();
    CHECK(returned.message().text() == "back");
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: transactions and confirms exclude each other")
{
    auto connection = co_await connect();
    auto transactional = co_await connection.open_channel();
    co_await transactional.select_transactions();
    const auto usage = co_await failure_of<lv::usage_error>(
        transactional.publish_confirmed("", "q", "x"));
    CHECK(usage.diagnostics().operation_fate == lv::fate::never_sent);
    CHECK(transactional.is_open());
    const auto confirm = co_await failure_of<lv::channel_error>(transactional.select_confirms());
    CHECK(confirm.code() == lv::reply_code::precondition_failed);
    CHECK(contains(confirm.what(), "cannot switch from tx to confirm mode"));

    auto confirming = co_await connection.open_channel();
    co_await confirming.select_confirms();
    const auto tx = co_await failure_of<lv::channel_error>(confirming.select_transactions());
    CHECK(tx.code() == lv::reply_code::precondition_failed);
    CHECK(contains(tx.what(), "cannot switch from confirm to tx mode"));
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: committing what was never begun")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto commit = co_await failure_of<lv::channel_error>(channel.commit());
    CHECK(commit.code() == lv::reply_code::precondition_failed);
    CHECK(contains(commit.what(), "channel is not transactional"));
    channel = co_await connection.open_channel();
    const auto rollback = co_await failure_of<lv::channel_error>(channel.rollback());
    CHECK(contains(rollback.what(), "channel is not transactional"));
    co_await connection.close();
}
