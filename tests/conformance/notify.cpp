// Notifications: who hears what, what is requeued, batches, pools, and how a listener ends.
#include "conformance/conformance.hpp"
#include "interop/task.hpp"
#include "support/eventually.hpp"

#include <leveret/notify.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace leveret::test;
using lv::notify::notification;
using lv::notify::outcome;
using lv::notify::priority;

LEVERET_CONFORMANCE_CASE("notify: to the handlers of a priority, by filters, in order")
{
    auto connection = co_await t.connect();
    const std::string exchange = t.name("notify.exchange");
    const std::string topic = t.name("notify");
    auto told = co_await connection.open_channel();
    const lv::notify::notifier teller{told, {.publisher_id = "host.1", .exchange = exchange, .topic = topic}};
    const lv::json seven = {{"seq", 7}, {"state", "up"}};
    auto early = co_await teller.info("instance.created", seven); // waits for its listener
    CHECK(early);

    auto channel = co_await connection.open_channel();
    lv::notify::listener desk{channel, {.exchange = exchange, .topic = topic}};
    std::vector<std::string> heard;
    std::optional<notification> first;
    desk.on(priority::info, [&](const notification& n) {
        if (!first)
            first = n;
        heard.push_back("info " + n.event_type());
    });
    desk.on(
        priority::info, [&](const notification& n) { heard.push_back("up " + n.event_type()); },
        lv::notify::filter().payload("state", "u").event_type("instance\\.").publisher_id("host"));
    desk.on(priority::error, [&](const notification& n) -> asio::awaitable<void> {
        co_await turns(3);
        heard.push_back("error " + n.event_type());
    });
    co_await desk.start();
    task<void> run(connection.get_executor(), desk.run());
    co_await eventually([&] { return heard.size() == 2; });
    CHECK(heard == std::vector<std::string>{"info instance.created", "up instance.created"});
    CHECK(first->publisher_id() == "host.1");
    CHECK(first->priority() == priority::info);
    CHECK(first->payload() == seven);
    CHECK(first->message_id().size() == 36);
    CHECK(first->timestamp().size() == 19);

    const auto caused = teller.with_context({{"user", "u1"}});
    const lv::json down = {{"state", "down"}};
    auto second = co_await caused.info("instance.gone", down);
    auto third = co_await caused.error("disk.full", down);
    CHECK((second && third));
    auto nobody = co_await caused.debug("nothing", down); // kept for who will listen
    CHECK(nobody);
    co_await eventually([&] { return desk.handled() == 3; });
    CHECK(heard.size() == 4);
    desk.stop();
    co_await run.join();
    for (const char* p : {"info", "error", "debug"})
        co_await channel.delete_queue(topic + "." + p);
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("notify: requeued, and thrown")
{
    auto connection = co_await t.connect();
    const std::string exchange = t.name("notify.exchange");
    const std::string topic = t.name("notify");
    auto channel = co_await connection.open_channel();
    auto told = co_await connection.open_channel();
    const lv::notify::notifier teller{told, {.exchange = exchange, .topic = topic}};
    lv::notify::listener desk{channel, {.exchange = exchange, .topic = topic}};
    int calls = 0, second = 0;
    desk.on(priority::warn, [&](const notification&) {
        ++calls;
        if (calls == 1)
            return outcome::requeue;
        if (calls == 2)
            throw std::runtime_error("a handler's own affair");
        return outcome::handled;
    });
    desk.on(priority::warn, [&](const notification&) { ++second; });
    co_await desk.start();
    task<void> run(connection.get_executor(), desk.run());
    auto sent = co_await teller.warn("w", lv::json(1));
    CHECK(sent);
    // What is no notification is rejected, and one of no known priority is let go.
    co_await told.publish(exchange, topic + ".warn", "nonsense");
    co_await told.publish(exchange, topic + ".warn", lv::message(R"({"event_type":"x"})").content_type("application/json"));
    co_await eventually([&] { return desk.handled() == 1 && desk.rejected() == 1 && desk.ignored() == 1; });
    CHECK(desk.requeued() == 2);
    CHECK(calls == 3);
    CHECK(second == 1);
    run.cancel();
    const auto e = co_await failure_of<lv::operation_cancelled>(run.join());
    CHECK(contains(e.what(), "notify.listener.run was cancelled"));
    co_await channel.delete_queue(topic + ".warn");
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("notify: batches by size and time, and pools")
{
    auto connection = co_await t.connect();
    const std::string exchange = t.name("notify.exchange");
    const std::string topic = t.name("notify");
    const std::string pool = t.name("notify.pool");
    auto channel = co_await connection.open_channel();
    auto told = co_await connection.open_channel();
    const lv::notify::notifier teller{told, {.exchange = exchange, .topic = topic}};
    lv::notify::listener desk{channel,
                              {.exchange = exchange, .topic = topic, .pool = pool, .batch_size = 4, .batch_timeout = 50ms}};
    std::vector<std::size_t> sizes;
    int sum = 0;
    desk.on_batch(priority::sample, [&](std::span<const notification> batch) {
        sizes.push_back(batch.size());
        for (const notification& n : batch)
            sum += n.payload_as<int>();
    });
    co_await desk.start();
    auto other = co_await connection.open_channel();
    lv::notify::listener all{other, {.exchange = exchange, .topic = topic}};
    int seen = 0;
    all.on(priority::sample, [&](const notification&) { ++seen; });
    co_await all.start();
    for (int i = 1; i <= 10; ++i) {
        auto sent = co_await teller.sample("s", i);
        REQUIRE(sent);
    }
    task<void> run(connection.get_executor(), desk.run());
    task<void> run_all(connection.get_executor(), all.run());
    co_await eventually([&] { return sum == 55 && seen == 10; });
    CHECK(sizes == std::vector<std::size_t>{4, 4, 2});
    desk.stop();
    all.stop();
    co_await run.join();
    co_await run_all.join();
    co_await channel.delete_queue(topic + ".sample");
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("notify: a listener whose connection ends says so, and loses nothing")
{
    auto connection = co_await t.connect();
    auto leaving = co_await t.connect();
    const std::string exchange = t.name("notify.exchange");
    const std::string topic = t.name("notify");
    auto told = co_await connection.open_channel();
    const lv::notify::notifier teller{told, {.exchange = exchange, .topic = topic}};
    auto channel = co_await leaving.open_channel();
    lv::notify::listener desk{channel, {.exchange = exchange, .topic = topic}};
    bool began = false;
    desk.on(priority::info, [&](const notification&) -> asio::awaitable<void> {
        began = true;
        co_await pause(10s);
    });
    co_await desk.start();
    task<void> run(leaving.get_executor(), desk.run());
    auto sent = co_await teller.info("i", lv::json(nullptr));
    CHECK(sent);
    co_await eventually([&] { return began; });
    co_await leaving.close();
    co_await failure_of<lv::error>(run.join());
    const bool back = co_await holds(told, topic + ".info", 1);
    CHECK(back);
    co_await told.delete_queue(topic + ".info");
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("notify: of a batch, what a handler of one has requeued comes again alone")
{
    auto connection = co_await t.connect();
    const std::string exchange = t.name("notify.exchange");
    const std::string topic = t.name("notify");
    auto channel = co_await connection.open_channel();
    auto told = co_await connection.open_channel();
    const lv::notify::notifier teller{told, {.exchange = exchange, .topic = topic}};
    lv::notify::listener desk{channel, {.exchange = exchange, .topic = topic, .batch_size = 4, .batch_timeout = 50ms}};
    std::vector<int> seen;
    std::size_t thrown = 0;
    desk.on(priority::info, [&](const notification& n) {
        seen.push_back(n.payload_as<int>());
        if (seen.back() == 3 && thrown == 0)
            throw std::runtime_error("not yet");
    });
    desk.on_failure([&](std::span<const notification> of, const std::exception_ptr& e) {
        CHECK(e);
        thrown += of.size();
    });
    co_await desk.start();
    for (int i = 1; i <= 4; ++i) {
        auto sent = co_await teller.info("i", i);
        REQUIRE(sent);
    }
    task<void> run(connection.get_executor(), desk.run());
    co_await eventually([&] { return desk.handled() == 4; });
    CHECK(seen == std::vector<int>{1, 2, 3, 4, 3});
    CHECK(thrown == 1);
    CHECK(desk.requeued() == 1);
    desk.stop();
    co_await run.join();
    co_await channel.delete_queue(topic + ".info");
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("notify: a listener that is cancelled twice gives back what it handles")
{
    auto connection = co_await t.connect();
    const std::string exchange = t.name("notify.exchange");
    const std::string topic = t.name("notify");
    auto channel = co_await connection.open_channel();
    auto told = co_await connection.open_channel();
    const lv::notify::notifier teller{told, {.exchange = exchange, .topic = topic}};
    lv::notify::listener desk{channel, {.exchange = exchange, .topic = topic}};
    bool waits = false;
    desk.on(priority::info, [&](const notification&) -> asio::awaitable<void> {
        waits = true;
        co_await pause(60s);
    });
    co_await desk.start();
    task<void> run(connection.get_executor(), desk.run());
    auto sent = co_await teller.info("i", 1);
    CHECK(sent);
    co_await eventually([&] { return waits; });
    run.cancel();
    co_await turns(20);
    CHECK(!run.is_done()); // it waits for the handler
    while (!run.is_done()) {
        run.cancel();
        co_await turns(3);
    }
    co_await failure_of<lv::operation_cancelled>(run.join());
    CHECK(desk.requeued() == 1);
    const std::string queue = topic + ".info";
    auto again = co_await channel.get(queue);
    REQUIRE(again);
    CHECK(again->redelivered());
    again->ack();
    co_await channel.delete_queue(queue);
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("notify: what the broker refuses is told again as often as was asked")
{
    auto connection = co_await t.connect();
    const std::string exchange = t.name("notify.exchange");
    const std::string topic = t.name("notify");
    auto channel = co_await connection.open_channel();
    const lv::notify::notifier teller{channel, {.exchange = exchange, .topic = topic, .retries = 2, .retry_interval = 10ms}};
    auto first = co_await teller.info("i", 1);
    CHECK(first.is_confirmed());
    // A queue beside the listeners' own, which is full.
    const std::string key = topic + ".info";
    const auto full = co_await channel.declare_queue(
        "", {.exclusive = true, .max_length = 1, .overflow = lv::overflow::reject_publish});
    co_await channel.publish("", full.name(), "there");
    co_await channel.bind_queue(full.name(), exchange, key);
    auto refused = co_await teller.info("i", 2);
    CHECK_FALSE(refused.is_confirmed());
    const auto told = co_await channel.declare_queue(key, {.passive = true});
    CHECK(told.message_count() == 4); // the first, and the second three times
    co_await channel.delete_queue(key);
    co_await connection.close();
}

LEVERET_CONFORMANCE_CASE("notify: a listener that may not requeue is done with what its handler throws at")
{
    auto connection = co_await t.connect();
    const std::string exchange = t.name("notify.exchange");
    const std::string topic = t.name("notify");
    auto channel = co_await connection.open_channel();
    auto told = co_await connection.open_channel();
    const lv::notify::notifier teller{told, {.exchange = exchange, .topic = topic}};
    lv::notify::listener desk{channel, {.exchange = exchange, .topic = topic, .allow_requeue = false}};
    int seen = 0;
    desk.on(priority::info, [&](const notification&) {
        ++seen;
        throw std::runtime_error("not now");
    });
    co_await desk.start();
    task<void> run(connection.get_executor(), desk.run());
    auto sent = co_await teller.info("i", 1);
    CHECK(sent);
    co_await eventually([&] { return desk.handled() == 1; });
    CHECK(seen == 1);
    CHECK(desk.requeued() == 0);
    desk.stop();
    co_await run.join();
    auto left = co_await channel.get(topic + ".info");
    CHECK(!left);
    co_await channel.delete_queue(topic + ".info");
    co_await connection.close();
}
