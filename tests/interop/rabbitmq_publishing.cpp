// basic.publish and basic.return with a real RabbitMQ: bodies of every size, messages that come back.
#include "interop/broker.hpp"
#include "interop/task.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

using namespace leveret::test;

namespace {

/// Bytes that don't repeat in any frame size, so that a frame lost, doubled or moved is seen.
std::string pattern(std::size_t size)
{
    std::string s(size, '\0');
    std::uint64_t x = size + 1;
    for (char& c : s) {
        x = x * 6364136223846793005U + 1442695040888963407U;
        c = static_cast<char>(x >> 56U);
    }
    return s;
}

/// Publishes one message of each size in every way there is, and compares what comes back.
asio::awaitable<void> send_sizes(lv::amqp::channel channel, std::vector<std::size_t> sizes)
{
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    auto consumer = co_await channel.consume(queue, {.prefetch = 0});
    for (const std::size_t size : sizes) {
        const std::string body = pattern(size);
        const lv::message whole = lv::message{body}.content_type("application/octet-stream");
        co_await channel.publish("", queue, body);
        co_await channel.publish("", queue, std::as_bytes(std::span(body)));
        co_await channel.publish("", queue, whole);
        const auto result = co_await channel.publish_confirmed("", queue, whole);
        CHECK(result.is_confirmed());
        int good = 0;
        for (int i = 0; i < 4; ++i) {
            auto d = co_await consumer.next();
            REQUIRE(d);
            good += d->body() == body && d->payload().size() == size &&
                    d->properties().flags() == (i < 2 ? 0 : whole.properties().flags()) && d->ack();
        }
        CHECK_MESSAGE(good == 4, "bodies of " << size << " bytes");
    }
    co_await consumer.cancel();
    co_await channel.delete_queue(queue);
}

} // namespace

LEVERET_CORO_TEST_CASE("RabbitMQ: bodies of every size around the frames of 131072 bytes")
{
    auto connection = co_await connect();
    CHECK(connection.frame_max() == 131072);
    auto channel = co_await connection.open_channel();
    const std::vector<std::size_t> sizes{0,      1,      2,      231,    232,    4088,
                                         16383,  16384,  65535,  65536,  131063, 131064,
                                         131065, 131072, 262128, 262129, 999999, 5'000'000};
    co_await send_sizes(channel, sizes);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: bodies of every size around the smallest frames, of 4096 bytes")
{
    auto connection = co_await connect({.frame_max = 4096});
    CHECK(connection.frame_max() == 4096);
    auto channel = co_await connection.open_channel();
    const std::vector<std::size_t> sizes{0,    1,     4087,  4088,  4089,   4096,   8175,     8176,
                                         8177, 16383, 16384, 16385, 100000, 999999, 5'000'000};
    co_await send_sizes(channel, sizes);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: messages larger than the output buffer, from several coroutines")
{
    constexpr int publishers = 4;
    constexpr int each = 20;
    auto connection = co_await connect({.frame_max = 8192, .output_high_water = 50'000});
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    auto consumer = co_await channel.consume(queue, {.prefetch = 0});
    std::vector<task<void>> tasks;
    const auto publish = [&](int who) -> asio::awaitable<void> {
        for (int i = 0; i < each; ++i) {
            const auto size = static_cast<std::size_t>(1 + (who * each + i) * 3000);
            const lv::message m = lv::message{pattern(size)}.type(std::to_string(who));
            co_await channel.publish("", queue, m);
        }
    };
    for (int who = 0; who < publishers; ++who)
        tasks.emplace_back(connection.get_executor(), publish(who));
    std::vector<int> next(publishers); // each publisher's messages keep their order
    int good = 0;
    for (int i = 0; i < publishers * each; ++i) {
        auto d = co_await consumer.next();
        REQUIRE(d);
        const int who = std::stoi(std::string(d->properties().type()));
        const int nth = next[static_cast<std::size_t>(who)]++;
        good += d->body() == pattern(static_cast<std::size_t>(1 + (who * each + nth) * 3000));
        d->ack();
    }
    CHECK(good == publishers * each);
    for (const auto& t : tasks)
        co_await t.join();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a mandatory message without a queue comes back")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const std::string large = pattern(300'000);
    const lv::message m = lv::message{large}.message_id("7").header("n", 1).persistent();
    co_await channel.publish("amq.direct", "nobody", m, {.mandatory = true});
    co_await channel.publish("amq.direct", "nobody", "not mandatory, lost");
    co_await channel.publish("amq.topic", "nobody.too", "", {.mandatory = true});

    const auto first = co_await channel.next_return();
    CHECK(first.reply_code() == lv::reply_code::no_route);
    CHECK(static_cast<int>(first.reply_code()) == 312);
    CHECK(first.reply_text() == "NO_ROUTE");
    CHECK(first.exchange() == "amq.direct");
    CHECK(first.routing_key() == "nobody");
    CHECK((first.message() == m));
    const auto second = co_await channel.next_return();
    CHECK(second.exchange() == "amq.topic");
    CHECK(second.routing_key() == "nobody.too");
    CHECK(second.message().body().empty());
    CHECK(channel.lost_returns() == 0);

    const auto none = co_await failure_of<lv::timeout_error>(channel.next_return({.timeout = 1ms}));
    CHECK(none.diagnostics().operation == "next_return");
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: next_return waits, and ends with its channel")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    task<lv::amqp::returned_message> waiting(connection.get_executor(), channel.next_return());
    co_await turns(3);
    CHECK(!waiting.is_done());
    co_await channel.publish("", "nobody", "back", {.mandatory = true});
    const auto returned = co_await waiting.join();
    CHECK(returned.message().text() == "back");

    task<lv::amqp::returned_message> in_vain(connection.get_executor(), channel.next_return());
    co_await turns(3);
    co_await channel.close();
    const auto closed = co_await failure_of<lv::channel_error>(in_vain.join());
    CHECK(closed.code() == lv::errc::channel_closed);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: publishing where there is no exchange ends the channel")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    co_await channel.publish("no such exchange", "", "x"); // nothing is known yet
    const auto later = co_await failure_of<lv::channel_error>(channel.declare_queue());
    CHECK(later.code() == lv::reply_code::not_found);
    CHECK(contains(later.what(), "404 NOT_FOUND - no exchange 'no such exchange' in vhost '/' "
                                 "(basic.publish on channel 1)"));
    CHECK(!channel.is_open());
    const auto after = co_await failure_of<lv::channel_error>(channel.publish("", "q", "x"));
    CHECK(after.code() == lv::reply_code::not_found);
    CHECK(after.diagnostics().operation_fate == lv::fate::never_sent);
    CHECK_THROWS_AS(channel.try_publish("", "q", "x"), lv::channel_error);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: try_publish")
{
    auto connection = co_await connect({.output_high_water = 10'000});
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    std::uint32_t sent = 0;
    while (channel.try_publish("", queue, lv::message{std::string(100, 'x')}.persistent()))
        ++sent;
    CHECK(sent > 10);
    CHECK(sent < 100);
    co_await channel.publish("", queue, "waits until there is room");
    const bool arrived = co_await holds(channel, queue, sent + 1);
    CHECK(arrived);
    CHECK(channel.try_publish("", queue, "and now there is"));
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: what AMQP can't carry is refused before anything is sent")
{
    auto connection = co_await connect({.frame_max = 4096});
    auto channel = co_await connection.open_channel();
    const std::string long_text(256, 'x');
    const auto refuse = [&](const lv::message& m) {
        CHECK_THROWS_AS(static_cast<void>(channel.publish("", "q", m)), lv::usage_error);
    };
    CHECK_THROWS_AS(static_cast<void>(channel.publish("", long_text, "x")), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(channel.publish(long_text, "", "x")), lv::usage_error);
    refuse(lv::message{"x"}.content_type(long_text));
    refuse(lv::message{"x"}.header(long_text, 1));
    refuse(lv::message{"x"}.header("too much for a frame", std::string(5000, 'x')));
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    const auto longest = lv::message{"x"}.content_type(std::string(255, 'x'));
    const auto result = co_await channel.publish_confirmed("", queue, longest);
    CHECK(result.is_confirmed());
    co_await connection.close();
}
