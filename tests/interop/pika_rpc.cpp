// Remote calls between pika and leveret, in both directions.
#include "interop/broker.hpp"
#include "interop/python.hpp"
#include "interop/task.hpp"
#include "support/eventually.hpp"

#include <leveret/amqp.hpp>
#include <leveret/rpc.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace leveret::test;
using namespace std::chrono_literals;

namespace {

std::string fib(const std::string& text)
{
    std::uint64_t a = 0;
    std::uint64_t b = 1;
    for (int n = std::stoi(text); n > 0; --n)
        a = std::exchange(b, a + b);
    return std::to_string(a);
}

/// Answers requests until the consumer is cancelled.
asio::awaitable<void> serve_fib(lv::amqp::channel channel, lv::amqp::consumer& requests)
{
    while (auto request = co_await requests.next()) {
        lv::message answer;
        try {
            answer = lv::message{fib(std::string(request->body()))};
        } catch (const std::exception& e) {
            answer = lv::message{""}.header("error", e.what());
        }
        answer.correlation_id(request->properties().correlation_id());
        co_await channel.publish("", request->properties().reply_to(), answer);
        request->ack();
    }
}

/// One call by direct reply-to: the answers' consumer is of the same channel.
asio::awaitable<std::string> call(lv::amqp::channel channel, lv::amqp::consumer& answers,
                                  std::string queue, std::string body)
{
    const auto request =
        lv::message{body}.reply_to("amq.rabbitmq.reply-to").correlation_id("call " + body);
    co_await channel.publish("", queue, request, {.mandatory = true});
    auto answer = co_await answers.next();
    if (answer->properties().correlation_id() != "call " + body)
        throw std::runtime_error("the answer of another call");
    const lv::table headers = answer->headers();
    if (headers.find("asked")->text() != body)
        throw std::runtime_error("a header was lost");
    co_return std::string(answer->body());
}

} // namespace

LEVERET_CORO_TEST_CASE("an RPC client in pika and a leveret server")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("rpc");
    co_await channel.declare_queue(queue, {.exclusive = false, .auto_delete = true});
    auto requests = co_await channel.consume(queue, {.prefetch = 1});
    task<void> server(connection.get_executor(), serve_fib(channel, requests));
    auto client = start_python(connection.get_executor(), "pika_rpc_client.py", queue);
    int good = 0;
    for (int i = 0; i < 20; ++i) {
        const int n = i < 10 ? i : 30 - i;
        const std::string line = co_await client.line();
        good += line == std::to_string(n) + " " + fib(std::to_string(n));
    }
    CHECK(good == 20);
    const std::string error = co_await client.line();
    CHECK(error == "error (b'', {'error': 'stoi'})");
    const int status = co_await client.exit_status();
    CHECK(status == 0);
    co_await requests.cancel();
    co_await server.join();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("a leveret RPC client, by direct reply-to, and a server in pika")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("pika-rpc");
    auto server = start_python(connection.get_executor(), "pika_rpc_server.py", queue);
    const std::string ready = co_await server.line();
    CHECK(ready == "ready");

    auto answers = co_await channel.consume("amq.rabbitmq.reply-to", {.no_ack = true});
    const auto other = (co_await channel.declare_queue("", {.exclusive = true})).name();
    co_await channel.publish("", other, "beside");
    for (int n = 0; n < 50; n += 7) {
        const std::string answer = co_await call(channel, answers, queue, std::to_string(n));
        CHECK(answer == fib(std::to_string(n)));
    }
    auto beside = co_await channel.get(other); // RabbitMQ gives it the tag that the answers had
    REQUIRE(beside);
    CHECK(beside->delivery_tag() == 1);
    const std::string last = co_await call(channel, answers, queue, "stop");
    CHECK(last == "stopped");
    CHECK(beside->ack());
    const bool empty = co_await is_empty(channel, other);
    CHECK(empty);
    const int status = co_await server.exit_status();
    CHECK(status == 0);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("a call whose server is killed is done by another, or ends in its time")
{
    auto connection = co_await connect();
    const auto executor = connection.get_executor();
    auto calling = co_await connection.open_channel();
    auto serving = co_await connection.open_channel();
    const auto topic = unique("killed");
    const lv::rpc::client client{calling, {.topic = topic}};
    for (const bool has_another : {true, false}) {
        const auto victim = std::unique_ptr<child>(new child(start_python(executor, "pika_rpc_server.py", topic)));
        const std::string ready = co_await victim->line();
        CHECK(ready == "ready");
        const auto hurried = client.prepare({.timeout = has_another ? 60s : 2s});
        task<int> call(executor, hurried.call<int>("twice", 21));
        const std::string hangs = co_await victim->line();
        CHECK(hangs == "hangs");
        if (!has_another) {
            victim->kill();
            co_await failure_of<lv::rpc::timeout>(call.join());
            continue;
        }
        lv::rpc::server node{serving, {.topic = topic, .server = "s"}};
        bool was_redelivered = false;
        node.add("twice", [&](const lv::rpc::request& r, int n) {
            was_redelivered = r.redelivered();
            return 2 * n;
        });
        co_await node.start();
        task<void> run(executor, node.run());
        victim->kill();
        const int answer = co_await call.join();
        CHECK(answer == 42);
        CHECK(was_redelivered);
        node.stop();
        co_await run.join();
    }
    co_await connection.close();
}
