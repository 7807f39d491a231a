// Where dead letters go and what is written on them.
#include "conformance/conformance.hpp"

#include <chrono>
#include <cstdint>
#include <string>

using namespace leveret::test;

namespace {

/// One entry of x-death as text: "queue reason count exchange [keys]".
std::string text_of(const lv::table& death)
{
    const auto text = [&](const char* key) {
        const auto* value = death.find(key);
        return value == nullptr ? std::string("-") : std::string(value->text());
    };
    std::string keys;
    if (const auto* list = death.find_as<lv::field_array>("routing-keys"))
        for (const auto& key : *list)
            keys += (keys.empty() ? "" : " ") + std::string(key.text());
    const auto* count = death.find_as<std::int64_t>("count"); // a 64-bit integer
    return text("queue") + " " + text("reason") + " " +
           (count == nullptr ? std::string("-") : std::to_string(*count)) + " " + text("exchange") +
           " [" + keys + "]";
}
/// All of x-death, the latest first, as RabbitMQ writes it.
std::string deaths_of(const lv::table& headers)
{
    std::string all;
    if (const auto* deaths = headers.find_as<lv::field_array>("x-death"))
        for (const auto& death : *deaths)
            if (const auto* entry = death.as<lv::table>())
                all += (all.empty() ? "" : ", ") + text_of(*entry);
    return all;
}
std::string header(const lv::table& headers, const char* key)
{
    const auto* value = headers.find(key);
    return value == nullptr ? std::string("-") : std::string(value->text());
}

/// A queue of the connection whose dead letters go to an exchange, with their own key or another.
template <class Channel>
asio::awaitable<void> declare_mortal(Channel channel, std::string queue, std::string exchange)
{
    co_await channel.declare_queue(queue, {.exclusive = true, .dead_letter_exchange = exchange});
}
template <class Channel>
asio::awaitable<void> declare_mortal(Channel channel, std::string queue, std::string exchange,
                                     std::string key)
{
    co_await channel.declare_queue(
        queue,
        {.exclusive = true, .dead_letter_exchange = exchange, .dead_letter_routing_key = key});
}
/// Takes the next message and rejects it.
template <class Channel>
asio::awaitable<bool> reject_one(Channel channel, std::string queue)
{
    auto got = co_await channel.get(queue);
    co_return got && got->reject();
}

} // namespace

LEVERET_CONFORMANCE_CASE("dead letters: a rejected message, all of x-death and x-first-death")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dlx = t.name("dlx");
    const auto queue = t.name("q");
    co_await channel.declare_exchange(dlx, "direct");
    const auto dead = co_await bound_queue(channel, dlx, queue);
    co_await declare_mortal(channel, queue, dlx);
    co_await channel.publish("", queue, lv::message{"body"}.header("kept", "yes").message_id("m1"));
    const bool rejected = co_await reject_one(channel, queue);
    CHECK(rejected);

    auto letters = co_await channel.consume(dead);
    auto letter = co_await next(letters);
    CHECK(letter.body() == "body");
    CHECK(letter.exchange() == dlx);
    CHECK(letter.routing_key() == queue);
    CHECK(!letter.redelivered());
    CHECK(letter.properties().message_id() == "m1");
    const auto headers = letter.headers();
    CHECK(header(headers, "kept") == "yes");
    CHECK(deaths_of(headers) == queue + " rejected 1  [" + queue + "]");
    CHECK(header(headers, "x-first-death-queue") == queue);
    CHECK(header(headers, "x-first-death-reason") == "rejected");
    CHECK(header(headers, "x-first-death-exchange") == "");
    CHECK(headers.contains("x-first-death-exchange"));
    const auto* list = headers.template find_as<lv::field_array>("x-death");
    REQUIRE(list != nullptr);
    const auto* death = list->front().template as<lv::table>();
    REQUIRE(death != nullptr);
    std::string keys; // in the order of RabbitMQ
    for (const auto& entry : *death)
        keys += entry.first + " ";
    CHECK(keys == "count reason queue time exchange routing-keys ");
    const auto* time = death->template find_as<lv::timestamp>("time");
    REQUIRE(time != nullptr);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now).count() -
                     static_cast<std::int64_t>(time->seconds);
    CHECK(age >= -1);
    CHECK(age < 60);
    letter.ack();
}

LEVERET_CONFORMANCE_CASE("dead letters: nack without requeue, one or multiple, in order")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await declare_mortal(channel, queue, "", dead);
    co_await fill(channel, queue, 4);
    auto consumer = co_await channel.consume(queue);
    auto held = co_await hold(consumer, 4);
    CHECK(held[2].nack({.multiple = true, .requeue = false}));
    const auto letters = co_await arrivals(channel, dead, 3);
    CHECK(letters == "1 2 3");
    CHECK(held[3].nack({.requeue = false}));
    const auto last = co_await arrivals(channel, dead, 1);
    CHECK(last == "4");
}

LEVERET_CONFORMANCE_CASE("dead letters: nack with requeue and ack are no deaths")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await declare_mortal(channel, queue, "", dead);
    co_await fill(channel, queue, 3);
    auto consumer = co_await channel.consume(queue);
    auto held = co_await hold(consumer, 3);
    held[0].ack();
    held[1].nack();
    held[2].reject(); // this one is, and comes behind what the others would have made
    auto letter = co_await arrivals(channel, dead, 1);
    CHECK(letter == "3");
    auto again = co_await next(consumer);
    CHECK(again.body() == "2");
    CHECK(again.headers().empty());
}

LEVERET_CONFORMANCE_CASE("dead letters: another key, if the queue says so")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dlx = t.name("dlx");
    const auto queue = t.name("q");
    co_await channel.declare_exchange(dlx, "topic");
    const auto dead = co_await bound_queue(channel, dlx, "dead.#");
    co_await declare_mortal(channel, queue, dlx, "dead.letter");
    co_await channel.publish("", queue, "x");
    const bool rejected = co_await reject_one(channel, queue);
    CHECK(rejected);
    auto letters = co_await channel.consume(dead);
    auto letter = co_await next(letters);
    CHECK(letter.routing_key() == "dead.letter");
    CHECK(deaths_of(letter.headers()) == queue + " rejected 1  [" + queue + "]");
    letter.ack();
}

LEVERET_CONFORMANCE_CASE("dead letters: an expired message says so")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await channel.declare_exchange(x, "direct");
    co_await channel.declare_queue(queue, {.exclusive = true,
                                           .message_ttl = 1ms,
                                           .dead_letter_exchange = "",
                                           .dead_letter_routing_key = dead});
    co_await channel.bind_queue(queue, x, "key");
    co_await channel.publish(x, "key", "late");
    auto letters = co_await channel.consume(dead);
    auto letter = co_await next(letters);
    const auto headers = letter.headers();
    CHECK(deaths_of(headers) == queue + " expired 1 " + x + " [key]");
    CHECK(header(headers, "x-first-death-reason") == "expired");
    CHECK(header(headers, "x-first-death-exchange") == x);
    letter.ack();
}

LEVERET_CONFORMANCE_CASE("dead letters: the same death again is counted, another is put in front")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto a = t.name("a");
    const auto b = t.name("b");
    co_await declare_mortal(channel, a, "", b);
    co_await declare_mortal(channel, b, "", a);
    co_await channel.publish("", a, "round");
    std::string last;
    for (int i = 0; i < 5; ++i) {
        const auto& queue = i % 2 == 0 ? a : b;
        auto consumer = co_await channel.consume(queue);
        auto d = co_await next(consumer);
        const auto headers = d.headers();
        last = deaths_of(headers);
        if (i > 0) {
            CHECK(header(headers, "x-first-death-queue") == a);
            CHECK(header(headers, "x-first-death-reason") == "rejected");
        }
        d.reject();
        co_await consumer.cancel();
    }
    // Seen at the fifth delivery: died twice in each, in b at last.
    CHECK(last == b + " rejected 2  [" + b + "], " + a + " rejected 2  [" + a + "]");
}

LEVERET_CONFORMANCE_CASE("dead letters: a circle of expiries without a rejection is cut")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    const auto dlx = t.name("dlx");
    co_await channel.declare_exchange(dlx, "fanout");
    const auto dead = co_await bound_queue(channel, dlx, "");
    co_await channel.declare_queue(
        queue, {.exclusive = true, .message_ttl = 1ms, .dead_letter_exchange = dlx});
    co_await channel.bind_queue(queue, dlx); // to itself, and to dead
    co_await channel.publish("", queue, "x");
    const auto letters = co_await arrivals(channel, dead, 1);
    CHECK(letters == "x");
    // Had it come back it would expire again, and a second letter would be there before this one.
    co_await channel.publish("", queue, "y");
    const auto more = co_await arrivals(channel, dead, 1);
    CHECK(more == "y");
}

LEVERET_CONFORMANCE_CASE("dead letters: rejected, a message may come back to its own queue")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await declare_mortal(channel, queue, "", queue);
    co_await channel.publish("", queue, "again");
    auto consumer = co_await channel.consume(queue);
    auto first = co_await next(consumer);
    CHECK(first.headers().empty());
    first.reject();
    auto second = co_await next(consumer);
    CHECK(!second.redelivered());
    CHECK(deaths_of(second.headers()) == queue + " rejected 1  [" + queue + "]");
    second.reject();
    auto third = co_await next(consumer);
    CHECK(deaths_of(third.headers()) == queue + " rejected 2  [" + queue + "]");
    third.ack();
}

LEVERET_CONFORMANCE_CASE("dead letters: an exchange that is missing loses them, and no channel")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dlx = t.name("dlx");
    const auto queue = t.name("q");
    co_await declare_mortal(channel, queue, dlx);
    co_await fill(channel, queue, 2);
    const bool first = co_await reject_one(channel, queue);
    CHECK(first);
    const bool one_is_left = co_await holds(channel, queue, 1); // the first is gone before dlx is there
    CHECK(one_is_left);
    co_await channel.declare_exchange(dlx, "fanout");
    const auto dead = co_await bound_queue(channel, dlx, "");
    const bool second = co_await reject_one(channel, queue);
    CHECK(second);
    const auto letters = co_await arrivals(channel, dead, 1);
    CHECK(letters == "2");
}

LEVERET_CONFORMANCE_CASE("dead letters: by internal and alternate exchanges, to several queues")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dlx = t.name("dlx");
    const auto alternate = t.name("alternate");
    const auto queue = t.name("q");
    co_await channel.declare_exchange(alternate, "fanout");
    co_await channel.declare_exchange(dlx, "direct",
                                      {.internal = true, .alternate_exchange = alternate});
    const auto one = co_await bound_queue(channel, alternate, "");
    const auto two = co_await bound_queue(channel, alternate, "");
    co_await declare_mortal(channel, queue, dlx);
    co_await channel.publish("", queue, "x");
    const bool rejected = co_await reject_one(channel, queue);
    CHECK(rejected);
    const auto at_one = co_await arrivals(channel, one, 1);
    const auto at_two = co_await arrivals(channel, two, 1);
    CHECK(at_one == "x");
    CHECK(at_two == "x");
}

LEVERET_CONFORMANCE_CASE("dead letters: keys of CC and BCC, and what is said of them")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dlx = t.name("dlx");
    const auto queue = t.name("q");
    co_await channel.declare_exchange(dlx, "direct");
    const auto by_key = co_await bound_queue(channel, dlx, queue);
    const auto by_cc = co_await bound_queue(channel, dlx, "cc");
    const auto by_bcc = co_await bound_queue(channel, dlx, "bcc");
    co_await declare_mortal(channel, queue, dlx);
    const lv::field_array cc{"cc"};
    const lv::field_array bcc{"bcc"};
    co_await channel.publish("", queue, lv::message{"x"}.header("CC", cc).header("BCC", bcc));
    const bool rejected = co_await reject_one(channel, queue);
    CHECK(rejected);
    auto letters = co_await channel.consume(by_key);
    auto letter = co_await next(letters);
    CHECK(deaths_of(letter.headers()) == queue + " rejected 1  [" + queue + " cc]");
    CHECK(letter.headers().contains("CC")); // goes to the same keys again
    letter.ack();
    const auto at_cc = co_await arrivals(channel, by_cc, 1);
    CHECK(at_cc == "x");
    const auto at_bcc = co_await arrivals(channel, by_bcc, 1); // not told, but remembered
    CHECK(at_bcc == "x");
}

LEVERET_CONFORMANCE_CASE("dead letters: with a key of the queue's, CC goes")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto copies = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await declare_mortal(channel, queue, "", dead);
    const lv::field_array cc{copies};
    co_await channel.publish("", queue, lv::message{"x"}.header("CC", cc));
    const auto copy = co_await drain(channel, copies);
    CHECK(copy == "x"); // by the publish
    const bool rejected = co_await reject_one(channel, queue);
    CHECK(rejected);
    auto letters = co_await channel.consume(dead);
    auto letter = co_await next(letters);
    CHECK(!letter.headers().contains("CC"));
    letter.ack();
    const auto again = co_await drain(channel, copies);
    CHECK(again == "");
}

LEVERET_CONFORMANCE_CASE("dead letters: purge, delete and no_ack make none")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("q");
    co_await declare_mortal(channel, queue, "", dead);
    co_await fill(channel, queue, 4);
    const auto taken = co_await channel.get(queue, {.no_ack = true});
    CHECK(taken);
    const bool three = co_await holds(channel, queue, 3);
    CHECK(three);
    const auto purged = co_await channel.purge_queue(queue);
    CHECK(purged == 3);
    co_await fill(channel, queue, 1);
    const auto deleted = co_await channel.delete_queue(queue);
    CHECK(deleted == 1);
    const auto letters = co_await drain(channel, dead);
    CHECK(letters == "");
}
