// Every type of field with its limits through a real RabbitMQ: passed on as it is, and taken apart and
// put together again by RabbitMQ itself, which a dead letter goes through.
#include "interop/broker.hpp"
#include "interop/sample.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>

using namespace leveret::test;

LEVERET_CORO_TEST_CASE("RabbitMQ: every property and type of field comes back byte for byte")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    const lv::message sent = sample(sample_fields());
    const auto result = co_await channel.publish_confirmed("", queue, sent);
    CHECK(result.is_confirmed());
    auto got = co_await channel.get(queue);
    REQUIRE(got);
    CHECK((got->message() == sent));
    CHECK(got->headers().size() == sent.properties().headers().size());

    // The bytes too: encode what was received once more, and compare with what was received.
    const lv::properties properties = got->message().properties();
    std::string frame(lv::wire::content_header_size + lv::wire::encoded_size(properties), '\0');
    lv::wire::writer out(frame.data(), frame.size());
    lv::wire::encode_content_header(out, got->body().size(), properties);
    CHECK(frame.substr(lv::wire::content_header_size) == got->properties().encoded());
    got->ack();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: every type of field survives RabbitMQ's own decoder and encoder")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto dead = (co_await channel.declare_queue("", {.exclusive = true})).name();
    const auto work = unique("fields");
    co_await channel.declare_queue(
        work, {.exclusive = true, .dead_letter_exchange = "", .dead_letter_routing_key = dead});
    const lv::message sent = sample(sample_fields());
    co_await channel.publish("", work, sent);
    auto refused = co_await channel.get(work);
    REQUIRE(refused);
    refused->reject();

    auto consumer = co_await channel.consume(dead);
    auto letter = co_await consumer.next();
    REQUIRE(letter);
    CHECK(letter->body() == sample_body);
    const lv::table headers = letter->headers();
    for (const auto& [name, value] : sent.properties().headers()) {
        const auto* found = headers.find(name);
        REQUIRE_MESSAGE(found != nullptr, name);
        CHECK_MESSAGE((*found == value), name);
    }
    CHECK(headers.contains("x-death")); // proof that the table was made anew
    letter->ack();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: tables nested as deep as the limit, and headers of nearly a frame")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    lv::table deep;
    for (int depth = 0; depth < 30; ++depth) {
        lv::field_array array;
        array.emplace_back(std::move(deep));
        deep = lv::table{};
        deep.set("array", std::move(array));
    }
    const lv::message nested = lv::message{"nested"}.headers(deep);
    const lv::message wide = lv::message{"wide"}.header("S", std::string(130'000, 's'));
    co_await channel.publish("", queue, nested);
    co_await channel.publish("", queue, wide);
    auto first = co_await channel.get(queue);
    auto second = co_await channel.get(queue);
    REQUIRE(first);
    REQUIRE(second);
    CHECK((first->message() == nested));
    CHECK((second->message() == wide));
    first->ack();
    second->ack();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: each property alone, present and empty")
{
    using lv::property;
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    const lv::message full = sample({});
    const auto keep_only = [&](unsigned bit, lv::message m) {
        for (unsigned i = 2; i < 16; ++i)
            if (i != bit)
                m.properties().clear(static_cast<property>(1U << i));
        return m;
    };
    for (unsigned bit = 2; bit < 16; ++bit) {
        const lv::message alone = keep_only(bit, full);
        co_await channel.publish("", queue, alone);
        auto got = co_await channel.get(queue, {.no_ack = true});
        REQUIRE(got);
        CHECK(got->properties().flags() == 1U << bit);
        CHECK((got->message() == alone));
    }
    lv::message empty;
    empty.content_type("").content_encoding("").headers({}).correlation_id("").reply_to("");
    empty.message_id("").type("").app_id("").priority(0).timestamp({});
    empty.properties().cluster_id("");
    co_await channel.publish("", queue, empty);
    auto got = co_await channel.get(queue, {.no_ack = true});
    REQUIRE(got);
    CHECK((got->message() == empty));
    CHECK(got->properties().has(property::reply_to));
    CHECK(!got->properties().has(property::user_id));
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: properties that RabbitMQ refuses")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto joe = lv::message{"x"}.user_id("joe");
    const auto user = co_await failure_of<lv::channel_error>(channel.publish_confirmed("", "q", joe));
    CHECK(user.code() == lv::reply_code::precondition_failed);
    CHECK(contains(user.what(), "user_id property set to 'joe' but authenticated user was 'guest'"));

    channel = co_await connection.open_channel();
    lv::message soon{"x"};
    soon.properties().expiration("soon");
    const auto expiration =
        co_await failure_of<lv::channel_error>(channel.publish_confirmed("", "q", soon));
    CHECK(expiration.code() == lv::reply_code::precondition_failed);
    CHECK(contains(expiration.what(), "invalid expiration 'soon'"));
    co_await connection.close();
}
