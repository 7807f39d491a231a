// Handshake, frames, content, channels.
#include "unit/server/misuse/misuse.hpp"

namespace leveret::test {

namespace {

using namespace std::string_view_literals;

const std::string_view declare_arguments = "\x00\x32\x00\x0a"sv; // queue.declare, its ids

void add_handshake(misuse_cases& all)
{
    all["handshake: garbage protocol header"] = [](misuse& m) { m.bytes("GET / HTTP/1.1\r\n"); };
    all["handshake: AMQP 0-8 header"] = [](misuse& m) { m.bytes("AMQP\x01\x01\x08\x00"sv); };
    all["handshake: AMQP 0-9 header"] = [](misuse& m) { m.bytes("AMQP\x01\x01\x00\x09"sv); };
    all["handshake: AMQP 0-10 header"] = [](misuse& m) { m.bytes("AMQP\x01\x01\x00\x0a"sv); };
    const auto login = [&](const char* name, table properties, std::string mechanism,
                           std::string response) {
        all[name] = [=](misuse& m) {
            m.up_to_start().bytes(server_peer::start_ok(properties, mechanism, response));
            m.wait(duration::seconds(3));
        };
    };
    login("handshake: wrong password, client has authentication_failure_close",
          server_peer::capable(), "PLAIN", engine::plain_response("guest", "wrong"));
    login("handshake: wrong password, client lacks authentication_failure_close", {}, "PLAIN",
          engine::plain_response("guest", "wrong"));
    login("handshake: unknown user", server_peer::capable(), "PLAIN",
          engine::plain_response("nobody", "x"));
    login("handshake: unknown SASL mechanism", server_peer::capable(), "NOSUCH", "x");
    login("handshake: malformed PLAIN response", server_peer::capable(), "PLAIN", "no zeros");
    const auto tune = [&](const char* name, std::uint16_t channels, std::uint32_t frame_max) {
        all[name] = [=](misuse& m) {
            m.up_to_tune().bytes(server_peer::tune_ok(channels, frame_max));
        };
    };
    tune("handshake: frame_max above the server value", 2047, 131073);
    tune("handshake: frame_max 0 (no limit)", 2047, 0);
    tune("handshake: frame_max below 4096", 2047, 4095);
    tune("handshake: channel_max 0 (no limit)", 0, 131072);
    all["handshake: channel.open before connection.open"] = [](misuse& m) {
        m.up_to_tune().bytes(server_peer::tune_ok()).send(wire::channel::open{});
    };
    all["handshake: connection.open before tune-ok"] = [](misuse& m) {
        m.up_to_tune().send(wire::connection::open{}, 0);
    };
    all["handshake: server tune values"] = [](misuse& m) {
        m.up_to_start().bytes(server_peer::start_ok(server_peer::capable()));
    };
}

void add_frames(misuse_cases& all)
{
    all["connection: channel.open twice"] = [](misuse& m) { m.open().send(wire::channel::open{}); };
    all["connection: method on a channel never opened"] = [](misuse& m) {
        m.open().send(wire::queue::declare{.queue = misused_queue}, 7);
    };
    all["connection: frame exactly frame_max (4088 payload) is fine"] = [](misuse& m) {
        m.open(4096).client.send(frame(1, wire::queue::declare{.queue = misused_queue}));
        static_cast<void>(m.client.take());
        m.publish({.routing_key = misused_queue}, {}, std::string(4088, 'x')).declare();
    };
    all["connection: unknown frame type 7"] = [](misuse& m) {
        m.open().bytes(raw_frame(7, 0, "abcd"));
    };
    all["connection: heartbeat frame on channel 1"] = [](misuse& m) {
        m.open().bytes(raw_frame(8, 1, ""));
    };
    all["connection: heartbeat frame with a payload"] = [](misuse& m) {
        m.open().bytes(raw_frame(8, 0, "abc"));
    };
    all["connection: unknown method 60.999"] = [](misuse& m) {
        m.open().bytes(raw_frame(1, 1, "\x00\x3c\x03\xe7"sv));
    };
    all["connection: access.request (30.10)"] = [](misuse& m) {
        m.open().send(wire::access::request{});
    };
    all["connection: server-only method sent by client (basic.deliver)"] = [](misuse& m) {
        m.open().send(wire::basic::deliver{.consumer_tag = "t"});
    };
    all["connection: connection.open on channel 1"] = [](misuse& m) {
        m.open().send(wire::connection::open{});
    };
    all["connection: connection.open twice"] = [](misuse& m) {
        m.open().send(wire::connection::open{}, 0);
    };
    all["connection: tune-ok again after open"] = [](misuse& m) {
        m.open().bytes(server_peer::tune_ok());
    };
    all["connection: truncated arguments (queue.declare)"] = [](misuse& m) {
        m.open().bytes(
            raw_frame(1, 1, std::string(declare_arguments) + std::string("\0\0 abc", 6)));
    };
    all["connection: argument table with unknown field type"] = [](misuse& m) {
        const std::string table("\0\0\0\x03\x01kZ", 7);
        m.open().bytes(raw_frame(
            1, 1, std::string(declare_arguments) + std::string("\0\0\x05mis.q\0", 9) + table));
    };
    all["connection: argument table length past the frame"] = [](misuse& m) {
        m.open().bytes(raw_frame(1, 1,
                                 std::string(declare_arguments) +
                                     std::string("\0\0\x05mis.q\0\0\0\x0f\xa0\x01k", 15)));
    };
}

void add_content(misuse_cases& all)
{
    const std::string publish = frame(1, wire::basic::publish{.routing_key = misused_queue});
    all["content: header frame without a method"] = [](misuse& m) {
        m.open().bytes(header_frame(1, 1));
    };
    all["content: body frame without a header"] = [](misuse& m) {
        m.open().bytes(body_frame(1, "x"));
    };
    all["content: method in the middle of content"] = [=](misuse& m) {
        m.open().bytes(publish).send(wire::basic::qos{});
    };
    all["content: method between header and body"] = [=](misuse& m) {
        m.open().bytes(publish + header_frame(1, 1)).send(wire::basic::qos{});
    };
    all["content: header for the wrong class"] = [=](misuse& m) {
        std::string header = header_frame(1, 1);
        header[8] = 10;
        m.open().bytes(publish + header);
    };
    all["content: zero-length body frame in the middle"] = [=](misuse& m) {
        m.open().declare();
        m.bytes(publish + header_frame(1, 2) + body_frame(1, "a") + body_frame(1, "") +
                body_frame(1, "b"));
        m.declare();
    };
    all["content: header weight not 0"] = [=](misuse& m) {
        std::string header = header_frame(1, 1);
        header[10] = 1;
        m.open().bytes(publish + header + body_frame(1, "x"));
    };
    all["content: property flags with reserved low bits"] = [=](misuse& m) {
        std::string header = header_frame(1, 1);
        header[20] = 3;
        m.open().bytes(publish + header + body_frame(1, "x"));
    };
    all["content: truncated properties"] = [=](misuse& m) {
        std::string payload(14, '\0');
        payload[1] = 60;
        payload[12] = static_cast<char>(0x80); // content-type, which does not follow
        m.open().bytes(publish + raw_frame(2, 1, payload));
    };
}

void add_channels(misuse_cases& all)
{
    all["channel: method after channel.close-ok (not reopened)"] = [](misuse& m) {
        m.open().send(wire::channel::close{.reply_code = 200}).declare();
    };
    all["channel: close, then reopen the same number"] = [](misuse& m) {
        m.open().send(wire::channel::close{.reply_code = 200}).send(wire::channel::open{});
    };
    all["channel: flow active=false"] = [](misuse& m) {
        m.open().send(wire::channel::flow{.active = false});
    };
    all["channel: flow active=true"] = [](misuse& m) {
        m.open().send(wire::channel::flow{.active = true});
    };
    all["channel: channel.close-ok nobody asked for"] = [](misuse& m) {
        m.open().send(wire::channel::close_ok{});
    };
}

} // namespace

void add_connection_cases(misuse_cases& all)
{
    add_handshake(all);
    add_frames(all);
    add_content(all);
    add_channels(all);
}

} // namespace leveret::test
