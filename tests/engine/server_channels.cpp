#include "engine/server_script.hpp"

using namespace leveret;
using namespace leveret::test;
using namespace std::string_view_literals;

namespace {
const std::string publish = frame(1, wire::basic::publish{.exchange = "x", .routing_key = "k"});
}

SERVER_SCRIPT("server: channels are opened, asked and closed")
{
    t.open();
    t.give(frame(3, wire::channel::open{}) + frame(3, wire::queue::declare{.queue = "q"}) +
           frame(3, wire::basic::ack{.delivery_tag = 1}) +
           frame(3, wire::channel::close{.reply_code = 200}));
    t.expect_events("3 opening\n3 queue.declare\n3 basic.ack\n3 closing\n");
    t.expect("3 channel.open-ok\n3 channel.close-ok\n");
    t.open_channel(3); // the number is free again
    CHECK(t.channel_of(3) != nullptr);
}

SERVER_SCRIPT("server: what is sent on a channel that we closed is ignored until close-ok")
{
    t.open();
    t.open_channel();
    t.connection().close_channel(*t.channel_of(1), reply_code::not_found, "NOT_FOUND - no",
                                 {50, 10});
    t.expect("1 channel.close reply-code=404 reply-text=NOT_FOUND - no class-id=50 method-id=10\n");
    t.give(publish + content(1, "body") + frame(1, wire::queue::declare{}) +
           body_frame(1, "stray"));
    t.expect_events("");
    t.give(frame(1, wire::channel::close_ok{}));
    t.give(frame(1, wire::channel::open{}));
    t.expect("1 channel.open-ok\n");
}

SERVER_SCRIPT("server: both close a channel at once")
{
    t.open();
    t.open_channel();
    t.connection().close_channel(*t.channel_of(1), reply_code::not_found, "no", {});
    static_cast<void>(t.take());
    t.give(frame(1, wire::channel::close{.reply_code = 200}));
    t.expect("1 channel.close-ok\n");
    t.give(frame(1, wire::channel::open{}));
    t.expect("0 connection.close reply-code=504 reply-text=CHANNEL_ERROR - second 'channel.open' "
             "seen class-id=20 "
             "method-id=10\n");
}

SERVER_SCRIPT("server: a channel above channel_max")
{
    t.open(131072, 0, 10);
    t.give(frame(10, wire::channel::open{}));
    t.expect("10 channel.open-ok\n");
    t.give(frame(11, wire::channel::open{}));
    t.expect("0 connection.close reply-code=504 reply-text=CHANNEL_ERROR - channel 11 is above the "
             "negotiated "
             "channel_max (10) class-id=20 method-id=10\n");
    t.expect_events("10 opening\nclosed 504 CHANNEL_ERROR - channel 11 is above the negotiated "
                    "channel_max (10)\n");
}

SERVER_SCRIPT("server: messages, whole and in pieces, on two channels at once")
{
    t.open(4096);
    t.open_channel(1);
    t.open_channel(2);
    t.give(publish + content(1, "small"));
    t.expect_events("1 publish x/k small\n");
    t.give(publish + content(1, ""));
    t.expect_events("1 publish x/k \n");
    const std::string large(10'000, 'l');
    const std::string one = content(1, large, properties().type("large"));
    t.give(publish + one.substr(0, 5000));
    t.give(frame(
        2, wire::basic::publish{.routing_key = "other", .mandatory = true, .immediate = true}));
    t.expect_events("");
}

SERVER_SCRIPT("server: messages in pieces on two channels at once")
{
    t.open(4096);
    t.open_channel(1);
    t.open_channel(2);
    t.give(publish + header_frame(1, 8, properties().type("one")) + body_frame(1, "1111"));
    t.give(frame(
        2, wire::basic::publish{.routing_key = "other", .mandatory = true, .immediate = true}));
    t.give(header_frame(2, 6) + body_frame(2, "222"));
    t.give(body_frame(1, "") + body_frame(1, "1112"));
    t.give(body_frame(2, "223"));
    t.expect_events(
        "1 publish x/k type=one 11111112\n2 publish /other mandatory immediate 222223\n");
}

SERVER_SCRIPT("server: messages that differ from the one before in one thing alone")
{
    t.open();
    t.open_channel(1);
    t.open_channel(2);
    const auto message = [](std::uint16_t n, std::string_view exchange, std::string_view key,
                            bool mandatory, std::string_view type, std::string_view body) {
        properties p;
        if (!type.empty())
            p.type(type);
        return frame(n, wire::basic::publish{.exchange = exchange,
                                             .routing_key = key,
                                             .mandatory = mandatory}) +
               content(n, body, p);
    };
    t.give(message(1, "x", "k", false, "", "1") + message(1, "x", "k", false, "", "2") +
           message(1, "y", "k", false, "", "3") + message(1, "y", "l", false, "", "4") +
           message(1, "y", "l", true, "", "5") + message(1, "y", "l", true, "t", "6") +
           message(1, "y", "l", true, "t", "7") + message(1, "y", "l", true, "u", "8") +
           message(2, "y", "l", true, "u", "9") + message(2, "y", "l", true, "u", "longer") +
           message(2, "y", "l", true, "u", "") + message(2, "y", "l", true, "u", "10") +
           message(2, "y", "l", true, "u", "11") + message(2, "y", "l", false, "", "12"));
    t.expect_events("1 publish x/k 1\n1 publish x/k 2\n1 publish y/k 3\n1 publish y/l 4\n"
                    "1 publish y/l mandatory 5\n1 publish y/l mandatory type=t 6\n"
                    "1 publish y/l mandatory type=t 7\n1 publish y/l mandatory type=u 8\n"
                    "2 publish y/l mandatory type=u 9\n2 publish y/l mandatory type=u longer\n"
                    "2 publish y/l mandatory type=u \n2 publish y/l mandatory type=u 10\n"
                    "2 publish y/l mandatory type=u 11\n2 publish y/l 12\n");
    // The channel of the one before is closed, or has begun another message.
    const std::string same = message(2, "y", "l", false, "", "12");
    t.give(frame(2, wire::basic::publish{.routing_key = "begun"}));
    t.give(same);
    t.expect("0 connection.close reply-code=505 reply-text=UNEXPECTED_FRAME - expected content "
             "header for class "
             "60, got non content header frame instead class-id=60 method-id=40\n");
}

SERVER_SCRIPT("server: a message like the one before, on a channel that was closed since")
{
    t.open();
    t.open_channel();
    t.give(publish + content(1, "a"));
    t.connection().close_channel(*t.channel_of(1), reply_code::not_found, "no", {});
    t.give(publish + content(1, "b"));
    t.expect_events("1 publish x/k a\n");
}

SERVER_SCRIPT("server: a body of many frames")
{
    t.open(4096);
    t.open_channel();
    const std::string large(100'000, 'l');
    t.give(publish + content(1, large));
    t.expect_events("1 publish x/k 100000 bytes\n");
}

SERVER_SCRIPT("server: a body longer than announced is refused at once")
{
    t.open();
    t.open_channel();
    t.give(publish + header_frame(1, 3) + body_frame(1, "long"));
    t.expect("0 connection.close reply-code=501 reply-text=FRAME_ERROR - message body is longer "
             "than its header "
             "announced class-id=60 method-id=40\n");
}

SERVER_SCRIPT("server: a message above the limit is refused at its header")
{
    t.config.limits.message_size = 1000;
    t.open();
    t.open_channel();
    t.give(publish + header_frame(1, 1000));
    t.expect_events("");
    t.give(body_frame(1, std::string(1000, 'x')));
    t.expect_events("1 publish x/k 1000 bytes\n");
    t.give(publish + header_frame(1, std::uint64_t{1} << 63U));
    t.expect_events("1 too large 9223372036854775808\n");
    t.connection().close_channel(*t.channel_of(1), reply_code::precondition_failed, "no", {});
    static_cast<void>(t.take());
    t.give(body_frame(1, "ignored"));
    t.expect("");
}

SERVER_SCRIPT("server: unfinished messages are limited together")
{
    t.config.limits.assembly_bytes = 350'000;
    t.open();
    for (std::uint16_t n = 1; n <= 4; ++n) {
        t.open_channel(n);
        t.give(frame(n, wire::basic::publish{}) + header_frame(n, 100'000) +
               body_frame(n, "begun"));
    }
    CHECK(text_of_frames(t.take()).starts_with(
        "0 connection.close reply-code=506 reply-text=RESOURCE_ERROR"));
}

SERVER_SCRIPT("server: names must be UTF-8, also of messages")
{
    t.open();
    t.open_channel();
    t.give(frame(1, wire::basic::publish{.routing_key = "gr\xc3\xbc\xc3\x9f dich"}) +
           content(1, "x"));
    t.expect_events("1 publish /gr\xc3\xbc\xc3\x9f dich x\n");
    t.give(frame(1, wire::basic::publish{.routing_key = "bad \xff"}) + content(1, "x"));
    t.expect(
        "0 connection.close reply-code=501 reply-text=FRAME_ERROR - Malformed UTF-8 in shortstr\n");
}

SERVER_SCRIPT("server: frames that are no frames")
{
    t.open(4096);
    t.open_channel();
    SUBCASE("a wrong end")
    {
        t.give(raw_frame(1, 1, "\0\x14\0\x0a\0"sv, 0));
        t.expect("0 connection.close reply-code=501 reply-text=FRAME_ERROR - type 1, all octets = "
                 "<<0,20,0,10,0>>: {invalid_frame_end_marker,0}\n");
    }
    SUBCASE("too large, seen at its head")
    {
        t.give("\x03\0\x01\0\0\x20\0"sv);
        t.expect(
            "0 connection.close reply-code=501 reply-text=FRAME_ERROR - type 3, all octets = <<>>: "
            "{frame_too_large,8192,4088}\n");
    }
    SUBCASE("a method of three bytes")
    {
        t.give(raw_frame(1, 1, "abc"));
        t.expect("0 connection.close reply-code=501 reply-text=FRAME_ERROR - cannot decode "
                 "<<\"abc\">>\n");
    }
    t.give(frame(0, wire::connection::close_ok{}));
    t.pass(duration::seconds(5));
    CHECK(t.connection().is_closed());
}

SERVER_SCRIPT("server: heartbeats both ways")
{
    t.open(131072, 10);
    t.pass(duration::seconds(5)); // something was sent and received before
    t.expect("");
    t.pass(duration::seconds(5));
    t.expect("heartbeat\n");
    t.give(wire::heartbeat_frame);
    for (int i = 0; i < 4; ++i) {
        t.pass(duration::seconds(5));
        t.expect("heartbeat\n");
    }
    CHECK_FALSE(t.connection().is_closed());
    t.pass(duration::seconds(5));
    t.expect_events("closed missed heartbeats from client, timeout: 10s\n");
    CHECK(t.connection().is_closed());
}

SERVER_SCRIPT("server: silence while we don't read is nobody's fault")
{
    t.open(131072, 10);
    for (int i = 0; i < 20; ++i)
        t.pass(duration::seconds(5), true);
    CHECK_FALSE(t.connection().is_closed());
}
