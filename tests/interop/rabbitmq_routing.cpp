// Our topic and headers routers against those of a real RabbitMQ: random bindings of many queues, random
// messages, and which queue got which.
#include "interop/broker.hpp"
#include "leveret/routing/headers.hpp"
#include "leveret/routing/topic.hpp"
#include "unit/routing/collect.hpp"
#include "unit/routing/random_routes.hpp"
#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace leveret::test;

namespace {

constexpr std::size_t queues = 60;
constexpr std::size_t bindings = 4; // of each queue
constexpr std::size_t message_count = 400;

/// The numbers of the messages in a queue, in order; waits until there are as many as there should be.
asio::awaitable<std::vector<std::size_t>> numbers_in(lv::amqp::channel channel, std::string queue,
                                                     std::size_t expected)
{
    std::vector<std::size_t> found;
    const bool complete = co_await holds(channel, queue, static_cast<std::uint32_t>(expected));
    if (!complete)
        MESSAGE("a queue has another number of messages than it should");
    auto consumer = co_await channel.consume(queue, {.no_ack = true});
    while (found.size() < expected) {
        const auto delivery = co_await consumer.next({.timeout = lv::duration::seconds(5)});
        if (!delivery)
            break;
        found.push_back(std::stoul(std::string(delivery->body())));
    }
    co_await consumer.cancel();
    co_return found;
}

/// Binds and publishes what `random` says, to RabbitMQ and to the router of a policy.
template <class Policy>
asio::awaitable<void> compare(std::uint64_t seed, bool by_headers)
{
    random_routes random(seed);
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const std::string type(Policy::name);
    const std::string exchange = unique(type);
    co_await channel.declare_exchange(exchange, type, {.auto_delete = true});

    bound_numbers<Policy> ours;
    std::vector<std::string> names;
    for (std::size_t q = 0; q < queues; ++q) {
        const auto queue = co_await channel.declare_queue("", {.exclusive = true});
        names.push_back(queue.name());
        for (std::size_t b = 0; b < bindings; ++b) {
            const std::string pattern = by_headers ? std::string() : random.pattern();
            const lv::table arguments = by_headers ? random.arguments() : lv::table();
            ours.add(static_cast<int>(q), pattern, arguments);
            co_await channel.bind_queue(names.back(), exchange, pattern,
                                        {.no_wait = true, .arguments = arguments});
        }
    }
    std::vector<std::vector<std::size_t>> expected(queues);
    for (std::size_t m = 0; m < message_count; ++m) {
        const std::string key = by_headers ? std::string() : random.key();
        const lv::table headers = by_headers ? random.headers() : lv::table();
        numbers reached = ours.reached(key, headers);
        reached.erase(std::unique(reached.begin(), reached.end()),
                      reached.end()); // a queue gets it once
        for (const int q : reached)
            expected[static_cast<std::size_t>(q)].push_back(m);
        lv::message message(std::to_string(m));
        if (by_headers)
            message.headers(headers);
        co_await channel.publish(exchange, key, message);
    }
    std::size_t hits = 0;
    for (std::size_t q = 0; q < queues; ++q) {
        const auto got = co_await numbers_in(channel, names[q], expected[q].size());
        CAPTURE(seed);
        CAPTURE(q);
        CHECK(got == expected[q]);
        hits += got.size();
    }
    CHECK(hits > queues * message_count / 50);
    co_await connection.close();
}

} // namespace

LEVERET_CORO_TEST_CASE("RabbitMQ routes 96,000 pairs of topic pattern and key as our router does")
{
    co_await compare<lv::topic>(1, false);
}

LEVERET_CORO_TEST_CASE(
    "RabbitMQ routes 96,000 pairs of headers binding and message as our router does")
{
    co_await compare<lv::headers>(2, true);
}
