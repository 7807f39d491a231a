// Who may log in, and what they may do, over a whole session.
#include "support/server_peer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace leveret;
using namespace leveret::test;
namespace lvb = leveret::broker;

namespace {

std::string refused(std::string_view what, std::string_view name, wire::method_number id)
{
    return "1 channel.close reply-code=403 reply-text=ACCESS_REFUSED - access to " +
           std::string(what) + " '" + std::string(name) +
           "' in vhost '/' refused for user 'u' class-id=" + std::to_string(id.class_id) +
           " method-id=" + std::to_string(id.method) + "\n";
}

/// A user with these permissions, and queues q and amq.gen-... that somebody else made.
struct limited {
    lvb::users users;
    socketless_server server;
    server_peer admin;
    server_peer client;

    limited(std::string_view configure, std::string_view write, std::string_view read)
        : server({}, &users), admin(server), client(server)
    {
        users.add("u", "u").permit("u", "/", configure, write, read);
        users.add("guest", "guest").permit("guest", "/", ".*", ".*", ".*");
        admin.open();
        admin.send(frame(1, wire::queue::declare{.queue = "q"}));
        static_cast<void>(admin.take());
        client.open(131072, 1, server_peer::capable(), "u");
    }
    template <wire::method Method>
    std::string ask(const Method& m)
    {
        client.send(frame(1, m));
        return client.take_text();
    }
};

} // namespace

TEST_CASE("rights: without any")
{
    const wire::basic::publish to_default{.routing_key = "q"};
    const auto check = [](const auto& m, std::string_view kind, std::string_view name,
                          std::string_view more = {}) {
        limited t("", "", "");
        t.client.send(frame(1, m) + std::string(more));
        CHECK(t.client.take_text() == refused(kind, name, m.id));
    };
    check(wire::queue::declare{.queue = "q"}, "queue", "q");
    check(wire::queue::declare{.queue = "q", .passive = true}, "queue", "q");
    check(wire::queue::declare{}, "queue", "amq.gen-");
    check(wire::queue::delete_{.queue = "q"}, "queue", "q");
    check(wire::queue::purge{.queue = "q"}, "queue", "q");
    check(wire::queue::bind{.queue = "q", .exchange = "amq.topic"}, "queue", "q");
    check(wire::queue::unbind{.queue = "q", .exchange = "amq.topic"}, "queue", "q");
    check(wire::exchange::declare{.exchange = "x"}, "exchange", "x");
    check(wire::exchange::declare{.exchange = "amq.topic", .passive = true}, "exchange",
          "amq.topic");
    check(wire::exchange::delete_{.exchange = "x"}, "exchange", "x");
    check(wire::exchange::bind{.destination = "amq.topic", .source = "amq.fanout"}, "exchange",
          "amq.topic");
    check(wire::exchange::unbind{.destination = "amq.topic", .source = "amq.fanout"}, "exchange",
          "amq.topic");
    check(wire::basic::consume{.queue = "q"}, "queue", "q");
    check(wire::basic::get{.queue = "q"}, "queue", "q");
    check(to_default, "exchange", "amq.default", content(1, "x"));
    check(wire::basic::publish{.exchange = "amq.topic"}, "exchange", "amq.topic", content(1, "x"));
}

TEST_CASE("rights: each on its own")
{
    SUBCASE("configure")
    {
        limited t("^q", "", "");
        CHECK(t.ask(wire::queue::declare{.queue = "q"}) == "1 queue.declare-ok queue=q\n");
        CHECK(t.ask(wire::exchange::declare{.exchange = "qx"}) == "1 exchange.declare-ok\n");
        CHECK(t.ask(wire::basic::get{.queue = "q"}) == refused("queue", "q", {60, 70}));
    }
    SUBCASE("write")
    {
        limited t("", "^(q|amq\\.default)$", "");
        t.client.send(frame(1, wire::basic::publish{.routing_key = "q"}) + content(1, "x"));
        CHECK(t.client.take_text().empty());
        CHECK(t.ask(wire::queue::declare{.queue = "q", .passive = true}) ==
              "1 queue.declare-ok queue=q message-count=1\n");
        CHECK(t.ask(wire::queue::bind{.queue = "q", .exchange = "amq.topic"}) ==
              refused("exchange", "amq.topic", {50, 20}));
    }
    SUBCASE("read")
    {
        limited t("", "", "^q$");
        CHECK(t.ask(wire::basic::get{.queue = "q"}) == "1 basic.get-empty\n");
        CHECK(t.ask(wire::queue::purge{.queue = "q"}) == "1 queue.purge-ok\n");
        CHECK(t.ask(wire::basic::consume{.queue = "q", .consumer_tag = "t"}) ==
              "1 basic.consume-ok consumer-tag=t\n");
        CHECK(t.ask(wire::queue::delete_{.queue = "q"}) == refused("queue", "q", {50, 40}));
    }
}

TEST_CASE("rights: dead letters and alternates need those of publishing")
{
    const auto with = [](const char* name, const char* value) {
        return wire::encode_table({{name, value}});
    };
    const std::string dead = with("x-dead-letter-exchange", "dlx");
    const std::string alternate = with("alternate-exchange", "ae");
    {
        limited t(".*", "", ".*");
        CHECK(t.ask(wire::queue::declare{.queue = "d", .arguments = {dead}}) ==
              refused("exchange", "dlx", {50, 10}));
    }
    {
        limited t(".*", "", ".*");
        CHECK(t.ask(wire::exchange::declare{.exchange = "d", .arguments = {alternate}}) ==
              refused("exchange", "ae", {40, 10}));
    }
    limited t(".*", "^(dlx|ae)$", ".*");
    CHECK(t.ask(wire::queue::declare{.queue = "d", .arguments = {dead}}) ==
          "1 queue.declare-ok queue=d\n");
    CHECK(t.ask(wire::exchange::declare{.exchange = "d", .arguments = {alternate}}) ==
          "1 exchange.declare-ok\n");
    // What is there already was allowed when it was made.
    limited later(".*", "", "");
    later.admin.send(frame(1, wire::queue::declare{.queue = "d", .arguments = {dead}}) +
                     frame(1, wire::exchange::declare{.exchange = "d", .arguments = {alternate}}));
    static_cast<void>(later.admin.take());
    CHECK(later.ask(wire::queue::declare{.queue = "d", .arguments = {dead}}) == "1 queue.declare-ok queue=d\n");
    CHECK(later.ask(wire::exchange::declare{.exchange = "d", .arguments = {alternate}}) == "1 exchange.declare-ok\n");
}

TEST_CASE("rights: breaks in lines are no part of a name")
{
    const auto check = [](const auto& m, std::string_view kind) {
        limited t("^[^_]", "", "");
        CHECK(t.ask(m) == refused(kind, "_q", m.id));
    };
    check(wire::queue::declare{.queue = "\n_q"}, "queue");
    check(wire::queue::delete_{.queue = "\n_q"}, "queue");
    check(wire::exchange::declare{.exchange = "\r_q"}, "exchange");
    check(wire::exchange::delete_{.exchange = "\r_q"}, "exchange");
    limited t(".*", "", "");
    CHECK(t.ask(wire::queue::delete_{.queue = "q\n"}) == "1 queue.delete-ok\n");
    CHECK(t.server.broker().find_virtual_host("/")->find_queue("q") == nullptr);
}

TEST_CASE("rights: they may change while a client is connected")
{
    limited t("", ".*", ".*");
    CHECK(t.ask(wire::basic::get{.queue = "q"}) == "1 basic.get-empty\n");
    t.users.remove("u");
    CHECK(t.ask(wire::basic::get{.queue = "q"}) == refused("queue", "q", {60, 70}));
}

TEST_CASE("rights: virtual hosts")
{
    lvb::users users;
    users.add("u", "u").permit("u", "mine", ".*", ".*", ".*");
    socketless_server server({}, &users);
    REQUIRE(server.broker().add_virtual_host("mine").is_ok());
    REQUIRE(server.broker().add_virtual_host("other").is_ok());
    const auto enter = [&](std::string_view name) {
        server_peer client(server);
        client.send(wire::protocol_header);
        client.send(server_peer::start_ok(server_peer::capable(), "PLAIN",
                                          engine::plain_response("u", "u")));
        client.send(server_peer::tune_ok());
        static_cast<void>(client.take());
        client.send(frame(0, wire::connection::open{.virtual_host = name}));
        return client.take_text();
    };
    CHECK(enter("mine") == "0 connection.open-ok\n");
    CHECK(enter("other") ==
          "0 connection.close reply-code=530 reply-text=NOT_ALLOWED - access to vhost 'other' "
          "refused for user 'u' class-id=10 method-id=40\n");
    CHECK(enter("nosuch") ==
          "0 connection.close reply-code=530 reply-text=NOT_ALLOWED - vhost nosuch not found "
          "class-id=10 method-id=40\n");
}

TEST_CASE("rights: logins")
{
    lvb::users users;
    users.add("far", "p1").permit("far", "/", ".*", ".*", ".*");
    users.add("near", "p2").loopback_only("near");
    CHECK(users.can_log_in("far", "p1", false));
    CHECK_FALSE(users.can_log_in("far", "p2", true));
    CHECK_FALSE(users.can_log_in("far", "p11", true));
    CHECK_FALSE(users.can_log_in("far", "", true));
    users.add("blank", "");
    CHECK_FALSE(users.can_log_in("blank", "", true));
    CHECK(users.can_log_in_by_certificate("blank", true));
    CHECK_FALSE(users.can_log_in("nobody", "p1", true));
    CHECK(users.can_log_in("near", "p2", true));
    CHECK_FALSE(users.can_log_in("near", "p2", false));
    users.add("far", "new");
    CHECK(users.can_log_in("far", "new", false));
    CHECK_THROWS_AS(users.permit("nobody", "/", "", "", ""), usage_error);
    CHECK_THROWS_AS(users.permit("far", "/", "(", "", ""), usage_error);

    lvb::users hashed([](std::string_view given, std::string_view stored) {
        return lvb::same_secret(std::string(given.rbegin(), given.rend()), stored);
    });
    hashed.add("u", "cba");
    CHECK(hashed.can_log_in("u", "abc", true));

    lvb::guest_access guest;
    CHECK(guest.can_log_in("guest", "guest", true));
    CHECK_FALSE(guest.can_log_in("guest", "guest", false));
    CHECK_FALSE(guest.can_log_in("root", "guest", true));
}

TEST_CASE("rights: AMQPLAIN")
{
    socketless_server server;
    const auto log_in = [&](std::string_view response) {
        server_peer client(server);
        client.send(wire::protocol_header);
        static_cast<void>(client.take());
        client.send(server_peer::start_ok(server_peer::capable(), "AMQPLAIN", response));
        return client.take_text();
    };
    CHECK(log_in(engine::amqplain_response("guest", "guest")).starts_with("0 connection.tune"));
    CHECK(log_in(engine::amqplain_response("guest", "wrong")).empty());
    CHECK(log_in("no table").empty());
    CHECK(log_in("").empty());
}
