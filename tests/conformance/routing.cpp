// What direct and fanout exchanges, the default exchange and CC and BCC do with a key.
#include "conformance/conformance.hpp"

#include <string>
#include <vector>

using namespace leveret::test;

LEVERET_CONFORMANCE_CASE("direct: the whole key, and nothing but the key")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "direct");
    const auto queue = co_await bound_queue(channel, exchange, "a.b");
    co_await channel.publish(exchange, "a.b", "yes");
    for (const char* key : {"a", "a.", "a.b.", "a.B", "a.*", "#", "", "a.b ", "xa.b"})
        co_await channel.publish(exchange, key, key);
    const auto got = co_await drain(channel, queue);
    CHECK(got == "yes");
}

LEVERET_CONFORMANCE_CASE("direct: signs of patterns are letters, and the empty key is a key")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "direct");
    const auto queue = co_await bound_queue(channel, exchange, "#");
    const auto empty = co_await bound_queue(channel, exchange, "");
    co_await channel.publish(exchange, "a", "1");
    co_await channel.publish(exchange, "#", "2");
    co_await channel.publish(exchange, "", "3");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "2");
    const auto at_empty = co_await drain(channel, empty);
    CHECK(at_empty == "3");
}

LEVERET_CONFORMANCE_CASE("direct: several queues of a key, several keys of a queue")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "direct");
    const auto one = co_await bound_queue(channel, exchange, "a");
    const auto two = co_await bound_queue(channel, exchange, "a");
    co_await channel.bind_queue(two, exchange, "b");
    co_await channel.bind_queue(two, exchange, "b"); // the same binding
    co_await channel.publish(exchange, "a", "1");
    co_await channel.publish(exchange, "b", "2");
    const auto at_one = co_await drain(channel, one);
    const auto at_two = co_await drain(channel, two);
    CHECK(at_one == "1");
    CHECK(at_two == "1 2");
}

LEVERET_CONFORMANCE_CASE("direct: keys of 255 bytes and of any bytes that are text")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "direct");
    const std::string longest(255, 'k');
    const std::string wide = "Hase 野兎 \n\t";
    const auto queue = co_await bound_queue(channel, exchange, longest);
    co_await channel.bind_queue(queue, exchange, wide);
    co_await channel.publish(exchange, longest, "1");
    co_await channel.publish(exchange, longest.substr(1), "2");
    co_await channel.publish(exchange, wide, "3");
    auto first = co_await channel.get(queue, {.no_ack = true});
    auto second = co_await channel.get(queue, {.no_ack = true});
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->routing_key() == longest);
    CHECK(second->routing_key() == wide);
    CHECK(second->body() == "3");
}

LEVERET_CONFORMANCE_CASE("direct: bindings that differ in arguments are two, and a message comes once")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "direct");
    const auto queue = co_await bound_queue(channel, exchange, "k");
    const lv::table arguments{{"note", 1}};
    co_await channel.bind_queue(queue, exchange, "k", {.arguments = arguments});
    co_await channel.publish(exchange, "k", "1");
    co_await channel.unbind_queue(queue, exchange, "k"); // the one without
    co_await channel.publish(exchange, "k", "2");
    co_await channel.unbind_queue(queue, exchange, "k", {.arguments = arguments});
    co_await channel.publish(exchange, "k", "3");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "1 2");
}

LEVERET_CONFORMANCE_CASE("fanout: every queue, whatever the keys")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "fanout");
    std::vector<std::string> queues;
    for (int i = 0; i < 10; ++i)
        queues.push_back(co_await bound_queue(channel, exchange, "key" + std::to_string(i % 3)));
    co_await channel.bind_queue(queues[0], exchange, "another");
    co_await channel.publish(exchange, "key1", "1");
    co_await channel.publish(exchange, "none", "2");
    co_await channel.unbind_queue(queues[9], exchange, "key0");
    co_await channel.unbind_queue(queues[0], exchange, "key0"); // and one binding is left
    co_await channel.publish(exchange, "", "3");
    std::string found;
    for (const auto& queue : queues)
        found += co_await drain(channel, queue) + "|";
    std::string expected;
    for (int i = 0; i < 9; ++i)
        expected += "1 2 3|";
    CHECK(found == expected + "1 2|");
}

LEVERET_CONFORMANCE_CASE("default exchange: the key is the queue's name")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true});
    co_await channel.publish("", queue, "1");
    co_await channel.publish("", queue + ".", "2");
    co_await channel.publish("", "#", "3");
    auto got = co_await channel.get(queue, {.no_ack = true});
    REQUIRE(got);
    CHECK(got->body() == "1");
    CHECK(got->exchange() == "");
    CHECK(got->routing_key() == queue);
    const auto more = co_await drain(channel, queue);
    CHECK(more == "");
}

LEVERET_CONFORMANCE_CASE("publish: to an exchange that is not there ends the channel, and only it")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto missing = t.name("missing");
    const auto e = co_await refused_publish(channel, missing, "k", "x");
    CHECK(e == no_exchange(missing, ids::basic_publish));
    CHECK(!channel.is_open());
    CHECK(other.is_open());
    const auto info = co_await other.declare_queue("", {.exclusive = true});
    CHECK(info.message_count() == 0);
}

LEVERET_CONFORMANCE_CASE("CC: further keys, seen by everybody")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto one = co_await filled_queue(channel, 0);
    const auto two = co_await filled_queue(channel, 0);
    const auto three = co_await filled_queue(channel, 0);
    const lv::field_array keys{two, three, "nobody's"};
    co_await channel.publish("", one, lv::message{"x"}.header("CC", keys));
    for (const auto& queue : {one, two, three}) {
        auto got = co_await channel.get(queue, {.no_ack = true});
        REQUIRE(got);
        CHECK(got->routing_key() == one);
        const auto headers = got->headers();
        const auto* seen = headers.template find_as<lv::field_array>("CC");
        REQUIRE(seen != nullptr);
        CHECK(*seen == keys);
    }
}

LEVERET_CONFORMANCE_CASE("BCC: further keys, seen by nobody")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto one = co_await filled_queue(channel, 0);
    const auto two = co_await filled_queue(channel, 0);
    const lv::field_array keys{two};
    co_await channel.publish("", one, lv::message{"x"}.header("BCC", keys).header("kept", 1));
    for (const auto& queue : {one, two}) {
        auto got = co_await channel.get(queue, {.no_ack = true});
        REQUIRE(got);
        const auto headers = got->headers();
        CHECK(!headers.contains("BCC"));
        CHECK(headers.contains("kept"));
    }
}

LEVERET_CONFORMANCE_CASE("CC and BCC: a message comes once, and routes by them if not by its key")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto exchange = t.name("x");
    co_await channel.declare_exchange(exchange, "topic");
    const auto queue = co_await bound_queue(channel, exchange, "a.#");
    const lv::field_array cc{"a.1", "a.2"};
    const lv::field_array bcc{"a.3"};
    co_await channel.publish(exchange, "a", lv::message{"once"}.header("CC", cc).header("BCC", bcc));
    co_await channel.publish(exchange, "b", lv::message{"too"}.header("BCC", bcc), {.mandatory = true});
    const auto got = co_await drain(channel, queue);
    CHECK(got == "once too");
}

LEVERET_CONFORMANCE_CASE("CC: what is no text in the list is passed over")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto one = co_await filled_queue(channel, 0);
    const auto two = co_await filled_queue(channel, 0);
    const lv::field_array keys{1, two, true};
    co_await channel.publish("", one, lv::message{"x"}.header("CC", keys));
    const auto at_one = co_await drain(channel, one);
    const auto at_two = co_await drain(channel, two);
    CHECK(at_one == "x");
    CHECK(at_two == "x");
}

LEVERET_CONFORMANCE_CASE("CC: anything but a list is refused")
{
    auto connection = co_await t.connect();
    for (const char* name : {"CC", "BCC"}) {
        auto channel = co_await connection.open_channel();
        const lv::message wrong = lv::message{"x"}.header(name, "queue");
        const auto e = co_await refused_publish(channel, "", "k", wrong);
        CHECK(e == precondition_failed("invalid message: {unacceptable_type_in_header,\"" +
                                           std::string(name) + "\",longstr}",
                                       ids::basic_publish));
    }
}
