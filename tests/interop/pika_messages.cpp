// Messages between pika and leveret, with every property and type of field that both know.
#include "interop/broker.hpp"
#include "interop/python.hpp"
#include "interop/sample.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

using namespace leveret::test;

LEVERET_CORO_TEST_CASE("pika publishes, leveret consumes: every property and type of field")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("from-pika");
    co_await channel.declare_queue(queue);
    auto consumer = co_await channel.consume(queue);
    auto python = start_python(connection.get_executor(), "pika_publish.py", queue);

    auto first = co_await consumer.next();
    REQUIRE(first);
    const lv::message expected = sample(sample_fields_of_pika());
    const lv::message received = first->message();
    CHECK(received.text() == sample_body);
    for (const auto& [name, value] : expected.properties().headers()) {
        const auto* found = received.properties().headers().find(name);
        REQUIRE_MESSAGE(found != nullptr, name);
        CHECK_MESSAGE((*found == value), name);
    }
    CHECK((received.properties() == expected.properties()));
    CHECK((received == expected));
    CHECK(first->properties().flags() == 0xfffc); // all fourteen
    first->ack();

    auto empty = co_await consumer.next();
    REQUIRE(empty);
    CHECK(empty->body().empty());
    CHECK(empty->properties().flags() == 0);
    empty->ack();

    auto large = co_await consumer.next();
    REQUIRE(large);
    REQUIRE(large->body().size() == std::size_t{256} * 4096 * 5);
    std::size_t good = 0;
    for (std::size_t i = 0; i < large->body().size(); ++i)
        good += static_cast<unsigned char>(large->body()[i]) == i % 256;
    CHECK(good == large->body().size());
    large->ack();

    auto bare = co_await consumer.next();
    REQUIRE(bare);
    CHECK(bare->body() == "no headers");
    CHECK(bare->properties().has(lv::property::headers));
    CHECK(bare->headers().empty());
    CHECK(bare->properties().has(lv::property::priority));
    CHECK(bare->properties().priority() == 0);
    CHECK(bare->properties().has(lv::property::content_type));
    CHECK(bare->properties().content_type().empty());
    CHECK(!bare->properties().has(lv::property::type));
    bare->ack();

    const int status = co_await python.exit_status();
    CHECK(status == 0);
    co_await channel.delete_queue(queue);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("leveret publishes, pika consumes: every property and type of field")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("for-pika");
    co_await channel.declare_queue(queue);
    const lv::message full = sample(sample_fields_for_pika());
    std::string large;
    for (std::size_t i = 0; i < std::size_t{256} * 4096 * 5; ++i)
        large += static_cast<char>(i % 256);
    co_await channel.publish("", queue, full);
    co_await channel.publish("", queue, "");
    co_await channel.publish("", queue, large);
    const lv::message bare = lv::message{"bare"}.headers({}).priority(0).content_type("");
    co_await channel.publish("", queue, bare);
    for (int i = 0; i < 100; ++i)
        co_await channel.publish("", queue, std::to_string(i));

    auto python = start_python(connection.get_executor(), "pika_consume.py", queue, "104");
    std::vector<std::string> lines;
    for (int i = 0; i < 104; ++i)
        lines.push_back(co_await python.line());
    CHECK(lines[0] == "sample: True ");
    CHECK(lines[1] == "0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 False {}");
    CHECK(lines[2] == "5242880 2e7cab6314e9614b6f2da12630661c3038e5592025f6534ba5823c3b340a1cb6 "
                      "False {}");
    CHECK(contains(lines[3], "False {'content_type': '', 'headers': {}, 'priority': 0}"));
    for (std::size_t i = 0; i < 100; ++i)
        CHECK(lines[4 + i].starts_with(i < 10 ? "1 " : "2 "));
    const int status = co_await python.exit_status();
    CHECK(status == 0);
    const bool empty = co_await is_empty(channel, queue);
    CHECK(empty);
    co_await channel.delete_queue(queue);
    co_await connection.close();
}
