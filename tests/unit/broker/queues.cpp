#include "unit/broker/fixture.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

using namespace leveret;
using namespace leveret::test;

TEST_CASE("messages expire by the queue's time, their own, and the shorter of both")
{
    one_client c;
    c.channel.declare("q", {{"x-message-ttl", 100}});
    c.channel.publish("", "q", "a");
    c.channel.publish("", "q", "b", properties().expiration("30"));
    c.channel.publish("", "q", "c", properties().expiration("1000"));
    CHECK(c.broker.next_deadline() <= instant(30'000'000));
    c.pass(duration::milliseconds(50));
    CHECK(c.channel.count("q") == 3); // b waits behind a, as in RabbitMQ
    CHECK(c.channel.get("q") == "a");
    CHECK(c.channel.get("q") == "c");
    c.channel.publish("", "q", "d");
    c.pass(duration::nanoseconds(99'999'999));
    CHECK(c.channel.count("q") == 1);
    c.pass(duration::nanoseconds(1));
    CHECK(c.channel.count("q") == 0);
    CHECK(c.broker.memory() == 0);
}

TEST_CASE("a message that expired waits for those before it, also of a higher priority")
{
    one_client c;
    c.channel.declare("q", {{"x-max-priority", 5}, {"x-dead-letter-exchange", "amq.fanout"}});
    c.channel.declare("dead");
    c.channel.bind("amq.fanout", "dead", "");
    c.channel.publish("", "q", "low", properties().expiration("10"));
    c.channel.publish("", "q", "high", properties().priority(5));
    c.pass(duration::milliseconds(20));
    CHECK(c.channel.count("q") == 2);
    CHECK(c.channel.get("q") == "high");
    CHECK(c.channel.count("q") == 0);
    for (const int priority : {0, 5, 2, 5, 0, 2})
        c.channel.publish("", "q", std::to_string(priority),
                          properties().priority(static_cast<std::uint8_t>(priority)).expiration("10"));
    c.pass(duration::milliseconds(20));
    for (const std::string_view death : {"low", "5", "5", "2", "2", "0", "0"})
        CHECK(c.channel.get("dead") == death);
}

TEST_CASE("dead letters: a count that a client made up has an end")
{
    one_client c;
    c.channel.declare("q", {{"x-dead-letter-exchange", ""}, {"x-dead-letter-routing-key", "dead"}, {"x-message-ttl", 0}});
    c.channel.declare("dead");
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t count : {most, std::int64_t{-5}}) {
        field_array deaths;
        deaths.emplace_back(table{{"queue", "q"}, {"reason", "expired"}, {"count", count}});
        c.channel.publish("", "q", "m", properties().header("x-death", std::move(deaths)));
        const auto got = c.channel->get("dead", true);
        REQUIRE(got->has_value());
        const auto& told = *(*got)->message->properties().headers().find_as<field_array>("x-death");
        CHECK(told[0].as<table>()->find("count")->integer() == (count < 0 ? 1 : most));
    }
}

TEST_CASE("a time of 0 means now or never")
{
    one_client c;
    c.channel.declare("q", {{"x-message-ttl", 0}});
    c.channel.publish("", "q", "lost");
    CHECK(c.channel.count("q") == 0);
    c.channel.consume("q", "t");
    c.channel.publish("", "q", "heard");
    CHECK(c.channel.take() == lines{"t:heard #1"});
}

TEST_CASE("a message keeps its time when it returns")
{
    one_client c;
    c.channel.declare("q", {{"x-message-ttl", 10}});
    c.channel.consume("q", "t", false);
    c.channel.publish("", "q", "m");
    c.channel->cancel("t");
    c.pass(duration::milliseconds(5));
    c.channel.ok(c.channel->reject(1, true));
    CHECK(c.channel.count("q") == 1);
    c.pass(duration::milliseconds(5));
    CHECK(c.channel.count("q") == 0);
}

TEST_CASE("queues nobody uses go after x-expires")
{
    one_client c;
    const auto is_there = [&] {
        return c.broker.find_virtual_host("/")->find_queue("q") != nullptr;
    };
    c.channel.declare("q", {{"x-expires", 100}});
    c.pass(duration::milliseconds(60));
    c.channel.declare("q", {{"x-expires", 100}}); // a use
    c.pass(duration::milliseconds(60));
    CHECK(is_there());
    CHECK(c.channel.get("q") == "-"); // a use
    c.pass(duration::milliseconds(60));
    CHECK(is_there());
    c.channel.consume("q", "t");
    c.pass(duration::seconds(100));
    CHECK(is_there());
    c.channel->cancel("t");
    c.pass(duration::milliseconds(99));
    c.channel.publish("", "q", "m"); // not a use
    CHECK(is_there());
    c.pass(duration::milliseconds(1));
    CHECK_FALSE(is_there());
    CHECK(c.broker.next_deadline() == instant::never());
}

TEST_CASE("a full queue drops its oldest")
{
    one_client c;
    c.channel.declare("n", {{"x-max-length", 2}});
    c.channel.declare("b", {{"x-max-length-bytes", 10}});
    c.channel.declare("none", {{"x-max-length", 0}});
    for (const char* body : {"1111", "2222", "3333"})
        for (const char* queue : {"n", "b", "none"})
            c.channel.publish("", queue, body);
    CHECK(c.channel.drain("n") == "2222 3333");
    CHECK(c.channel.drain("b") == "2222 3333");
    CHECK(c.channel.drain("none").empty());
    c.channel.publish("", "b", "12345678901");
    CHECK(c.channel.count("b") == 0);
    c.channel.consume("none", "t");
    c.channel.publish("", "none", "direct");
    CHECK(c.channel.take() == lines{"t:direct #5"});
}

TEST_CASE("a full queue refuses with reject-publish, and the publisher hears it")
{
    one_client c;
    c.channel.declare("dead");
    c.channel.declare("q", {{"x-max-length", 1},
                            {"x-overflow", "reject-publish-dlx"},
                            {"x-dead-letter-exchange", ""},
                            {"x-dead-letter-routing-key", "dead"}});
    c.channel.declare("plain", {{"x-max-length", 1}, {"x-overflow", "reject-publish"}});
    c.channel.ok(c.channel->select_confirms());
    for (const char* body : {"1", "2"}) {
        c.channel.publish("", "q", body);
        c.channel.publish("", "plain", body);
    }
    CHECK(c.channel.take() == lines{"ack 1", "ack 2", "nack 3", "nack 4"});
    CHECK(c.channel.drain("q") == "1");
    CHECK(c.channel.drain("plain") == "1");
    CHECK(c.channel.drain("dead") == "2");
}

TEST_CASE("dead letters: headers as RabbitMQ writes them")
{
    lb::options o;
    o.unix_time_at_origin = 1'000'000;
    one_client c(o);
    c.pass(duration::seconds(5));
    c.channel.declare("dead");
    c.channel.ok(c.channel->declare_exchange({.name = "dlx", .type = "fanout"}));
    c.channel.bind("dlx", "dead", "");
    c.channel.declare("q", {{"x-dead-letter-exchange", "dlx"}});
    c.channel.bind("amq.direct", "q", "k");
    properties p = properties().expiration("10").content_type("text/plain");
    p.header("CC", field_array{"cc"}).header("mine", 1);
    c.channel.publish("amq.direct", "k", "m", p);
    c.pass(duration::milliseconds(10));
    REQUIRE(c.channel.get("dead") == "m");
    CHECK(c.channel.last->exchange() == "dlx");
    CHECK(c.channel.last->routing_key() == "k");
    const properties& got = c.channel.last->properties();
    CHECK_FALSE(got.has(property::expiration));
    CHECK(got.content_type() == "text/plain");
    CHECK(got.headers().find("mine")->integer() == 1);
    CHECK(*got.headers().find_as<std::string>("x-first-death-reason") == "expired");
    CHECK(*got.headers().find_as<std::string>("x-first-death-queue") == "q");
    CHECK(*got.headers().find_as<std::string>("x-first-death-exchange") == "amq.direct");
    const auto& deaths = *got.headers().find_as<field_array>("x-death");
    REQUIRE(deaths.size() == 1);
    const table& death = *deaths[0].as<table>();
    CHECK(death.size() == 7);
    CHECK(death.find("count")->type() == field_type::int64);
    CHECK(death.find("count")->integer() == 1);
    CHECK(*death.find_as<std::string>("reason") == "expired");
    CHECK(*death.find_as<std::string>("queue") == "q");
    CHECK(*death.find_as<std::string>("exchange") == "amq.direct");
    CHECK(*death.find_as<std::string>("original-expiration") == "10");
    CHECK(death.find_as<timestamp>("time")->seconds == 1'000'005);
    const auto& keys = *death.find_as<field_array>("routing-keys");
    REQUIRE(keys.size() == 2);
    CHECK(keys[0].text() == "k");
    CHECK(keys[1].text() == "cc");
}

TEST_CASE("dead letters: deaths of one kind are counted, the newest comes first")
{
    one_client c;
    c.channel.declare("work",
                      {{"x-dead-letter-exchange", ""}, {"x-dead-letter-routing-key", "wait"}});
    c.channel.declare("wait", {{"x-dead-letter-exchange", ""},
                               {"x-dead-letter-routing-key", "work"},
                               {"x-message-ttl", 10}});
    c.channel.publish("", "work", "m", properties().header("CC", field_array{"nobody"}));
    for (int round = 1; round <= 3; ++round) {
        const auto got = c.channel->get("work", false);
        REQUIRE(got->has_value());
        if (round > 1) {
            const table& headers = (*got)->message->properties().headers();
            CHECK_FALSE(headers.contains("CC")); // gone with x-dead-letter-routing-key
            const auto& deaths = *headers.find_as<field_array>("x-death");
            REQUIRE(deaths.size() == 2);
            CHECK(*deaths[0].as<table>()->find_as<std::string>("queue") == "wait");
            CHECK(*deaths[1].as<table>()->find_as<std::string>("reason") == "rejected");
            CHECK(deaths[1].as<table>()->find("count")->integer() == round - 1);
            CHECK(*headers.find_as<std::string>("x-first-death-queue") == "work");
        }
        c.channel.ok(c.channel->reject((*got)->tag, false)); // a client's rejection: no cycle
        c.pass(duration::milliseconds(10));
    }
    CHECK(c.channel.count("work") == 1);
}

TEST_CASE("dead letters that would go round for ever are dropped")
{
    one_client c;
    c.channel.declare("a", {{"x-dead-letter-exchange", ""},
                            {"x-dead-letter-routing-key", "b"},
                            {"x-message-ttl", 10}});
    c.channel.declare("b", {{"x-dead-letter-exchange", ""},
                            {"x-dead-letter-routing-key", "a"},
                            {"x-message-ttl", 10}});
    c.channel.publish("", "a", "m");
    c.pass(duration::milliseconds(10));
    CHECK(c.channel.count("b") == 1);
    c.pass(duration::milliseconds(10));
    CHECK(c.channel.count("a") + c.channel.count("b") == 0);
    // A queue that is full of what it drops.
    c.channel.declare("self", {{"x-dead-letter-exchange", ""}, {"x-max-length", 1}});
    for (const char* body : {"1", "2", "3"})
        c.channel.publish("", "self", body);
    CHECK(c.channel.drain("self") == "3");
}

TEST_CASE("a chain of a thousand dead letter queues takes no stack")
{
    one_client c;
    constexpr int chain = 1000;
    for (int i = 0; i < chain; ++i)
        c.channel.declare("q" + std::to_string(i),
                          {{"x-dead-letter-exchange", ""},
                           {"x-dead-letter-routing-key", "q" + std::to_string(i + 1)},
                           {"x-max-length", 0}});
    c.channel.declare("q1000");
    c.channel.publish("", "q0", "m");
    CHECK(c.channel.drain("q1000") == "m");
    CHECK(c.channel.last->properties().headers().find_as<field_array>("x-death")->size() == chain);
}

TEST_CASE("priorities: the highest first, above the limit as the limit, none as 0")
{
    one_client c;
    c.channel.declare("q", {{"x-max-priority", 200}});
    const auto publish = [&](const char* body, int priority) {
        properties p;
        if (priority >= 0)
            p.priority(static_cast<std::uint8_t>(priority));
        c.channel.publish("", "q", body, p);
    };
    publish("none", -1);
    publish("zero", 0);
    for (const int priority : {1, 63, 64, 65, 127, 128, 199, 200, 255})
        publish(std::to_string(priority).c_str(), priority);
    REQUIRE(c.channel->get("q", false)->has_value()); // 200
    c.channel.ok(c.channel->recover(true));
    CHECK(c.channel.drain("q") == "200 255 199 128 127 65 64 63 1 none zero");
}

TEST_CASE("quorum queues count returns and bury what returns too often")
{
    one_client c;
    c.channel.declare("dead");
    const table arguments{{"x-queue-type", "quorum"},
                          {"x-delivery-limit", 2},
                          {"x-dead-letter-exchange", ""},
                          {"x-dead-letter-routing-key", "dead"}};
    c.channel.ok(c.channel->declare_queue({.name = "q", .durable = true, .arguments = &arguments}));
    c.channel.publish("", "q", "m");
    for (int n = 0; n <= 2; ++n) {
        const auto got = c.channel->get("q", false);
        REQUIRE(got->has_value());
        const field_value* count = (*got)->message->properties().headers().find("x-delivery-count");
        CHECK((count == nullptr ? 0 : count->integer()) == n);
        CHECK((*got)->redelivered == (n > 0));
        c.channel.ok(c.channel->reject((*got)->tag, true));
    }
    CHECK(c.channel.count("q") == 0);
    REQUIRE(c.channel.get("dead") == "m");
    CHECK(*c.channel.last->properties().headers().find_as<std::string>("x-first-death-reason") ==
          "delivery_limit");
}
