// The x-arguments that queue_options has a name for, by what they do to messages.
#include "interop/broker.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace leveret::test;

namespace {

using strings = std::vector<std::string>;

/// Takes `count` messages as they come, acknowledging each.
asio::awaitable<strings> take(lv::amqp::channel channel, std::string queue, std::size_t count)
{
    auto consumer = co_await channel.consume(queue);
    strings bodies;
    while (bodies.size() < count) {
        auto delivery = co_await consumer.next();
        bodies.emplace_back(delivery->body());
        delivery->ack();
    }
    co_await consumer.cancel();
    co_return bodies;
}

} // namespace

LEVERET_CORO_TEST_CASE("RabbitMQ: x-message-ttl and dead-lettering")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto short_lived = unique("ttl");
    const auto dead = unique("dead");
    co_await channel.declare_queue(dead, {.exclusive = true});
    co_await channel.declare_queue(short_lived, {.exclusive = true,
                                                 .message_ttl = 1ms,
                                                 .dead_letter_exchange = "",
                                                 .dead_letter_routing_key = dead});
    co_await channel.publish("", short_lived, lv::message{"too late"}.header("kept", "yes"));

    auto consumer = co_await channel.consume(dead);
    auto letter = co_await consumer.next();
    REQUIRE(letter);
    CHECK(letter->body() == "too late");
    CHECK(letter->routing_key() == dead);
    const lv::table headers = letter->headers();
    CHECK(headers.find("kept")->text() == "yes");
    CHECK(headers.find("x-first-death-reason")->text() == "expired");
    CHECK(headers.find("x-first-death-queue")->text() == short_lived);
    const auto* deaths = headers.find_as<lv::field_array>("x-death");
    REQUIRE(deaths != nullptr);
    REQUIRE(deaths->size() == 1);
    const auto* death = deaths->front().as<lv::table>();
    REQUIRE(death != nullptr);
    CHECK(death->find("queue")->text() == short_lived);
    CHECK(death->find("count")->integer() == 1);
    CHECK(death->find_as<lv::timestamp>("time") != nullptr);
    letter->ack();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: expiration of a single message, and dead-lettering by rejection")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = unique("dlx");
    const auto work = unique("work");
    const auto dead = unique("dead");
    co_await channel.declare_exchange(exchange, "fanout");
    co_await channel.declare_queue(dead, {.exclusive = true});
    co_await channel.bind_queue(dead, exchange);
    co_await channel.declare_queue(work, {.exclusive = true, .dead_letter_exchange = exchange});
    co_await channel.publish("", work, lv::message{"expired"}.expiration(0s));
    co_await channel.publish("", work, "rejected");

    auto workers = co_await channel.consume(work);
    auto refused = co_await workers.next();
    REQUIRE(refused);
    CHECK(refused->body() == "rejected");
    refused->reject();
    const auto letters = co_await take(channel, dead, 2);
    CHECK(letters == strings{"expired", "rejected"});
    co_await channel.delete_exchange(exchange);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: x-max-length drops the oldest, or rejects the newest")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto dropping = unique("drop");
    const auto dropping_too = unique("drop-head");
    const auto rejecting = unique("reject");
    co_await channel.declare_queue(dropping, {.exclusive = true, .max_length = 2});
    co_await channel.declare_queue(
        dropping_too,
        {.exclusive = true, .max_length_bytes = 5, .overflow = lv::overflow::drop_head});
    co_await channel.declare_queue(
        rejecting, {.exclusive = true, .max_length = 2, .overflow = lv::overflow::reject_publish});

    strings outcomes;
    for (const auto& queue : {dropping, dropping_too, rejecting}) {
        std::string outcome;
        for (const char* body : {"aa", "bb", "cc"}) {
            const auto result = co_await channel.publish_confirmed("", queue, body);
            outcome += result.is_confirmed() ? 'y' : result.is_rejected() ? 'n' : '?';
        }
        outcomes.push_back(outcome);
    }
    CHECK(outcomes == strings{"yyy", "yyy", "yyn"});
    const auto at_dropping = co_await take(channel, dropping, 2);
    const auto at_dropping_too = co_await take(channel, dropping_too, 2);
    const auto at_rejecting = co_await take(channel, rejecting, 2);
    CHECK(at_dropping == strings{"bb", "cc"});
    CHECK(at_dropping_too == strings{"bb", "cc"});
    CHECK(at_rejecting == strings{"aa", "bb"});
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: x-overflow reject-publish-dlx keeps what it refuses")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto dead = unique("dead");
    const auto full = unique("full");
    co_await channel.declare_queue(dead, {.exclusive = true});
    co_await channel.declare_queue(full, {.exclusive = true,
                                          .max_length = 1,
                                          .overflow = lv::overflow::reject_publish_dlx,
                                          .dead_letter_exchange = "",
                                          .dead_letter_routing_key = dead});
    const auto first = co_await channel.publish_confirmed("", full, "fits");
    const auto second = co_await channel.publish_confirmed("", full, "does not fit");
    CHECK(first.is_confirmed());
    CHECK(second.is_rejected());
    const auto letters = co_await take(channel, dead, 1);
    CHECK(letters == strings{"does not fit"});
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: x-max-priority puts the urgent first")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("priorities");
    co_await channel.declare_queue(queue, {.exclusive = true, .max_priority = 10});
    for (const int priority : {1, 9, 5, 200}) {
        const auto level = static_cast<std::uint8_t>(priority);
        co_await channel.publish("", queue, lv::message{std::to_string(priority)}.priority(level));
    }
    co_await channel.publish("", queue, "none");
    const auto order = co_await take(channel, queue, 5);
    CHECK(order == strings{"200", "9", "5", "1", "none"});
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: x-expires deletes a queue that nobody uses")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("lease");
    const auto dead = unique("lease-check");
    co_await channel.declare_queue(queue, {.expires = 50ms});
    auto consumer = co_await channel.consume(queue);
    co_await consumer.cancel();
    // Asking for it would be a use, so a second queue tells the time: longer by a lot.
    co_await channel.declare_queue(dead, {.exclusive = true});
    const auto clock = co_await channel.declare_queue("", {.exclusive = true,
                                                           .message_ttl = 1s,
                                                           .dead_letter_exchange = "",
                                                           .dead_letter_routing_key = dead});
    co_await channel.publish("", clock.name(), "tick");
    co_await take(channel, dead, 1);
    const auto gone =
        co_await failure_of<lv::channel_error>(channel.declare_queue(queue, {.passive = true}));
    CHECK(gone.code() == lv::reply_code::not_found);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: x-single-active-consumer passes the queue on")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("single");
    co_await channel.declare_queue(queue, {.exclusive = true, .single_active_consumer = true});
    auto active = co_await channel.consume(queue);
    auto waiting = co_await channel.consume(queue);
    for (const char* body : {"1", "2"})
        co_await channel.publish("", queue, body);
    strings seen;
    for (int i = 0; i < 2; ++i) {
        auto delivery = co_await active.next();
        seen.emplace_back(delivery->body());
        delivery->ack();
    }
    CHECK(seen == strings{"1", "2"});
    co_await active.cancel();
    co_await channel.publish("", queue, "3");
    auto delivery = co_await waiting.next();
    REQUIRE(delivery);
    CHECK(delivery->body() == "3");
    delivery->ack();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a quorum queue with a delivery limit")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("quorum");
    const auto dead = unique("dead");
    co_await channel.declare_queue(dead, {.exclusive = true});
    co_await channel.declare_queue(queue, {.durable = true,
                                           .dead_letter_exchange = "",
                                           .dead_letter_routing_key = dead,
                                           .type = lv::queue_type::quorum,
                                           .delivery_limit = 1});
    const auto safe =
        co_await channel.publish_confirmed("", queue, lv::message{"poison"}.persistent());
    CHECK(safe.is_confirmed());
    auto consumer = co_await channel.consume(queue);
    for (int i = 0; i < 2; ++i) {
        auto delivery = co_await consumer.next();
        REQUIRE(delivery);
        CHECK(delivery->redelivered() == (i > 0));
        const lv::table headers = delivery->headers();
        const auto* count = headers.find("x-delivery-count");
        CHECK((count == nullptr ? 0 : count->integer()) == i);
        delivery->nack();
    }
    auto letters = co_await channel.consume(dead);
    auto letter = co_await letters.next();
    REQUIRE(letter);
    CHECK(letter->headers().find("x-first-death-reason")->text() == "delivery_limit");
    letter->ack();
    co_await consumer.cancel();
    co_await channel.delete_queue(queue);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: further arguments win, and wrong ones are the broker's to refuse")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("arguments");
    lv::table more;
    more.set("x-max-length", 1).set("x-queue-type", "classic").set("x-unknown", "is kept");
    co_await channel.declare_queue(queue, {.exclusive = true, .max_length = 5, .arguments = more});
    for (const char* body : {"1", "2"})
        co_await channel.publish("", queue, body);
    const auto left = co_await take(channel, queue, 1);
    CHECK(left == strings{"2"});

    const auto negative = co_await failure_of<lv::channel_error>(
        channel.declare_queue(unique("negative"), {.exclusive = true, .message_ttl = -1ms}));
    CHECK(negative.code() == lv::reply_code::precondition_failed);
    CHECK(contains(negative.what(), "invalid arg 'x-message-ttl'"));
    channel = co_await connection.open_channel();
    const auto no_exchange = co_await failure_of<lv::channel_error>(
        channel.declare_queue(unique("dlx"), {.exclusive = true, .dead_letter_routing_key = "x"}));
    CHECK(contains(no_exchange.what(), "routing_key_but_no_dlx_defined"));
    co_await connection.close();
}
