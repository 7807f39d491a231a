// Messages and queues that live for a time only. Nothing is slept for: what expires is dead-lettered,
// and its arrival is waited for.
#include "conformance/conformance.hpp"

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>

using namespace leveret::test;

namespace {

/// A queue of the connection whose dead letters go to `dead`, with the time to live of its messages.
template <class Channel>
asio::awaitable<void> declare_mortal(Channel channel, std::string queue, std::string dead,
                                     lv::duration ttl)
{
    co_await channel.declare_queue(queue, {.exclusive = true,
                                           .message_ttl = ttl,
                                           .dead_letter_exchange = "",
                                           .dead_letter_routing_key = dead});
}

} // namespace

LEVERET_CONFORMANCE_CASE("x-message-ttl: what waits longer goes, in order")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await declare_mortal(channel, queue, dead, 20ms);
    co_await fill(channel, queue, 3);
    const auto letters = co_await arrivals(channel, dead, 3);
    CHECK(letters == "1 2 3");
    const auto left = co_await drain(channel, queue);
    CHECK(left == "");
}

LEVERET_CONFORMANCE_CASE("x-message-ttl: what is delivered does not expire, and does when it comes back")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await declare_mortal(channel, queue, dead, 300ms);
    co_await send(channel, "", queue, "held");
    auto held = co_await channel.get(queue);
    REQUIRE(held);
    co_await send(channel, "", queue, "expires");
    const auto letters = co_await arrivals(channel, dead, 1); // so the time of the first is over, too
    CHECK(letters == "expires");
    held->nack();
    const auto late = co_await arrivals(channel, dead, 1);
    CHECK(late == "held");
}

LEVERET_CONFORMANCE_CASE("x-message-ttl 0: only for a consumer that is there already")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await declare_mortal(channel, queue, dead, 0ms);
    co_await send(channel, "", queue, "1");
    const auto letters = co_await arrivals(channel, dead, 1);
    CHECK(letters == "1");
    auto consumer = co_await channel.consume(queue);
    co_await send(channel, "", queue, "2");
    const auto got = co_await receive(consumer, 1);
    CHECK(got == "2");
}

LEVERET_CONFORMANCE_CASE("x-message-ttl: long enough is no end")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto patient = t.name("patient");
    const auto hasty = t.name("hasty");
    co_await declare_mortal(channel, patient, dead, 1h);
    co_await declare_mortal(channel, hasty, dead, 30ms);
    co_await send(channel, "", patient, "patient");
    co_await send(channel, "", hasty, "hasty");
    const auto letters = co_await arrivals(channel, dead, 1);
    CHECK(letters == "hasty");
    const auto left = co_await drain(channel, patient);
    CHECK(left == "patient");
}

LEVERET_CONFORMANCE_CASE("expiration: of one message, whatever its queue says, if it is shorter")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto without = t.name("without");
    const auto with = t.name("with");
    co_await declare_mortal(channel, without, dead, lv::duration::never());
    co_await declare_mortal(channel, with, dead, 1h);
    co_await channel.publish("", without, lv::message{"1"}.expiration(20ms));
    const auto first = co_await arrivals(channel, dead, 1);
    CHECK(first == "1");
    co_await channel.publish("", with, lv::message{"2"}.expiration(20ms));
    const auto second = co_await arrivals(channel, dead, 1);
    CHECK(second == "2");
    const auto hasty = t.name("hasty");
    co_await declare_mortal(channel, hasty, dead, 20ms);
    co_await channel.publish("", hasty, lv::message{"3"}.expiration(1h)); // the shorter one counts
    const auto third = co_await arrivals(channel, dead, 1);
    CHECK(third == "3");
}

LEVERET_CONFORMANCE_CASE("expiration: is looked at when the message is at the head of its queue")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await declare_mortal(channel, queue, dead, lv::duration::never());
    co_await channel.publish("", queue, lv::message{"behind"}.expiration(1h));
    co_await channel.publish("", queue, lv::message{"waits"}.expiration(1ms));
    // Another queue shows that the time is over.
    const auto clock = t.name("clock");
    co_await declare_mortal(channel, clock, dead, 30ms);
    co_await send(channel, "", clock, "tick");
    const auto tick = co_await arrivals(channel, dead, 1);
    CHECK(tick == "tick");
    const bool both = co_await holds(channel, queue, 2); // it is counted though it is dead
    CHECK(both);
    auto head = co_await channel.get(queue);
    REQUIRE(head);
    CHECK(head->body() == "behind");
    head->ack();
    const auto letters = co_await arrivals(channel, dead, 1);
    CHECK(letters == "waits");
}

LEVERET_CONFORMANCE_CASE("expiration 0: only for a consumer that is there already")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    co_await channel.publish("", queue, lv::message{"lost"}.expiration(0ms));
    const auto nothing = co_await drain(channel, queue);
    CHECK(nothing == "");
    auto consumer = co_await channel.consume(queue);
    co_await channel.publish("", queue, lv::message{"there"}.expiration(0ms));
    auto got = co_await next(consumer);
    CHECK(got.body() == "there");
    CHECK(got.properties().expiration() == "0");
    got.ack();
}

LEVERET_CONFORMANCE_CASE("expiration: is a number of milliseconds and nothing else")
{
    auto connection = co_await t.connect();
    struct wrong {
        const char* text;
        const char* words;
    };
    for (const wrong w : {wrong{"abc", "no_integer"}, wrong{"", "no_integer"},
                          wrong{"10x", "{leftover_string,\"x\"}"}, wrong{"-1", "{value_negative,-1}"},
                          wrong{"1.5", "{leftover_string,\".5\"}"}, wrong{" 1", "no_integer"},
                          wrong{"315360000001", "{value_too_large,315360000001}"}}) { // ten years
        auto channel = co_await connection.open_channel();
        lv::message m{"x"};
        m.properties().expiration(w.text);
        const auto e = co_await refused_publish(channel, "", "anywhere", m);
        CHECK(e == precondition_failed("invalid expiration '" + std::string(w.text) + "': " + w.words,
                                       ids::basic_publish));
    }
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    for (const char* good : {"315360000000", "0010"}) {
        lv::message m{"x"};
        m.properties().expiration(good);
        co_await channel.publish("", queue, m);
    }
    auto first = co_await channel.get(queue);
    REQUIRE(first);
    CHECK(first->properties().expiration() == "315360000000");
    first->ack();
}

LEVERET_CONFORMANCE_CASE("expiration: is gone from a message that died, so that it dies once")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await declare_mortal(channel, queue, dead, lv::duration::never());
    co_await channel.publish("", queue, lv::message{"x"}.expiration(5ms).content_type("text/plain"));
    auto letters = co_await channel.consume(dead);
    auto letter = co_await next(letters);
    CHECK(!letter.properties().has(lv::property::expiration));
    CHECK(letter.properties().content_type() == "text/plain");
    const auto headers = letter.headers();
    const auto* deaths = headers.template find_as<lv::field_array>("x-death");
    REQUIRE(deaths != nullptr);
    REQUIRE(deaths->size() == 1);
    const auto* death = deaths->front().template as<lv::table>();
    REQUIRE(death != nullptr);
    const auto* original = death->find("original-expiration");
    REQUIRE(original != nullptr);
    CHECK(original->text() == "5");
    letter.ack();
}

LEVERET_CONFORMANCE_CASE("x-expires: an unused queue goes, and its messages are not dead letters")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.expires = 50ms,
                                           .dead_letter_exchange = "",
                                           .dead_letter_routing_key = dead});
    co_await send(channel, "", queue, "1");
    lv::publish_result result;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    do { // publishing is no use
        result = co_await channel.publish_confirmed("", queue, "2");
    } while (!result.is_unroutable() && std::chrono::steady_clock::now() < deadline);
    CHECK(result.is_unroutable());
    const bool gone = !co_await queue_exists(connection, queue);
    CHECK(gone);
    const auto letters = co_await drain(channel, dead);
    CHECK(letters == "");
}

LEVERET_CONFORMANCE_CASE("x-expires: a consumer keeps it, and the time begins again when it goes")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto clock = t.name("clock");
    co_await declare_mortal(channel, clock, dead, 400ms);
    const auto consumed = t.name("consumed");
    const auto unused = t.name("unused");
    co_await channel.declare_queue(consumed, {.expires = 150ms});
    auto consumer = co_await channel.consume(consumed);
    co_await channel.declare_queue(unused, {.expires = 150ms});
    co_await send(channel, "", clock, "tick");
    const auto tick = co_await arrivals(channel, dead, 1);
    CHECK(tick == "tick");
    const bool kept = co_await queue_exists(connection, consumed);
    const bool gone = !co_await queue_exists(connection, unused);
    CHECK(kept);
    CHECK(gone);
    co_await consumer.cancel();
    lv::publish_result result;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    do {
        result = co_await channel.publish_confirmed("", consumed, "x");
    } while (!result.is_unroutable() && std::chrono::steady_clock::now() < deadline);
    CHECK(result.is_unroutable()); // the lease began when the consumer went
}

LEVERET_CONFORMANCE_CASE("x-expires: every get begins the time anew, as a declaration does, a passive one too")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto clock = t.name("clock");
    co_await declare_mortal(channel, clock, dead, 900ms);
    const auto got = t.name("got");
    const auto declared = t.name("declared");
    const auto looked_at = t.name("looked_at");
    co_await channel.declare_queue(got, {.expires = 500ms});
    co_await channel.declare_queue(declared, {.expires = 500ms});
    co_await channel.declare_queue(looked_at, {.expires = 500ms});
    co_await send(channel, "", clock, "tick");
    std::optional<typename Transport::delivery> tick;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!tick && std::chrono::steady_clock::now() < deadline) {
        const auto nothing = co_await channel.get(got); // 404 if it were gone
        if (nothing)
            FAIL_CHECK("a message from nowhere");
        co_await channel.declare_queue(declared, {.expires = 500ms});
        co_await channel.declare_queue(looked_at, {.passive = true});
        tick = co_await channel.get(dead, {.no_ack = true});
        co_await asio::post(asio::use_awaitable);
    }
    CHECK(tick.has_value());
    const bool is_kept = co_await queue_exists(connection, got);
    CHECK(is_kept);
}
