#include "support/allocated.hpp"
#include "unit/broker/fixture.hpp"

using namespace leveret;
using namespace leveret::test;

TEST_CASE("deliveries of a channel that wait for acknowledgement")
{
    lb::options o;
    o.limits.unacknowledged = 3;
    one_client c(o);
    c.channel.declare("q");
    c.channel.consume("q", "a", false);
    c.channel.consume("q", "b", false);
    for (const char* body : {"1", "2", "3", "4", "5"})
        c.channel.publish("", "q", body);
    CHECK(c.channel.take() == lines{"a:1 #1", "b:2 #2", "a:3 #3"});
    CHECK(text(c.channel->get("q", false)) ==
          "PRECONDITION_FAILED - the channel has 3 unacknowledged deliveries; acknowledge some first");
    CHECK(c.channel.get("q") == "4"); // without acknowledgement
    c.channel.ok(c.channel->ack(1));
    CHECK(c.channel.take() == lines{"b:5 #5"});
    c.channel.ok(c.channel->ack(0, true));
    CHECK(c.channel.take().empty());
    // What was settled in between counts no more, and what basic.get gave does.
    for (const char* body : {"6", "7", "8"})
        c.channel.publish("", "q", body);
    CHECK(c.channel.take().size() == 3);
    c.channel.ok(c.channel->ack(7));
    c.channel->cancel("a");
    c.channel->cancel("b");
    c.channel.publish("", "q", "9");
    CHECK(c.channel->get("q", false));
    c.channel.publish("", "q", "10");
    CHECK_FALSE(c.channel->get("q", false));
    c.channel.consume("q", "c", false);
    CHECK(c.channel.take().empty());
    c.channel.ok(c.channel->ack(6));
    CHECK(c.channel.take().size() == 1);
}

TEST_CASE("publishers are blocked above the high-water mark until the low one is reached")
{
    lb::options o;
    o.limits.memory_high = 10 * (1000 + lb::message_overhead);
    o.limits.memory_low = 5 * (1000 + lb::message_overhead);
    one_client c(o);
    test_session idle(c.broker);
    c.channel.declare("q");
    const std::string body(1000, 'x');
    for (int i = 0; i < 10; ++i)
        c.channel.publish("", "q", body);
    CHECK_FALSE(c.broker.is_blocking());
    c.channel.publish("", "q", body);
    CHECK(c.broker.is_blocking());
    CHECK(c.session.take().empty()); // it is told when it publishes
    c.channel.publish("", "q", body);
    c.channel.publish("", "q", body);
    CHECK(c.session.take() == lines{"blocked low on memory"});
    CHECK(c.session->is_blocked());
    for (int i = 0; i < 7; ++i)
        c.channel.get("q");
    CHECK(c.session.take().empty());
    c.channel.get("q");
    CHECK(c.session.take() == lines{"unblocked"});
    CHECK(idle.take().empty());
    CHECK_FALSE(c.session->is_blocked());
}

TEST_CASE("a message in many queues counts once, and each of them a little; an unacknowledged one too")
{
    one_client c;
    for (int i = 0; i < 10; ++i) {
        c.channel.declare("q" + std::to_string(i));
        c.channel.bind("amq.fanout", "q" + std::to_string(i), "");
    }
    c.channel.publish("amq.fanout", "", std::string(1000, 'x'));
    CHECK(c.broker.memory() == 1000 + lb::message_overhead + 9 * lb::holder_overhead);
    for (int i = 0; i < 9; ++i)
        c.channel.drain("q" + std::to_string(i));
    REQUIRE(c.channel->get("q9", false)->has_value());
    CHECK(c.broker.memory() == 1000 + lb::message_overhead);
    c.channel.ok(c.channel->ack(c.channel->unacknowledged_count() == 1 ? 10 : 0));
    CHECK(c.broker.memory() == 0);
}

TEST_CASE("further keys of a message count")
{
    one_client c;
    c.channel.declare("q");
    field_array keys;
    for (int i = 0; i < 100; ++i)
        keys.emplace_back(std::string(100, 'k'));
    c.channel.publish("", "q", "x", properties().header("BCC", std::move(keys)));
    CHECK(c.broker.memory() >= 100 * (100 + sizeof(std::string)));
    c.channel.drain("q");
    CHECK(c.broker.memory() == 0);
}

TEST_CASE("messages of a transaction count while they wait")
{
    one_client c;
    c.channel.declare("q");
    c.channel.ok(c.channel->select_transactions());
    c.channel.publish("", "q", std::string(1000, 'x'));
    CHECK(c.broker.memory() == 1000 + lb::message_overhead);
    c.channel.ok(c.channel->rollback());
    CHECK(c.broker.memory() == 0);
    c.channel.publish("", "q", std::string(1000, 'x'));
    c.channel.ok(c.channel->commit());
    CHECK(c.broker.memory() == 1000 + lb::message_overhead);
    c.channel.publish("", "q", "y");
    c.channel.close();
    CHECK(c.broker.memory() == 1000 + lb::message_overhead);
}

TEST_CASE("a virtual host with very many queues and exchanges goes quickly")
{
    one_client c;
    c.channel.ok(c.channel->declare_exchange({.name = "x", .type = "fanout", .auto_delete = true}));
    for (int i = 0; i < 20'000; ++i) {
        c.channel.declare("q" + std::to_string(i));
        c.channel.bind("x", "q" + std::to_string(i), "");
    }
    c.channel.publish("x", "", "m");
    CHECK(c.broker.memory() == 1 + lb::message_overhead + 19'999 * lb::holder_overhead);
}

TEST_CASE("the broker's limits of a queue refuse as reject-publish does")
{
    lb::options o;
    o.limits.queue_messages = 2;
    o.limits.queue_bytes = 10;
    one_client c(o);
    c.channel.ok(c.channel->select_confirms());
    c.channel.declare("n");
    c.channel.declare("b");
    for (int i = 0; i < 3; ++i)
        c.channel.publish("", "n", "x");
    CHECK(c.channel.take() == lines{"ack 1", "ack 2", "nack 3"});
    c.channel.publish("", "b", "1234567890");
    c.channel.publish("", "b", "");
    c.channel.publish("", "b", "x");
    CHECK(c.channel.take() == lines{"ack 4", "ack 5", "nack 6"});
}

TEST_CASE("limits of what clients make, each at its edge")
{
    lb::options o;
    o.limits.queues = 2;
    o.limits.exchanges = 8; // seven are predeclared
    o.limits.bindings = 2;
    o.limits.channels = 2;
    o.limits.consumers = 2;
    o.limits.sessions = 2;
    o.limits.virtual_hosts = 2;
    o.limits.routing_keys = 3;
    o.limits.transaction_messages = 1;
    one_client c(o);
    c.channel.declare("a");
    c.channel.declare("b");
    CHECK(
        text(c.channel->declare_queue({.name = "c"})) ==
        "PRECONDITION_FAILED - cannot declare queue 'c' in vhost '/': queue limit in vhost '/' (2) "
        "is reached");
    c.channel.declare("a");
    c.channel.ok(c.channel->declare_exchange({.name = "x"}));
    CHECK(text(c.channel->declare_exchange({.name = "y"})) ==
          "PRECONDITION_FAILED - cannot declare exchange 'y' in vhost '/': exchange limit in vhost "
          "'/' (8) is reached");
    c.channel.bind("x", "a", "1");
    c.channel.bind("x", "a", "2");
    c.channel.bind("x", "a", "2");
    CHECK(text(c.channel->bind_queue({.source = "x", .destination = "a", .routing_key = "3"})) ==
          "PRECONDITION_FAILED - cannot bind to exchange 'x' in vhost '/': binding limit in vhost "
          "'/' (2) is reached");
    c.channel.consume("a", "1");
    c.channel.consume("a", "2");
    CHECK(text(c.channel->consume({.queue = "a"})) ==
          "connection: NOT_ALLOWED - reached maximum (2) of consumers per channel");
    test_channel second(*c.session);
    CHECK(text(c.session->open_channel(second)) ==
          "connection: NOT_ALLOWED - number of channels opened (2) has reached the negotiated "
          "channel_max (2)");
    test_session another(c.broker);
    CHECK(text(c.broker.open_session("/", "guest", another)) ==
          "connection: NOT_ALLOWED - connection limit (2) is reached");
    c.channel.ok(c.broker.add_virtual_host("v"));
    CHECK(text(c.broker.add_virtual_host("w")) ==
          "connection: NOT_ALLOWED - virtual host limit (2) is reached");
    c.channel.publish("", "b", "m", properties().header("CC", field_array{"1", "2"}));
    CHECK(text(c.channel->publish({}, payload(),
                                  properties().header("BCC", field_array{"1", "2", "3"}))) ==
          "PRECONDITION_FAILED - message has more than 3 routing keys");
    second.ok(second->select_transactions());
    second.publish("", "b", "1");
    CHECK(text(second->publish({.routing_key = "b"}, payload("2"))) ==
          "PRECONDITION_FAILED - transaction has more than 1 messages");
}

TEST_CASE("the steady state allocates nothing")
{
    one_client c;
    c.channel.declare("q");
    c.channel.bind("amq.topic", "q", "a.*.#");
    c.channel.declare("deep");
    const payload body("some bytes");
    const properties p = properties().content_type("text/plain").delivery_mode(2);
    const auto round = [&] {
        for (int i = 0; i < 1000; ++i) {
            c.channel.ok(c.channel->publish(
                {.exchange = "amq.topic", .routing_key = i % 2 == 0 ? "a.b" : "a.c.d"}, body, p));
            const auto got = c.channel->get("q", false);
            c.channel.ok(c.channel->ack((*got)->tag));
            c.channel.ok(c.channel->publish({.routing_key = "deep"}, body));
        }
        c.channel.ok(c.channel->purge("deep"));
    };
    round();
    const allocation_watch watch;
    round();
    CHECK(watch.grown() == 0);
}

TEST_CASE("messages outlive the broker while somebody keeps them")
{
    lb::message_ptr kept;
    {
        one_client c;
        c.channel.declare("q");
        c.channel.publish("", "q", "m", properties().message_id("7"));
        c.channel.get("q");
        kept = c.channel.last;
    }
    CHECK(kept->body().view() == "m");
    CHECK(kept->properties().message_id() == "7");
    CHECK(kept->routing_key() == "q");
}

TEST_CASE("a session that ends takes its channels along")
{
    one_client c;
    c.channel.declare("q");
    auto other = std::make_unique<test_session>(c.broker);
    test_channel theirs(**other);
    theirs.consume("q", "t", false);
    c.channel.publish("", "q", "m");
    CHECK(c.channel.count("q") == 0);
    other.reset();
    CHECK(c.channel.get("q") == "m");
    theirs.close(); // ended already: nothing more to do
}

TEST_CASE("a queue that refuses what is too much drops nothing that comes back to it")
{
    for (const char* overflow : {"reject-publish", "reject-publish-dlx"}) {
        one_client c;
        c.channel.declare("q", {{"x-max-length", 1}, {"x-overflow", overflow}});
        c.channel.publish("", "q", "a");
        const auto got = c.channel->get("q", false);
        c.channel.publish("", "q", "b");
        c.channel.ok(c.channel->settle((*got)->tag, false, lb::settlement::requeue));
        CHECK(c.channel.drain("q") == "a b");
    }
}

TEST_CASE("properties count, once for all messages that share them")
{
    one_client c;
    c.channel.declare("q");
    const leveret::properties big = leveret::properties().headers({{"h", std::string(3'000, 'x')}});
    c.channel.publish("", "q", "1", big);
    const std::size_t one = c.broker.memory();
    CHECK(one > 3'000);
    CHECK(one < 4'000);
    c.channel.publish("", "q", "2", big);
    CHECK(c.broker.memory() == one + 1 + lb::message_overhead);
    c.channel.publish("", "q", "3", leveret::properties().headers({{"h", std::string(20'000, 'y')}}));
    CHECK(c.broker.memory() > one + 20'000);
    CHECK(c.channel.drain("q") == "1 2 3");
    CHECK(c.broker.memory() == 0);
    // Large ones are kept for no other message: a channel would hold them for as long as it lives.
    const leveret::properties large = leveret::properties().headers({{"h", std::string(10'000, 'x')}});
    for (int i = 0; i < 2; ++i)
        c.channel.publish("", "q", "1", large);
    CHECK(c.broker.memory() > 20'000);
    CHECK(c.channel.drain("q") == "1 1");
    CHECK(c.broker.memory() == 0);
}

TEST_CASE("replies that nobody takes are dropped above a limit")
{
    one_client c;
    test_channel asks(*c.session);
    asks.consume("amq.rabbitmq.reply-to", "r");
    c.channel.declare("rpc");
    asks.publish("", "rpc", "ask", leveret::properties().reply_to("amq.rabbitmq.reply-to"));
    CHECK(c.channel.get("rpc") == "ask");
    const std::string address(c.channel.last->properties().reply_to());
    asks->pause();
    const std::size_t most = lb::delivery_window::max_late_reply_bytes / (std::size_t{1} << 20U);
    const std::string mebibyte(std::size_t{1} << 20U, 'x');
    for (std::size_t i = 0; i < most + 2; ++i)
        c.channel.publish("", address, mebibyte);
    CHECK(asks.deliveries == most);
    asks->resume();
    asks.take();
    c.channel.publish("", address, "one more");
    CHECK(asks.take() == lines{"r:one more #1"});
    asks->pause();
    for (std::size_t i = 0; i < lb::delivery_window::max_late_replies + 1; ++i)
        c.channel.publish("", address, "");
    CHECK(asks.take().size() == lb::delivery_window::max_late_replies);
}
