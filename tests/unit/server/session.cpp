// What a session does beside answering: order, confirmations, limits of output, memory, and its end.
#include "support/server_peer.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace leveret;
using namespace leveret::test;

namespace {

std::string published(std::string_view key, std::string_view body, std::uint16_t channel = 1,
                      bool mandatory = false)
{
    wire::basic::publish m;
    m.routing_key = key;
    m.mandatory = mandatory;
    return frame(channel, m) + content(channel, body, {}, 100'000);
}

const std::string declare_q = frame(1, wire::queue::declare{.queue = "q"});

} // namespace

TEST_CASE("session: confirmations of what came together are one frame")
{
    socketless_server server;
    server_peer client(server);
    client.open();
    client.send(frame(1, wire::confirm::select{}) + declare_q);
    static_cast<void>(client.take());
    client.send(published("q", "1") + published("q", "2") + published("q", "3"));
    CHECK(client.take_text() == "1 basic.ack delivery-tag=3 multiple\n");
    client.send(published("q", "4"));
    CHECK(client.take_text() == "1 basic.ack delivery-tag=4\n");
    // An answer on the channel comes behind them.
    client.send(published("q", "5") + published("q", "6") + frame(1, wire::basic::qos{}) +
                published("q", "7"));
    CHECK(client.take_text() ==
          "1 basic.ack delivery-tag=6 multiple\n1 basic.qos-ok\n1 basic.ack delivery-tag=7\n");
    // Refused and taken ones are told apart, in order.
    client.send(frame(
        1, wire::queue::declare{.queue = "full",
                                .arguments = {wire::encode_table(
                                    {{"x-max-length", 1}, {"x-overflow", "reject-publish"}})}}));
    static_cast<void>(client.take());
    client.send(published("full", "8") + published("full", "9") + published("full", "10") +
                published("q", "11"));
    CHECK(client.take_text() ==
          "1 basic.ack delivery-tag=8\n1 basic.nack delivery-tag=10 multiple\n"
          "1 basic.ack delivery-tag=11\n");
    // And those that were due before an error, or before the channel is closed.
    client.send(published("q", "12") + frame(1, wire::channel::close{.reply_code = 200}));
    CHECK(client.take_text() == "1 basic.ack delivery-tag=12\n1 channel.close-ok\n");
}

TEST_CASE("session: a message that is returned, then its confirmation")
{
    socketless_server server;
    server_peer client(server);
    client.open();
    client.send(frame(1, wire::confirm::select{}));
    static_cast<void>(client.take());
    client.send(published("nowhere", "body", 1, true));
    CHECK(client.take_text() ==
          "1 basic.return reply-code=312 reply-text=NO_ROUTE routing-key=nowhere\n"
          "1 header of 4\n1 body body\n1 basic.ack delivery-tag=1\n");
}

TEST_CASE("session: deliveries, whose head changes with everything that it says")
{
    socketless_server server;
    server_peer client(server);
    client.open();
    client.send(declare_q + frame(1, wire::queue::declare{.queue = "r"}) +
                frame(1, wire::basic::consume{.queue = "q", .consumer_tag = "cq"}) +
                frame(1, wire::basic::consume{.queue = "r", .consumer_tag = "cr"}));
    static_cast<void>(client.take());
    client.send(published("q", "a") + published("q", "b") + published("r", "c"));
    CHECK(
        client.take_text() ==
        "1 basic.deliver consumer-tag=cq delivery-tag=1 routing-key=q\n1 header of 1\n1 body a\n"
        "1 basic.deliver consumer-tag=cq delivery-tag=2 routing-key=q\n1 header of 1\n1 body b\n"
        "1 basic.deliver consumer-tag=cr delivery-tag=3 routing-key=r\n1 header of 1\n1 body c\n");
    client.send(frame(1, wire::basic::nack{.delivery_tag = 2, .requeue = true}));
    CHECK(client.take_text() ==
          "1 basic.deliver consumer-tag=cq delivery-tag=4 redelivered routing-key=q\n"
          "1 header of 1\n1 body b\n");
    // A consumer that takes the place of another has its own tag.
    client.send(
        frame(1, wire::basic::cancel{.consumer_tag = "cq", .no_wait = true}) +
        frame(1, wire::basic::consume{.queue = "q", .consumer_tag = "new", .no_wait = true}) +
        published("q", "d"));
    CHECK(client.take_text() == "1 basic.deliver consumer-tag=new delivery-tag=5 routing-key=q\n"
                                "1 header of 1\n1 body d\n");
    properties p;
    p.type("t");
    client.send(frame(1, wire::basic::publish{.routing_key = "q"}) + content(1, "", p));
    const std::string bytes = client.take();
    sent_frame f;
    std::string_view rest = bytes;
    rest.remove_prefix(front_frame(rest, f));
    static_cast<void>(front_frame(rest, f));
    wire::content_header h;
    REQUIRE(wire::parse_content_header(f.payload, 64, h) == protocol_errc::none);
    CHECK(h.properties.type() == "t");
    CHECK(h.body_size == 0);
}

TEST_CASE("session: what recover brings back comes behind its answer")
{
    socketless_server server;
    server_peer client(server);
    client.open();
    client.send(declare_q + frame(1, wire::basic::consume{.queue = "q", .consumer_tag = "t"}) +
                published("q", "a"));
    static_cast<void>(client.take());
    client.send(frame(1, wire::basic::recover{.requeue = true}));
    CHECK(client.take_text() ==
          "1 basic.recover-ok\n1 basic.deliver consumer-tag=t delivery-tag=2 redelivered "
          "routing-key=q\n1 header of 1\n1 body a\n");
    client.send(frame(1, wire::basic::recover_async{.requeue = true}));
    CHECK(client.take_text() ==
          "1 basic.deliver consumer-tag=t delivery-tag=3 redelivered routing-key=q\n"
          "1 header of 1\n1 body a\n");
}

TEST_CASE("session: a consumer that does not read leaves the rest in the queue")
{
    socketless_server server;
    server.bounds().output_bytes = 100'000;
    server_peer consumer(server);
    server_peer producer(server);
    consumer.open();
    producer.open();
    consumer.reads(false);
    consumer.send(declare_q + frame(1, wire::basic::consume{.queue = "q", .no_ack = true}));
    const std::string message = published("q", std::string(1000, 'x'));
    for (int i = 0; i < 1000; ++i)
        producer.send(message);
    CHECK(consumer.engine.output().size() >= 100'000);
    CHECK(consumer.engine.output().size() < 102'000);
    CHECK(server.broker().memory() > 850'000);
    consumer.reads(true); // and gets everything
    CHECK(server.broker().memory() == 0);
    CHECK(consumer.take().size() > 1'000'000);
}

TEST_CASE("session: output that nobody reads is one for all channels, each of which goes on when it is read")
{
    socketless_server server;
    server.bounds().output_bytes = 10'000;
    server_peer client(server);
    client.open();
    constexpr std::uint16_t channels = 40;
    constexpr int messages = 50;
    for (std::uint16_t n = 1; n <= channels; ++n) {
        const std::string queue = "q" + std::to_string(n);
        client.send((n == 1 ? std::string() : frame(n, wire::channel::open{})) +
                    frame(n, wire::queue::declare{.queue = queue}) +
                    frame(n, wire::queue::bind{.queue = queue, .exchange = "amq.fanout"}) +
                    frame(n, wire::basic::consume{.queue = queue, .consumer_tag = "c", .no_ack = true}));
    }
    static_cast<void>(client.take());
    client.reads(false);
    server_peer publisher(server);
    publisher.open();
    wire::basic::publish m;
    m.exchange = "amq.fanout";
    for (int i = 0; i < messages; ++i)
        publisher.send(frame(1, m) + content(1, std::string(3'000, 'x'), {}, 100'000));
    CHECK(client.engine.output().size() >= 10'000);
    CHECK(client.engine.output().size() < 14'000);
    client.reads(true);
    std::istringstream told(client.take_text());
    int got[channels + 1] = {};
    for (std::string line; std::getline(told, line);)
        if (line.find(" basic.deliver ") != std::string::npos)
            ++got[std::stoi(line)];
    for (std::uint16_t n = 1; n <= channels; ++n)
        CHECK(got[n] == messages);
    CHECK(server.broker().memory() == 0);
}

TEST_CASE("session: a client that asks and does not read is not read either")
{
    socketless_server server;
    server.bounds().output_bytes = 10'000;
    server_peer client(server);
    client.open();
    client.send(declare_q + published("q", std::string(5000, 'x')));
    static_cast<void>(client.take());
    client.reads(false);
    std::string asks;
    for (int i = 0; i < 100; ++i)
        asks +=
            frame(1, wire::basic::get{.queue = "q"}) +
            frame(1, wire::basic::nack{.multiple = true, .requeue = true}); // and it is there again
    client.send(asks);
    CHECK(client.engine.output().size() < 30'000);
    CHECK_FALSE(client.wants_input());
    client.reads(true);
    CHECK(client.wants_input());
    CHECK(client.take().size() > 500'000);
    CHECK_FALSE(client.engine.is_closed());
}

TEST_CASE("session: blocked and unblocked")
{
    broker::options o;
    o.limits.memory_high = 10'000;
    o.limits.memory_low = 5'000;
    socketless_server server(o);
    server_peer told(server);
    server_peer untold(server);
    server_peer consumer(server);
    told.open();
    untold.open(131072, 1, {});
    consumer.open();
    told.send(declare_q);
    static_cast<void>(told.take());
    for (int i = 0; i < 3; ++i)
        told.send(published("q", std::string(5000, 'x')));
    untold.send(published("q", "x"));
    CHECK(told.take_text() == "0 connection.blocked reason=low on memory\n");
    CHECK(untold.take_text().empty());
    CHECK_FALSE(told.wants_input());
    CHECK_FALSE(untold.wants_input());
    CHECK(consumer.wants_input());
    consumer.send(frame(1, wire::queue::purge{.queue = "q"}));
    CHECK(told.take_text() == "0 connection.unblocked\n");
    CHECK(untold.take_text().empty());
    CHECK(told.wants_input());
    CHECK(untold.wants_input());
}

TEST_CASE("session: the end of a client returns what it had and deletes what was its own")
{
    socketless_server server;
    server_peer other(server);
    other.open();
    other.send(declare_q + published("q", "a"));
    static_cast<void>(other.take());
    {
        server_peer client(server);
        client.open(131072, 2);
        client.send(frame(1, wire::queue::declare{.queue = "own", .exclusive = true}) +
                    frame(2, wire::basic::get{.queue = "q"}) +
                    published("q", "half").substr(0, 30));
        CHECK(client.take_text() ==
              "1 queue.declare-ok queue=own\n2 basic.get-ok delivery-tag=1 routing-key=q\n"
              "2 header of 1\n2 body a\n");
        SUBCASE("well closed")
        {
            client.send(frame(0, wire::connection::close{.reply_code = 200}));
        }
        SUBCASE("hung up") { client.hang_up(); }
        SUBCASE("destroyed") {}
    }
    other.send(frame(1, wire::queue::declare{.queue = "q", .passive = true}));
    CHECK(other.take_text() == "1 queue.declare-ok queue=q message-count=1\n");
    other.send(frame(1, wire::queue::declare{.queue = "own", .passive = true}));
    CHECK(other.take_text().starts_with("1 channel.close reply-code=404"));
}

TEST_CASE("session: the server shuts down")
{
    socketless_server server;
    server_peer client(server);
    client.open();
    client.shut_down("shutdown");
    CHECK(client.take_text() ==
          "0 connection.close reply-code=320 reply-text=CONNECTION_FORCED - broker forced "
          "connection closure with reason 'shutdown'\n");
    client.send(frame(0, wire::connection::close_ok{}));
    CHECK(client.engine.is_closed());
}

TEST_CASE("session: a client has all of its time to answer, however long nothing happened before")
{
    socketless_server server;
    server_peer client(server);
    SUBCASE("what it did wrong")
    {
        client.open();
        server.advance(
            duration::seconds(3600)); // without heartbeats nothing has to be done meanwhile
        client.send(raw_frame(9, 0, ""));
    }
    SUBCASE("that the server shuts down")
    {
        client.open();
        server.advance(duration::seconds(3600));
        client.shut_down("shutdown");
    }
    CHECK(client.engine.next_deadline() == server.now() + server.configuration().close_timeout);
    client.tick();
    CHECK_FALSE(client.engine.is_closed());
    server.advance(server.configuration().close_timeout);
    client.tick();
    CHECK(client.engine.is_closed());
}

TEST_CASE("session: the delay of a refused login begins with the login, and heartbeats with open")
{
    socketless_server server;
    server_peer client(server);
    client.send(wire::protocol_header);
    server.advance(duration::seconds(3));
    SUBCASE("refused")
    {
        client.send(server_peer::start_ok(server_peer::capable(), "PLAIN", {"\0guest\0wrong", 12}));
        CHECK(client.engine.next_deadline() == server.now() + server.configuration().refusal_delay);
    }
    SUBCASE("open")
    {
        client.send(server_peer::start_ok(server_peer::capable()) +
                    server_peer::tune_ok(2047, 131072, 10) + frame(0, wire::connection::open{}));
        CHECK(client.engine.next_deadline() == server.now() + duration::seconds(5));
    }
}

TEST_CASE("session: texts of more than 255 bytes are cut, not between the bytes of a character")
{
    socketless_server server;
    server_peer client(server);
    client.open();
    std::string name;
    while (name.size() + 2 <= 255)
        name += "\xc3\xbc";
    client.send(frame(1, wire::queue::declare{.queue = name, .passive = true}));
    const std::string bytes = client.take();
    sent_frame f;
    REQUIRE(front_frame(bytes, f) == bytes.size());
    const std::string text(f.as<wire::channel::close>().reply_text);
    CHECK(text.starts_with("NOT_FOUND - no queue '\xc3\xbc"));
    CHECK(text.ends_with("\xc3\xbc..."));
    CHECK(is_utf8(text));
}

TEST_CASE("session: limits of the broker are told with 530")
{
    broker::options o;
    o.limits.sessions = 1;
    o.limits.channels = 2;
    socketless_server server(o);
    server_peer client(server);
    client.open(131072, 2);
    CHECK(client.channel_count() == 2);
    server_peer second(server);
    second.open(131072, 0);
    CHECK(second.engine.reason() == "530 NOT_ALLOWED - connection limit (1) is reached");
    client.send(frame(3, wire::channel::open{}));
    CHECK(client.take_text() ==
          "0 connection.close reply-code=530 reply-text=NOT_ALLOWED - number of channels "
          "opened (2) has reached the negotiated channel_max (2) class-id=20 method-id=10\n");
}

TEST_CASE("session: returns that nobody reads stop the one who causes them")
{
    socketless_server server;
    server.bounds().output_bytes = 10'000;
    server_peer client(server);
    client.open();
    client.reads(false);
    const std::string message = published("nowhere", std::string(1000, 'x'), 1, true);
    std::string many;
    for (int i = 0; i < 50; ++i)
        many += message;
    client.send(many);
    CHECK_FALSE(client.wants_input()); // its link reads no more
    CHECK(client.engine.output().size() < 2 * 10'000 + 1200);
    client.reads(true);
    const std::string text = client.take_text();
    std::size_t returned = 0;
    for (std::size_t at = text.find("basic.return"); at != std::string::npos;
         at = text.find("basic.return", at + 1))
        ++returned;
    CHECK(returned == 50);
}

TEST_CASE("session: errors that nobody reads stop the one who makes them")
{
    socketless_server server;
    server.bounds().output_bytes = 10'000;
    server_peer client(server);
    client.open();
    client.reads(false);
    std::string many;
    for (int i = 0; i < 400; ++i) // opened, closed by the server, given up, and again
        many += frame(2, wire::channel::open{}) +
                frame(2, wire::queue::declare{.queue = "missing", .passive = true}) +
                frame(2, wire::channel::close_ok{});
    client.send(many);
    CHECK_FALSE(client.wants_input());
    CHECK(client.engine.output().size() < 2 * 10'000 + 300);
    CHECK(client.channel_count() <= 2);
    client.reads(true);
    static_cast<void>(client.take());
    CHECK_FALSE(client.engine.is_closed());
    CHECK(client.channel_count() == 1);
}

TEST_CASE("session: replies that nobody reads are limited for all channels of a connection together")
{
    socketless_server server;
    server_peer asker(server);
    server_peer answerer(server);
    asker.open();
    answerer.open();
    answerer.send(declare_q);
    static_cast<void>(answerer.take());
    std::vector<std::string> addresses;
    for (std::uint16_t n = 1; n <= 3; ++n) {
        properties p;
        p.reply_to("amq.rabbitmq.reply-to");
        asker.send((n == 1 ? std::string() : frame(n, wire::channel::open{})) +
                   frame(n, wire::basic::consume{.queue = "amq.rabbitmq.reply-to", .no_ack = true}) +
                   frame(n, wire::basic::publish{.routing_key = "q"}) + content(n, "ask", p));
        answerer.send(frame(1, wire::basic::get{.queue = "q", .no_ack = true}));
        const std::string got = answerer.take();
        const std::size_t at = got.find("amq.rabbitmq.reply-to.g");
        REQUIRE(at != std::string::npos);
        addresses.push_back(got.substr(at, static_cast<unsigned char>(got[at - 1])));
    }
    static_cast<void>(asker.take());
    asker.reads(false);
    const std::string megabyte(1'000'000, 'x');
    for (int i = 0; i < 40; ++i)
        for (const std::string& address : addresses)
            answerer.send(published(address, megabyte));
    const std::size_t most = server.bounds().output_bytes + broker::delivery_window::max_late_reply_bytes;
    CHECK(asker.engine.output().size() >= most);
    CHECK(asker.engine.output().size() < most + 1'010'000);
}

TEST_CASE("session: a reply address that was made up reaches nobody")
{
    socketless_server server;
    server_peer victim(server);
    server_peer forger(server);
    victim.open();
    forger.open();
    victim.send(frame(1, wire::basic::consume{.queue = "amq.rabbitmq.reply-to", .no_ack = true}) +
                declare_q);
    static_cast<void>(victim.take());
    properties p;
    p.reply_to("amq.rabbitmq.reply-to");
    victim.send(frame(1, wire::basic::publish{.routing_key = "q"}) + content(1, "ask", p));
    forger.send(frame(1, wire::basic::get{.queue = "q", .no_ack = true}));
    const std::string got = forger.take();
    const std::size_t at = got.find("amq.rabbitmq.reply-to.g");
    REQUIRE(at != std::string::npos);
    const std::string address = got.substr(at, static_cast<unsigned char>(got[at - 1]));
    for (std::size_t i = std::string_view("amq.rabbitmq.reply-to.").size(); i < address.size();
         ++i) {
        std::string forged = address;
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        forger.send(published(forged, "forged", 1, true));
    }
    forger.send(published("amq.rabbitmq.reply-to.", "forged", 1, true));
    CHECK(victim.take_text().empty());
    forger.send(published(address, "reply"));
    CHECK(victim.take_text().ends_with("1 header of 5\n1 body reply\n"));
}
