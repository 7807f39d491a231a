// Many channels, connections and coroutines at once.
#include "conformance/conformance.hpp"
#include "interop/task.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace leveret::test;

namespace {

/// Publishes `count` messages to a queue of its own and reads them; gives how many came as they should.
template <class Connection>
asio::awaitable<int> work_on_a_channel(Connection& connection, int count)
{
    auto channel = co_await connection.open_channel();
    const std::string queue = co_await filled_queue(channel, 0);
    auto consumer = co_await channel.consume(queue, {.prefetch = 5});
    co_await fill(channel, queue, count);
    int good = 0;
    for (int i = 1; i <= count; ++i) {
        auto d = co_await next(consumer);
        good += d.body() == std::to_string(i) && d.routing_key() == queue && d.ack();
    }
    co_await channel.close();
    co_return good;
}

} // namespace

LEVERET_CONFORMANCE_CASE("50 channels at once, each with its own messages in order")
{
    auto connection = co_await t.connect();
    std::vector<task<int>> tasks;
    for (int i = 0; i < 50; ++i)
        tasks.emplace_back(connection.get_executor(), work_on_a_channel(connection, 20));
    int good = 0;
    for (const auto& one : tasks)
        good += co_await one.join();
    CHECK(good == 1000);
}

LEVERET_CONFORMANCE_CASE("channels that are open at once have numbers of their own")
{
    auto connection = co_await t.connect();
    std::vector<typename Transport::channel> channels;
    std::set<int> numbers;
    for (int i = 0; i < 50; ++i) {
        channels.push_back(co_await connection.open_channel());
        numbers.insert(channels.back().number());
    }
    CHECK(numbers.size() == 50);
    CHECK(!numbers.contains(0));
    for (std::size_t i = 0; i < channels.size(); i += 2)
        co_await channels[i].close();
    for (std::size_t i = 1; i < channels.size(); i += 2)
        if (!channels[i].is_open())
            FAIL_CHECK("channel " << i << " is closed with another");
    auto another = co_await connection.open_channel();
    CHECK(another.is_open());
}

LEVERET_CONFORMANCE_CASE("what is published on a channel arrives in that order, whatever others do")
{
    auto connection = co_await t.connect();
    auto reader = co_await connection.open_channel();
    const auto queue = co_await filled_queue(reader, 0);
    auto consumer = co_await reader.consume(queue);
    std::vector<typename Transport::channel> channels;
    for (int i = 0; i < 4; ++i)
        channels.push_back(co_await connection.open_channel());
    for (int i = 0; i < 100; ++i)
        for (std::size_t c = 0; c < channels.size(); ++c)
            co_await channels[c].publish("", queue, std::to_string(c) + " " + std::to_string(i));
    int expected[4] = {};
    int good = 0;
    for (int i = 0; i < 400; ++i) {
        auto d = co_await next(consumer);
        const auto body = std::string(d.body());
        auto& wanted = expected[static_cast<std::size_t>(body[0] - '0')];
        good += body.substr(2) == std::to_string(wanted++) && d.ack();
    }
    CHECK(good == 400);
}

LEVERET_CONFORMANCE_CASE("several operations of a channel are under way at once and answered in order")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 10);
    using delivery = std::optional<typename Transport::delivery>;
    std::vector<task<delivery>> tasks;
    for (int i = 0; i < 12; ++i)
        tasks.emplace_back(connection.get_executor(), channel.get(queue, {.no_ack = true}));
    std::string words;
    for (const auto& one : tasks) {
        const auto got = co_await one.join();
        if (got)
            add_word(words, *got);
        else
            words += " -";
    }
    CHECK(words == "1 2 3 4 5 6 7 8 9 10 - -");
}

LEVERET_CONFORMANCE_CASE("several coroutines wait for one consumer; each delivery goes to one of them")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto consumer = co_await channel.consume(queue);
    using delivery = std::optional<typename Transport::delivery>;
    std::vector<task<delivery>> tasks;
    for (int i = 0; i < 5; ++i)
        tasks.emplace_back(connection.get_executor(), consumer.next({.timeout = patience}));
    co_await fill(channel, queue, 5);
    std::multiset<std::string> bodies;
    for (const auto& one : tasks) {
        const auto got = co_await one.join();
        REQUIRE(got);
        bodies.emplace(got->body());
    }
    CHECK(bodies == std::multiset<std::string>{"1", "2", "3", "4", "5"});
}

LEVERET_CONFORMANCE_CASE("connections see the same broker")
{
    auto one = co_await t.connect();
    auto two = co_await t.connect();
    auto channel = co_await one.open_channel();
    auto other = co_await two.open_channel();
    const auto x = t.name("x");
    const auto queue = t.name("q");
    co_await channel.declare_exchange(x, "fanout");
    co_await other.declare_queue(queue);
    co_await channel.bind_queue(queue, x);
    const auto result = co_await other.publish_confirmed(x, "", "hello");
    CHECK(result.is_confirmed());
    const auto got = co_await drain(channel, queue);
    CHECK(got == "hello");
}

LEVERET_CONFORMANCE_CASE("20 consumers on one channel")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    std::vector<std::string> queues;
    std::vector<typename Transport::consumer> consumers;
    for (int i = 0; i < 20; ++i) {
        queues.push_back(co_await filled_queue(channel, 0));
        consumers.push_back(co_await channel.consume(queues.back(), {.prefetch = 3}));
    }
    for (int round = 0; round < 10; ++round)
        for (std::size_t i = 0; i < queues.size(); ++i)
            co_await channel.publish("", queues[i], std::to_string(i) + "/" + std::to_string(round));
    int good = 0;
    for (std::size_t i = queues.size(); i-- > 0;)
        for (int round = 0; round < 10; ++round) {
            auto d = co_await next(consumers[i]);
            good += d.body() == std::to_string(i) + "/" + std::to_string(round) && d.ack();
        }
    CHECK(good == 200);
}

LEVERET_CONFORMANCE_CASE("a thousand messages through ten exchanges in a row")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    std::string last = t.name("x");
    const std::string first = last;
    co_await channel.declare_exchange(first, "fanout");
    for (int i = 1; i < 10; ++i) {
        const auto more = t.name("x");
        co_await channel.declare_exchange(more, "fanout");
        co_await channel.bind_exchange(more, last);
        last = more;
    }
    const auto queue = co_await bound_queue(channel, last, "");
    for (int i = 1; i <= 1000; ++i)
        co_await channel.publish(first, "", std::to_string(i));
    auto consumer = co_await channel.consume(queue);
    int good = 0;
    for (int i = 1; i <= 1000; ++i) {
        auto d = co_await next(consumer);
        good += d.body() == std::to_string(i) && d.ack();
    }
    CHECK(good == 1000);
}
