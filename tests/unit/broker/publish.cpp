#include "unit/broker/fixture.hpp"

using namespace leveret;
using namespace leveret::test;

TEST_CASE("a message goes through the default exchange to a queue and out")
{
    one_client c;
    c.channel.declare("q");
    c.channel.publish("", "q", "one");
    c.channel.publish("", "q", "two");
    c.channel.publish("", "nobody", "lost");
    CHECK(c.channel.count("q") == 2);
    CHECK(c.channel.get("q") == "one");
    CHECK(c.channel.last->exchange().empty());
    CHECK(c.channel.last->routing_key() == "q");
    CHECK(c.channel.drain("q") == "two");
    CHECK(c.channel.get("q") == "-");
}

TEST_CASE("a message reaches a queue once however many bindings match")
{
    one_client c;
    c.channel.declare("q");
    for (const char* pattern : {"#", "a.*", "*.b", "a.#.b"})
        c.channel.bind("amq.topic", "q", pattern);
    c.channel.publish("amq.topic", "a.b", "x");
    CHECK(c.channel.drain("q") == "x");
}

TEST_CASE("exchanges bound to exchanges, in circles too")
{
    one_client c;
    for (const char* name : {"x", "y", "z"})
        c.channel.ok(c.channel->declare_exchange({.name = name, .type = "fanout"}));
    c.channel.declare("q");
    c.channel.declare("r");
    const auto bind = [&](const char* from, const char* to) {
        c.channel.ok(c.channel->bind_exchange({.source = from, .destination = to}));
    };
    bind("x", "y");
    bind("y", "z");
    bind("z", "x");
    c.channel.bind("z", "q", "");
    c.channel.bind("x", "q", "");
    c.channel.bind("y", "r", "");
    c.channel.publish("x", "", "m");
    CHECK(c.channel.drain("q") == "m");
    CHECK(c.channel.drain("r") == "m");
    c.channel.ok(c.channel->unbind_exchange({.source = "x", .destination = "y"}));
    c.channel.publish("x", "", "n");
    CHECK(c.channel.drain("q") == "n");
    CHECK(c.channel.drain("r").empty());
}

TEST_CASE("the alternate exchange gets what is not routed, and only that")
{
    one_client c;
    c.channel.ok(c.channel->declare_exchange({.name = "spill", .type = "fanout"}));
    const table arguments{{"alternate-exchange", "spill"}};
    c.channel.ok(c.channel->declare_exchange({.name = "x", .arguments = &arguments}));
    c.channel.declare("q");
    c.channel.declare("rest");
    c.channel.bind("x", "q", "k");
    c.channel.bind("spill", "rest", "");
    c.channel.publish("x", "k", "routed");
    c.channel.publish("x", "other", "spilled");
    CHECK(c.channel.drain("q") == "routed");
    CHECK(c.channel.drain("rest") == "spilled");
    CHECK(c.channel.last->exchange() == "x");
    c.channel.ok(c.channel->delete_exchange("spill"));
    c.channel.publish("x", "other", "lost"); // a missing alternate drops
}

TEST_CASE("mandatory messages come back, and their confirmation after")
{
    one_client c;
    c.channel.ok(c.channel->select_confirms());
    c.channel.ok(c.channel->select_confirms());
    c.channel.declare("q");
    c.channel.ok(c.channel->publish({.routing_key = "q", .mandatory = true}, payload("a")));
    CHECK(c.channel.take() == lines{"ack 1"});
    c.channel.ok(c.channel->publish({.routing_key = "no", .mandatory = true}, payload("b")));
    CHECK(c.channel.take() == lines{"returned 312 NO_ROUTE b", "ack 2"});
    c.channel.ok(c.channel->publish({.routing_key = "no"}, payload("c")));
    CHECK(c.channel.take() == lines{"ack 3"});
}

TEST_CASE("what publish refuses, in RabbitMQ's words")
{
    lb::options o;
    o.limits.message_bytes = 10;
    one_client c(o);
    const auto publish = [&](const lb::publishing& p, const properties& values = {}) {
        return text(c.channel->publish(p, payload("x"), values));
    };
    CHECK(publish({.exchange = "mis.nosuch"}) ==
          "NOT_FOUND - no exchange 'mis.nosuch' in vhost '/'");
    CHECK(publish({.immediate = true}) == "connection: NOT_IMPLEMENTED - immediate=true");
    c.channel.ok(c.channel->declare_exchange({.name = "mis.x", .internal = true}));
    CHECK(publish({.exchange = "mis.x"}) ==
          "ACCESS_REFUSED - cannot publish to internal exchange 'mis.x' in vhost '/'");
    CHECK(publish({}, properties().user_id("joe")) ==
          "PRECONDITION_FAILED - user_id property set to 'joe' but authenticated user was 'guest'");
    CHECK(publish({}, properties().user_id("guest")) == "ok");
    CHECK(publish({}, properties().expiration("abc")) ==
          "PRECONDITION_FAILED - invalid expiration 'abc': no_integer");
    CHECK(publish({}, properties().expiration("")) ==
          "PRECONDITION_FAILED - invalid expiration '': no_integer");
    CHECK(publish({}, properties().expiration("10x")) ==
          "PRECONDITION_FAILED - invalid expiration '10x': {leftover_string,\"x\"}");
    CHECK(publish({}, properties().expiration("-1")) ==
          "PRECONDITION_FAILED - invalid expiration '-1': {value_negative,-1}");
    CHECK(publish({}, properties().expiration("0")) == "ok");
    CHECK(publish({}, properties().expiration("315360000000")) == "ok"); // ten years
    CHECK(publish({}, properties().expiration("315360000001")) ==
          "PRECONDITION_FAILED - invalid expiration '315360000001': {value_too_large,315360000001}");
    CHECK(publish({}, properties().expiration("99999999999999999999999")).find("value_too_large") !=
          std::string::npos);
    CHECK(publish({}, properties().header("CC", "k")) ==
          "PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,\"CC\",longstr}");
    CHECK(publish({}, properties().reply_to("amq.rabbitmq.reply-to")) ==
          "PRECONDITION_FAILED - fast reply consumer does not exist");
    CHECK(publish({}, properties().delivery_mode(3)) ==
          "PRECONDITION_FAILED - invalid message: {delivery_mode_unknown,3}");
    CHECK(text(c.channel->publish({}, payload("0123456789"))) == "ok");
    CHECK(text(c.channel->publish({}, payload("0123456789a"))) ==
          "PRECONDITION_FAILED - message size 11 is larger than configured max size 10");
    CHECK(text(c.channel->publish({.routing_key = std::string(255, 'k')}, payload())) == "ok");
    CHECK(text(c.channel->publish({.routing_key = std::string(256, 'k')}, payload())) ==
          "PRECONDITION_FAILED - routing key is longer than 255 bytes");
}

TEST_CASE("CC and BCC route, and receivers don't see BCC")
{
    one_client c;
    for (const char* name : {"a", "b", "d"})
        c.channel.declare(name);
    properties p;
    p.header("CC", field_array{"b", 7, "a"}).header("BCC", field_array{"d"});
    c.channel.publish("", "a", "m", p);
    CHECK(c.channel.drain("a") == "m");
    CHECK(c.channel.drain("d") == "m");
    CHECK(c.channel.drain("b") == "m");
    CHECK(c.channel.last->properties().headers().contains("CC"));
    CHECK_FALSE(c.channel.last->properties().headers().contains("BCC"));
    CHECK(p.headers().contains("BCC"));
}

TEST_CASE("equal properties and addresses are stored once")
{
    one_client c;
    c.channel.declare("q");
    const properties p = properties().content_type("text/plain").header("n", 1);
    c.channel.publish("", "q", "a", p);
    c.channel.publish("", "q", "b", properties(p));
    c.channel.publish("", "q", "c", properties(p).header("n", 2));
    c.channel.publish("", "q", "d");
    std::vector<lb::message_ptr> got;
    while (c.channel.get("q") != "-")
        got.push_back(c.channel.last);
    REQUIRE(got.size() == 4);
    CHECK(got[0]->properties_node().get() == got[1]->properties_node().get());
    CHECK(got[1]->properties_node().get() != got[2]->properties_node().get());
    CHECK(got[0]->route().get() == got[3]->route().get());
    CHECK(got[1]->properties() == p);
    CHECK(got[2]->properties().headers().find("n")->integer() == 2);
    CHECK(got[3]->properties().flags() == 0);
}

TEST_CASE("direct reply-to")
{
    one_client c;
    test_session other(c.broker);
    test_channel server(*other);
    server.declare("rpc");
    CHECK(text(c.channel->consume({.queue = "amq.rabbitmq.reply-to"})) ==
          "PRECONDITION_FAILED - reply consumer cannot acknowledge");
    c.channel.consume("amq.rabbitmq.reply-to", "r");
    CHECK(text(c.channel->consume({.queue = "amq.rabbitmq.reply-to", .no_ack = true})) ==
          "PRECONDITION_FAILED - reply consumer already set");
    c.channel.publish("", "rpc", "ask", properties().reply_to("amq.rabbitmq.reply-to"));
    CHECK(server.get("rpc") == "ask");
    const std::string address(server.last->properties().reply_to());
    CHECK(address.starts_with("amq.rabbitmq.reply-to.g"));
    CHECK(server->declare_queue({.name = address})->consumer_count == 1);
    server.publish("", address, "answer");
    CHECK(c.channel.take() == lines{"r:answer #1"});
    // It is in no queue, so mandatory returns it all the same.
    server.ok(server->publish({.routing_key = address, .mandatory = true}, payload("m")));
    CHECK(server.take() == lines{"returned 312 NO_ROUTE m"});
    CHECK(c.channel.take() == lines{"r:m #1"}); // a reply has no number of its own
    c.channel->cancel("r");
    server.publish("", address, "late");
    CHECK(c.channel.take().empty());
    CHECK(text(server->declare_queue({.name = address, .passive = true})) ==
          "NOT_FOUND - no queue '" + address + "' in vhost '/'");
}

TEST_CASE("transactions: nothing before commit, nothing after rollback")
{
    one_client c;
    c.channel.declare("q");
    test_channel tx(*c.session);
    CHECK(text(tx->rollback()) == "PRECONDITION_FAILED - channel is not transactional");
    CHECK(text(tx->commit()) == "PRECONDITION_FAILED - channel is not transactional");
    tx.ok(tx->select_transactions());
    CHECK(text(tx->select_confirms()) ==
          "PRECONDITION_FAILED - cannot switch from tx to confirm mode");
    tx.publish("", "q", "a");
    CHECK(c.channel.count("q") == 0);
    tx.ok(tx->rollback());
    tx.ok(tx->commit());
    CHECK(c.channel.count("q") == 0);
    tx.publish("", "q", "b");
    tx.ok(tx->publish({.routing_key = "no", .mandatory = true}, payload("r")));
    CHECK(tx.take().empty());
    tx.ok(tx->commit());
    CHECK(tx.take() == lines{"returned 312 NO_ROUTE r"});
    CHECK(c.channel.count("q") == 1);

    // Settlements wait as well, and come back with rollback.
    tx.consume("q", "t", false);
    CHECK(tx.take() == lines{"t:b #1"});
    tx.ok(tx->ack(1));
    CHECK(text(tx->ack(1)) == "PRECONDITION_FAILED - unknown delivery tag 1");
    tx.ok(tx->rollback());
    tx.ok(tx->ack(1));
    tx.ok(tx->commit());
    CHECK(tx->unacknowledged_count() == 0);
    tx.publish("", "q", "gone");
    c.channel.ok(c.channel->delete_queue("q"));
    tx.ok(tx->commit()); // its queue went meanwhile
}

TEST_CASE("transactions: queues are looked up by their names at commit, as RabbitMQ does")
{
    one_client c;
    test_channel tx(*c.session);
    tx.ok(tx->select_transactions());
    c.channel.declare("again");
    c.channel.bind("amq.direct", "again", "k");
    tx.ok(tx->publish({.routing_key = "again", .mandatory = true}, payload("a")));
    tx.ok(tx->publish({.exchange = "amq.direct", .routing_key = "k", .mandatory = true}, payload("b")));
    tx.ok(tx->publish({.routing_key = "later", .mandatory = true}, payload("c")));
    tx.ok(tx->publish({.exchange = "amq.direct", .routing_key = "later", .mandatory = true}, payload("d")));
    c.channel.ok(c.channel->delete_queue("again"));
    c.channel.declare("again");
    c.channel.declare("later");
    c.channel.bind("amq.direct", "later", "later");
    tx.ok(tx->commit());
    CHECK(tx.take() == lines{"returned 312 NO_ROUTE d"}); // it was routed when it was published
    CHECK(c.channel.drain("again") == "a b");
    CHECK(c.channel.drain("later") == "c");
}

TEST_CASE("a transaction that a full queue refuses is told so")
{
    one_client c;
    c.channel.declare("q", {{"x-max-length", 1}, {"x-overflow", "reject-publish"}});
    c.channel.ok(c.channel->select_transactions());
    c.channel.publish("", "q", "a");
    c.channel.publish("", "q", "b");
    CHECK(text(c.channel->commit()) == "PRECONDITION_FAILED - partial tx completion");
}

TEST_CASE("a reply comes once, however many keys name its address")
{
    one_client c;
    test_channel asks(*c.session);
    asks.consume("amq.rabbitmq.reply-to", "r");
    c.channel.declare("rpc");
    asks.publish("", "rpc", "ask", properties().reply_to("amq.rabbitmq.reply-to"));
    CHECK(c.channel.get("rpc") == "ask");
    const std::string address(c.channel.last->properties().reply_to());
    leveret::field_array keys{leveret::field_value(address), leveret::field_value(address)};
    c.channel.publish("", address, "answer", properties().headers({{"CC", keys}}));
    CHECK(asks.take() == lines{"r:answer #1"});
    c.channel.publish("", address, "again");
    CHECK(asks.take() == lines{"r:again #1"});
}
