// What hostile and broken clients send to the server's engine, beside what RabbitMQ was seen to answer
// (tests/unit/server/misuse): it ends with the right code, at once, and nothing grows by it.
#include "engine/server_script.hpp"
#include "support/allocated.hpp"

using namespace leveret;
using namespace leveret::test;
using namespace std::string_view_literals;

namespace {

const std::string publish = frame(1, wire::basic::publish{.exchange = "x", .routing_key = "k"});

/// A table in a table in a table.
std::string nested(int depth)
{
    std::string t;
    for (int i = 0; i < depth; ++i) {
        char size[4];
        wire::store_be(size, static_cast<std::uint32_t>(t.size()));
        t = "\x01tF" + std::string(size, 4) + t;
    }
    return t;
}

std::string start_ok_with(std::string_view properties)
{
    wire::connection::start_ok m;
    m.client_properties = {properties};
    m.mechanism = "PLAIN"sv;
    m.response = "\0guest\0guest"sv;
    return frame(0, m);
}

} // namespace

SERVER_SCRIPT("hostile: other protocols")
{
    SUBCASE("TLS") { t.give("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv); }
    SUBCASE("HTTP/2") { t.give("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); }
    SUBCASE("AMQP 1.0") { t.give("AMQP\0\1\0\0"sv); }
    SUBCASE("AMQP 1.0 with SASL") { t.give("AMQP\3\1\0\0"sv); }
    SUBCASE("MQTT") { t.give("\x10\x10\0\4MQTT\4\2\0\x3c\0\4abcd"sv); }
    t.expect("protocol header\n");
    CHECK(t.connection().is_closed());
}

SERVER_SCRIPT("hostile: tables 650 deep, before the login and after it")
{
    const std::string deep = nested(650);
    SUBCASE("before")
    {
        t.give(wire::protocol_header);
        static_cast<void>(t.take());
        t.give(start_ok_with(deep));
    }
    SUBCASE("after")
    {
        t.open();
        t.open_channel();
        t.give(frame(1, wire::queue::declare{.queue = "q", .arguments = {deep}}));
    }
    SUBCASE("in a message")
    {
        t.open();
        t.open_channel();
        std::string header(
            "\0\x3c\0\0\0\0\0\0\0\0\0\1\x20\0"sv); // headers, and a body of one octet
        char size[4];
        wire::store_be(size, static_cast<std::uint32_t>(deep.size()));
        header += std::string(size, 4) + deep;
        t.give(publish + raw_frame(2, 1, header) + body_frame(1, "x"));
    }
    CHECK(text_of_frames(t.take()).starts_with("0 connection.close reply-code=501"));
    t.expect_events(t.connection().is_open() ? "open" : "closed " + t.connection().reason() + "\n");
}

SERVER_SCRIPT("hostile: sizes in the handshake that are only announced")
{
    t.give(wire::protocol_header);
    static_cast<void>(t.take());
    const allocation_watch memory;
    SUBCASE("2^32 - 1") { t.give("\x01\0\0\xff\xff\xff\xff"sv); }
    SUBCASE("2^31 - 1") { t.give("\x01\0\0\x7f\xff\xff\xff"sv); }
    SUBCASE("a little more than 8192") { t.give("\x01\0\0\0\0\x20\x01"sv); }
    CHECK(text_of_frames(t.take()).starts_with("0 connection.close reply-code=501"));
    CHECK(memory.grown() < 100'000);
}

SERVER_SCRIPT("hostile: methods on the wrong kind of channel")
{
    t.open();
    SUBCASE("of a channel on 0")
    {
        t.give(frame(0, wire::queue::declare{.queue = "q"}));
        t.expect(
            "0 connection.close reply-code=503 reply-text=COMMAND_INVALID - method of a channel on "
            "channel 0 class-id=50 method-id=10\n");
    }
    SUBCASE("opening channel 0")
    {
        t.give(frame(0, wire::channel::open{}));
        CHECK(text_of_frames(t.take()).starts_with("0 connection.close reply-code=503"));
    }
    SUBCASE("a class that there is not")
    {
        t.open_channel();
        t.give(raw_frame(1, 1, "\0\x63\0\1"sv));
        t.expect(
            "0 connection.close reply-code=503 reply-text=COMMAND_INVALID - unimplemented method "
            "class-id=99 method-id=1\n");
    }
    SUBCASE("the last channel that there can be")
    {
        t.give(frame(65535, wire::basic::qos{}));
        CHECK(text_of_frames(t.take()).starts_with("0 connection.close reply-code=504"));
    }
    t.expect_events("closed " + t.connection().reason() + "\n");
}

SERVER_SCRIPT("hostile: property flags without end")
{
    t.open();
    t.open_channel();
    std::string header("\0\x3c\0\0\0\0\0\0\0\0\0\1"sv);
    while (header.size() + 2 <= 131064)
        header += "\0\1"sv; // another word follows
    const std::string bytes = publish + raw_frame(2, 1, header);
    const allocation_watch memory;
    t.give(bytes);
    CHECK(memory.grown() < 1'000'000); // read blocks
    CHECK(text_of_frames(t.take()).starts_with("0 connection.close reply-code=501"));
}

SERVER_SCRIPT("hostile: frames without anything in them")
{
    t.open();
    t.open_channel();
    t.give(publish + header_frame(1, 1));
    std::string bytes;
    for (int i = 0; i < 10'000; ++i)
        bytes += body_frame(1, "");
    const allocation_watch memory;
    t.give(bytes);
    CHECK(memory.grown() < 200'000);
    t.expect_events("");
    t.give(body_frame(1, "x"));
    t.expect_events("1 publish x/k x\n");
    // One more frame than the message has.
    t.give(body_frame(1, ""));
    CHECK(text_of_frames(t.take()).starts_with("0 connection.close reply-code=505"));
}

SERVER_SCRIPT("hostile: after our close the client may say what it likes, until its time is up")
{
    t.open();
    t.open_channel();
    t.give(raw_frame(7, 0, ""));
    CHECK(text_of_frames(t.take()).starts_with("0 connection.close reply-code=501"));
    t.expect_events("closed " + t.connection().reason() + "\n");
    const allocation_watch memory;
    for (int i = 0; i < 100; ++i)
        t.give(publish + content(1, std::string(1000, 'x')) + frame(2, wire::channel::open{}));
    t.pass(duration::milliseconds(4999));
    t.expect("");
    t.expect_events("");
    CHECK(memory.grown() < 200'000);
    CHECK_FALSE(t.connection().is_closed());
    t.pass(duration::milliseconds(1));
    CHECK(t.connection().is_closed());
}

SERVER_SCRIPT("hostile: half messages on every channel, and what goes with them")
{
    t.open();
    const allocation_watch memory;
    for (int round = 0; round < 3; ++round) {
        for (std::uint16_t n = 1; n <= 100; ++n) {
            t.open_channel(n);
            t.give(frame(n, wire::basic::publish{}) + header_frame(n, std::uint64_t{1} << 26U) +
                   body_frame(n, std::string(3000, 'x')));
        }
        CHECK(memory.grown() <
              30'000'000); // what came, and room for little more, not what was announced
        for (std::uint16_t n = 1; n <= 100; ++n)
            t.connection().close_channel(*t.channel_of(n), reply_code::precondition_failed, "no",
                                         {});
        for (std::uint16_t n = 1; n <= 100; ++n)
            t.give(frame(n, wire::channel::close_ok{}));
        static_cast<void>(t.take());
    }
    t.connection().release_spare();
    CHECK(memory.grown() < 100'000);
}
