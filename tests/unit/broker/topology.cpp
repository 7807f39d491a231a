#include "unit/broker/fixture.hpp"

using namespace leveret;
using namespace leveret::test;

namespace {

std::string declare(one_client& c, const lb::queue_declaration& d)
{
    return text(c.channel->declare_queue(d));
}
std::string declare_with(one_client& c, std::string_view argument, field_value v)
{
    const table arguments{{std::string(argument), std::move(v)}};
    return declare(c, {.name = "mis.q", .arguments = &arguments});
}

struct last_word { // a user's own policy: the binding key is the last character of the routing key
    static constexpr std::string_view name = "x-last-character";
    struct router {
        void add(std::string_view key, const table& t, routing::binding& b)
        {
            inner.add(key, t, b);
        }
        void remove(std::string_view key, const table& t, routing::binding& b) noexcept
        {
            inner.remove(key, t, b);
        }
        void route(std::string_view key, const table& headers, auto&& visit)
        {
            inner.route(key.substr(key.empty() ? 0 : key.size() - 1), headers, visit);
        }
        routing::direct_router inner;
    };
};

} // namespace

TEST_CASE("queues: declared, looked at, deleted")
{
    one_client c;
    const auto info = c.channel->declare_queue({.name = "q"});
    REQUIRE(info);
    CHECK(info->name == "q");
    CHECK(info->message_count == 0);
    CHECK(info->consumer_count == 0);
    c.channel.publish("", "q", "m");
    c.channel.consume("q", "t");
    c.channel.publish("", "q", "m");
    CHECK(declare(c, {.name = "q"}) == "ok");
    CHECK(c.channel->declare_queue({.name = "q", .passive = true})->consumer_count == 1);
    CHECK(text(c.channel->delete_queue("q", true)) ==
          "PRECONDITION_FAILED - queue 'q' in vhost '/' in use");
    c.channel->cancel("t");
    c.channel->cancel("nosuch");
    c.channel.publish("", "q", "m");
    CHECK(text(c.channel->delete_queue("q", true, true)) ==
          "PRECONDITION_FAILED - queue 'q' in vhost '/' not empty");
    CHECK(*c.channel->purge("q") == 1);
    c.channel.publish("", "q", "m");
    CHECK(*c.channel->delete_queue("q") == 1);
    CHECK(*c.channel->delete_queue("q") == 0);
    CHECK(declare(c, {.name = "q", .passive = true}) == "NOT_FOUND - no queue 'q' in vhost '/'");
    CHECK(text(c.channel->purge("q")) == "NOT_FOUND - no queue 'q' in vhost '/'");
    CHECK(text(c.channel->get("q", true)) == "NOT_FOUND - no queue 'q' in vhost '/'");
    CHECK(text(c.channel->consume({.queue = "q"})) == "NOT_FOUND - no queue 'q' in vhost '/'");
}

TEST_CASE("an empty name is a new queue, or the one declared last")
{
    one_client c;
    CHECK(text(c.channel->consume({})) == "NOT_FOUND - no previously declared queue");
    CHECK(text(c.channel->get("", true)) == "NOT_FOUND - no previously declared queue");
    CHECK(declare(c, {.passive = true}) == "NOT_FOUND - no queue '' in vhost '/'");
    const std::string name = c.channel->declare_queue({})->name;
    CHECK(name.starts_with("amq.gen-"));
    CHECK(name.size() == 30);
    CHECK(name != c.channel->declare_queue({})->name);
    c.channel.declare("mine");
    c.channel.ok(c.channel->bind_queue({.source = "amq.direct"})); // key: the queue's name
    c.channel.publish("amq.direct", "mine", "m");
    CHECK(c.channel.get("") == "m");
    CHECK(*c.channel->purge("") == 0);
    CHECK(*c.channel->delete_queue("") == 0);
}

TEST_CASE("queues: declared again differently, in RabbitMQ's words")
{
    one_client c;
    c.channel.declare("mis.q");
    CHECK(
        declare(c, {.name = "mis.q", .durable = true}) ==
        "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'mis.q' in vhost '/': received "
        "'true' but current is 'false'");
    CHECK(declare(c, {.name = "mis.q", .auto_delete = true}) ==
          "PRECONDITION_FAILED - inequivalent arg 'auto_delete' for queue 'mis.q' in vhost '/': "
          "received 'true' but current is 'false'");
    CHECK(
        declare(c, {.name = "mis.q", .exclusive = true}) ==
        "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mis.q' in vhost '/'. It "
        "could be originally declared on another connection or the exclusive property value does "
        "not match that of the original declaration.");
    CHECK(declare_with(c, "x-max-length", 5) ==
          "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'mis.q' in vhost '/': "
          "received the value '5' of type 'signedint' but current is none");
    c.channel.ok(c.channel->delete_queue("mis.q"));
    CHECK(declare_with(c, "x-message-ttl", 1000) == "ok");
    CHECK(declare_with(c, "x-message-ttl", std::int64_t{1000}) == "ok");
    CHECK(declare_with(c, "x-message-ttl", 2000) ==
          "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 'mis.q' in vhost '/': "
          "received '2000' but current is '1000'");
    CHECK(declare(c, {.name = "mis.q"}) ==
          "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 'mis.q' in vhost '/': "
          "received none but current is the value '1000' of type 'signedint'");
    c.channel.ok(c.channel->delete_queue("mis.q"));
    CHECK(declare_with(c, "x-unknown", 1) == "ok");
    CHECK(declare_with(c, "x-unknown", 2) == "ok");
}

TEST_CASE("queues: wrong arguments, in RabbitMQ's words")
{
    one_client c;
    const std::string begin = "PRECONDITION_FAILED - invalid arg '";
    const std::string middle = "' for queue 'mis.q' in vhost '/': ";
    const auto refused = [&](const char* argument, field_value v, const char* why) {
        CAPTURE(argument);
        CHECK(declare_with(c, argument, std::move(v)) == begin + argument + middle + why);
    };
    refused("x-message-ttl", -1, "{value_negative,-1}");
    refused("x-expires", 0, "{value_zero,0}");
    refused("x-expires", "1", "\"expected integer, got longstr\"");
    refused("x-max-length", -5, "{value_negative,-5}");
    refused("x-max-length-bytes", "1", "\"expected integer, got longstr\"");
    refused("x-max-priority", 256, "{max_value_exceeded,256}");
    refused("x-max-priority", -1, "{value_negative,-1}");
    refused("x-overflow", "other", "invalid_overflow");
    refused("x-overflow", 1, "{unacceptable_type,signedint}");
    CHECK(declare_with(c, "x-dead-letter-exchange", 1) ==
          "PRECONDITION_FAILED - invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue 'mis.q' in "
          "vhost '/'");
    refused("x-message-ttl", std::int64_t{315'360'000'001}, "{value_too_large,315360000001}");
    refused("x-dead-letter-routing-key", "k", "routing_key_but_no_dlx_defined");
    refused("x-queue-type", "nosuch", "\"unsupported queue type 'nosuch'\"");
    refused("x-queue-mode", "nosuch", "\"unsupported queue mode 'nosuch'\"");
    refused("x-single-active-consumer", "yes", "{unacceptable_type,longstr}");
    CHECK(declare_with(c, "x-delivery-limit", 1) ==
          "PRECONDITION_FAILED - invalid arg 'x-delivery-limit' for queue 'mis.q' in vhost '/' of "
          "queue type rabbit_classic_queue");
    CHECK(declare_with(c, "x-queue-type", "quorum") ==
          "PRECONDITION_FAILED - invalid property 'non-durable' for queue 'mis.q' in vhost '/'");
    CHECK(c.broker.find_virtual_host("/")->queue_count() == 0);
    CHECK(declare_with(c, "x-max-priority", 255) == "ok");
    CHECK(declare(c, {.name = "amq.mis"}) ==
          "ACCESS_REFUSED - queue name 'amq.mis' contains reserved prefix 'amq.*'");
    CHECK(declare(c, {.name = std::string(255, 'q')}) == "ok");
    CHECK(declare(c, {.name = std::string(256, 'q')}) ==
          "PRECONDITION_FAILED - queue name is longer than 255 bytes");
}

TEST_CASE("exchanges: predeclared, declared, refused")
{
    one_client c;
    const auto declare_exchange = [&](const lb::exchange_declaration& d) {
        return text(c.channel->declare_exchange(d));
    };
    const lb::virtual_host& host = *c.broker.find_virtual_host("/");
    for (const char* name :
         {"", "amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match"})
        CHECK(host.find_exchange(name) != nullptr);
    CHECK(declare_exchange({.name = "amq.direct", .passive = true}) == "ok");
    CHECK(declare_exchange({.name = "amq.direct", .durable = true}) == "ok");
    CHECK(declare_exchange({.name = "amq.direct", .type = "fanout", .durable = true}) ==
          "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'amq.direct' in vhost '/': "
          "received 'fanout' but current is 'direct'");
    CHECK(declare_exchange({.name = "amq.x"}) ==
          "ACCESS_REFUSED - exchange name 'amq.x' contains reserved prefix 'amq.*'");
    CHECK(declare_exchange({.name = "x", .type = "nosuchtype"}) ==
          "PRECONDITION_FAILED - unknown exchange type 'nosuchtype'");
    CHECK(declare_exchange({.name = "x", .passive = true}) ==
          "NOT_FOUND - no exchange 'x' in vhost '/'");
    CHECK(declare_exchange({.name = ""}) ==
          "ACCESS_REFUSED - operation not permitted on the default exchange");
    const table wrong{{"alternate-exchange", 1}};
    CHECK(declare_exchange({.name = "x", .arguments = &wrong}) ==
          "PRECONDITION_FAILED - invalid type 'signedint' for arg 'alternate-exchange' in exchange "
          "'x' in vhost '/'");
    CHECK(declare_exchange({.name = "x"}) == "ok");
    CHECK(
        declare_exchange({.name = "x", .internal = true}) ==
        "PRECONDITION_FAILED - inequivalent arg 'internal' for exchange 'x' in vhost '/': received "
        "'true' but current is 'false'");
    CHECK(text(c.channel->delete_exchange("")) ==
          "ACCESS_REFUSED - operation not permitted on the default exchange");
    CHECK(text(c.channel->delete_exchange("amq.direct")) ==
          "ACCESS_REFUSED - deletion of system exchange 'amq.direct' in vhost '/' not allowed");
    CHECK(text(c.channel->delete_exchange("nosuch")) == "ok");
    c.channel.declare("q");
    c.channel.bind("x", "q", "k");
    CHECK(text(c.channel->delete_exchange("x", true)) ==
          "PRECONDITION_FAILED - exchange 'x' in vhost '/' in use");
    CHECK(text(c.channel->delete_exchange("x")) == "ok");
    CHECK(host.binding_count() == 0);
}

TEST_CASE("bindings: once each, gone with either end")
{
    one_client c;
    const lb::virtual_host& host = *c.broker.find_virtual_host("/");
    CHECK(text(c.channel->bind_queue({.source = "nosuch", .destination = "none"})) ==
          "NOT_FOUND - no exchange 'nosuch' in vhost '/'");
    CHECK(text(c.channel->bind_queue({.source = "amq.direct", .destination = "none"})) ==
          "NOT_FOUND - no queue 'none' in vhost '/'");
    CHECK(text(c.channel->bind_queue({.source = "", .destination = "none"})) ==
          "ACCESS_REFUSED - operation not permitted on the default exchange");
    CHECK(text(c.channel->bind_exchange({.source = "amq.direct", .destination = "none"})) ==
          "NOT_FOUND - no exchange 'none' in vhost '/'");
    CHECK(text(c.channel->unbind_queue({.source = "nosuch", .destination = "none"})) == "ok");
    c.channel.declare("q");
    const table some{{"x-match", "some"}};
    CHECK(text(c.channel->bind_queue(
              {.source = "amq.headers", .destination = "q", .arguments = &some})) ==
          "PRECONDITION_FAILED - Invalid x-match field value <<\"some\">>; expected all, any, "
          "all-with-x, or any-with-x");
    for (int i = 0; i < 2; ++i)
        c.channel.bind("amq.headers", "q", "", {{"a", 1}, {"b", 2}});
    c.channel.bind("amq.headers", "q", "", {{"b", 2}, {"a", 1}}); // the same
    CHECK(host.binding_count() == 1);
    c.channel.bind("amq.headers", "q", "", {{"a", 2}});
    c.channel.bind("amq.direct", "q", "k");
    CHECK(host.binding_count() == 3);
    c.channel.ok(c.channel->unbind_queue(
        {.source = "amq.direct", .destination = "q", .routing_key = "other"}));
    CHECK(host.binding_count() == 3);
    c.channel.ok(
        c.channel->unbind_queue({.source = "amq.direct", .destination = "q", .routing_key = "k"}));
    CHECK(host.binding_count() == 2);
    c.channel.ok(c.channel->delete_queue("q"));
    CHECK(host.binding_count() == 0);
}

TEST_CASE("auto-delete exchanges go with their last binding, and so on up a chain")
{
    one_client c;
    const lb::virtual_host& host = *c.broker.find_virtual_host("/");
    const std::size_t before = host.exchange_count();
    c.channel.declare("q");
    constexpr int chain = 5000;
    for (int i = 0; i < chain; ++i) {
        c.channel.ok(c.channel->declare_exchange(
            {.name = "x" + std::to_string(i), .type = "fanout", .auto_delete = true}));
        if (i > 0)
            c.channel.ok(c.channel->bind_exchange(
                {.source = "x" + std::to_string(i), .destination = "x" + std::to_string(i - 1)}));
    }
    c.channel.bind("x0", "q", "");
    c.channel.publish("x" + std::to_string(chain - 1), "", "m");
    CHECK(c.channel.get("q") == "m");
    c.channel.ok(c.channel->delete_queue("q"));
    CHECK(host.exchange_count() == before);
    CHECK(text(c.channel->publish({.exchange = "x4999"}, payload())) ==
          "NOT_FOUND - no exchange 'x4999' in vhost '/'");
}

TEST_CASE("exclusive queues are their session's alone and end with it")
{
    one_client c;
    c.channel.ok(c.channel->declare_queue({.name = "mine", .durable = true, .exclusive = true}));
    CHECK(declare(c, {.name = "mine", .exclusive = true}) ==
          "ok"); // exclusive ones are not durable
    test_session other(c.broker);
    const auto locked = [](const lb::status& s) {
        return text(s).starts_with("RESOURCE_LOCKED - cannot obtain exclusive access to locked "
                                   "queue 'mine' in vhost '/'.");
    };
    test_channel theirs(*other);
    CHECK(locked(theirs->declare_queue({.name = "mine", .exclusive = true})));
    CHECK(locked(theirs->declare_queue({.name = "mine"})));
    CHECK(locked(theirs->declare_queue({.name = "mine", .passive = true})));
    CHECK(locked(theirs->consume({.queue = "mine"})));
    CHECK(locked(theirs->get("mine", true)));
    CHECK(locked(theirs->purge("mine")));
    CHECK(locked(theirs->delete_queue("mine")));
    CHECK(locked(theirs->bind_queue({.source = "amq.fanout", .destination = "mine"})));
    theirs.publish("", "mine", "anybody may publish");
    CHECK(c.channel.count("mine") == 1);
    c.session.close();
    CHECK(c.broker.find_virtual_host("/")->queue_count() == 0);
}

TEST_CASE("virtual hosts and brokers don't see each other")
{
    one_client c;
    c.channel.declare("q");
    c.channel.ok(c.broker.add_virtual_host("other"));
    c.channel.ok(c.broker.add_virtual_host("other"));
    {
        test_session s(c.broker, "other");
        test_channel there(*s);
        CHECK(text(there->declare_queue({.name = "q", .passive = true})) ==
              "NOT_FOUND - no queue 'q' in vhost 'other'");
        CHECK(text(c.broker.delete_virtual_host("other")) ==
              "PRECONDITION_FAILED - vhost 'other' in use");
    }
    CHECK(text(c.broker.delete_virtual_host("other")) == "ok");
    CHECK(text(c.broker.open_session("other", "guest", c.session)) ==
          "connection: NOT_ALLOWED - vhost other not found");
    one_client second;
    CHECK(second.broker.find_virtual_host("/")->queue_count() == 0);
}

TEST_CASE("a broker knows the exchange types of its list and no others")
{
    lb::basic_core<lb::policies<last_word, direct>> b;
    test_session s(b);
    test_channel ch(*s);
    CHECK(text(ch->declare_exchange({.name = "x", .type = "topic"})) ==
          "PRECONDITION_FAILED - unknown exchange type 'topic'");
    CHECK(b.find_virtual_host("/")->find_exchange("amq.topic") == nullptr);
    ch.ok(ch->declare_exchange({.name = "x", .type = "x-last-character"}));
    ch.declare("q");
    ch.bind("x", "q", "7");
    ch.publish("x", "1237", "m");
    ch.publish("x", "123", "n");
    CHECK(ch.drain("q") == "m");
}
