// Consumers of one queue in pika and leveret: tasks shared, given back, and the end of a queue.
#include "interop/broker.hpp"
#include "interop/python.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

using namespace leveret::test;

LEVERET_CORO_TEST_CASE("a work queue shared by workers in pika and in leveret")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("work");
    co_await channel.declare_queue(queue, {.durable = true});
    auto mine = co_await channel.consume(queue, {.prefetch = 1});
    auto pika = start_python(connection.get_executor(), "pika_worker.py", queue);
    const std::string ready = co_await pika.line();
    CHECK(ready == "ready");
    auto publishing = co_await connection.open_channel();
    for (int i = 0; i < 20; ++i)
        co_await publishing.publish("", queue, lv::message{std::to_string(i)}.persistent());

    // In each round both have a task at the same time: with a prefetch of 1 neither gets the other's.
    std::set<std::string> done;
    for (int round = 0; round < 10; ++round) {
        auto my_task = co_await mine.next();
        REQUIRE(my_task);
        const std::string its_task = co_await pika.line();
        CHECK(its_task.ends_with(" False"));
        CHECK(!my_task->redelivered());
        done.insert("task " + std::string(my_task->body()) + " False");
        done.insert(its_task);
        my_task->ack();
        pika.say(round < 9 ? "ack" : "stop");
    }
    CHECK(done.size() == 20);
    const int status = co_await pika.exit_status();
    CHECK(status == 0);
    co_await mine.cancel();
    const auto left = co_await channel.delete_queue(queue);
    CHECK(left == 0);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("the task of a worker in pika that dies goes to leveret, and the reverse")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("dying");
    co_await channel.declare_queue(queue);
    auto pika = start_python(connection.get_executor(), "pika_worker.py", queue);
    const std::string ready = co_await pika.line();
    co_await channel.publish("", queue, "precious");
    const std::string its_task = co_await pika.line();
    CHECK(its_task == "task precious False");
    auto mine = co_await channel.consume(queue);
    pika.say("vanish");
    const int status = co_await pika.exit_status();
    CHECK(status == 3);
    auto my_task = co_await mine.next();
    REQUIRE(my_task);
    CHECK(my_task->body() == "precious");
    CHECK(my_task->redelivered());

    auto other = start_python(connection.get_executor(), "pika_worker.py", queue);
    const std::string other_ready = co_await other.line();
    my_task.reset();
    co_await mine.cancel();
    auto again = co_await mine.next(); // it may have come back here before the cancel
    again.reset();
    const std::string its_turn = co_await other.line();
    CHECK(its_turn == "task precious True");
    other.say("stop");
    const int other_status = co_await other.exit_status();
    CHECK(other_status == 0);
    const auto left = co_await channel.delete_queue(queue);
    CHECK(left == 0);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("pika's consumer is cancelled when leveret deletes its queue")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("deleted");
    co_await channel.declare_queue(queue);
    auto pika = start_python(connection.get_executor(), "pika_worker.py", queue);
    const std::string ready = co_await pika.line();
    co_await channel.delete_queue(queue);
    const std::string cancelled = co_await pika.line();
    CHECK(cancelled == "cancelled pika's");
    const int status = co_await pika.exit_status(); // without consumers start_consuming returns
    CHECK(status == 0);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("pika cancels its consumer, and leveret gets what is left")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("left");
    co_await channel.declare_queue(queue);
    auto pika = start_python(connection.get_executor(), "pika_worker.py", queue);
    const std::string ready = co_await pika.line();
    for (const char* body : {"1", "2", "3"})
        co_await channel.publish("", queue, body);
    const std::string first = co_await pika.line();
    CHECK(first == "task 1 False");
    pika.say("stop");
    const int status = co_await pika.exit_status();
    CHECK(status == 0);
    auto mine = co_await channel.consume(queue);
    for (const char* body : {"2", "3"}) {
        auto d = co_await mine.next();
        REQUIRE(d);
        CHECK(d->body() == body);
        d->ack();
    }
    co_await mine.cancel();
    const auto left = co_await channel.delete_queue(queue);
    CHECK(left == 0);
    co_await connection.close();
}
