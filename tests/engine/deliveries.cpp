#include "engine/script.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace lv = leveret;
namespace wire = leveret::wire;
using leveret::engine::client_config;
using leveret::test::body_frame;
using leveret::test::delivery_frames;
using leveret::test::frame;
using leveret::test::header_frame;
using leveret::test::raw_frame;
using leveret::test::script;

namespace {

std::string deliver(std::uint16_t channel, std::uint64_t tag)
{
    wire::basic::deliver m;
    m.consumer_tag = "c";
    m.delivery_tag = tag;
    return frame(channel, m);
}
/// A body that shows where a byte of it was lost or written twice.
std::string pattern(std::size_t size)
{
    std::string s(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        s[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
    return s;
}
void check_violation(script& t, lv::protocol_errc e, std::string_view told)
{
    CHECK(t.client().reason().code == e);
    t.expect({told});
    t.forget_events();
}

} // namespace

ENGINE_SCRIPT("delivery: method, header and body")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(delivery_frames(1, "c", 1, "hello") + delivery_frames(1, "c", 2, ""));
    t.expect_events({"delivery 1 #1 hello", "delivery 1 #2 "});
}

ENGINE_SCRIPT("delivery: a body in many frames")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(deliver(1, 1) + header_frame(1, 6) + body_frame(1, "a") + body_frame(1, "") +
           body_frame(1, "bcd") + wire::heartbeat_frame.data()[0]);
    t.give(wire::heartbeat_frame.substr(1));
    t.give(body_frame(1, "ef"));
    t.expect_events({"delivery 1 #1 abcdef"});
}

ENGINE_SCRIPT("delivery: messages of two channels between each other")
{
    t.open();
    static_cast<void>(t.open_channel());
    static_cast<void>(t.open_channel());
    t.give(deliver(1, 1) + deliver(2, 1) + header_frame(2, 4) + header_frame(1, 4) +
           body_frame(1, "on") + body_frame(2, "tw"));
    t.give(body_frame(2, "o2") + body_frame(1, "e1"));
    t.expect_events({"delivery 2 #1 two2", "delivery 1 #1 one1"});
}

ENGINE_SCRIPT("delivery: properties stay with it across reads")
{
    t.open();
    static_cast<void>(t.open_channel());
    lv::properties p;
    p.content_type("text/plain").correlation_id("abc").header("x", std::int64_t{5}).delivery_mode(2);
    for (std::uint64_t tag = 1; tag <= 5; ++tag)
        t.give(delivery_frames(1, "c", tag, pattern(3000 * tag), p));
    t.expect_events({"delivery 1 #1 3000 bytes", "delivery 1 #2 6000 bytes", "delivery 1 #3 9000 bytes",
                     "delivery 1 #4 12000 bytes", "delivery 1 #5 15000 bytes"});
}

ENGINE_SCRIPT("delivery: bodies larger than the read block, held while more comes")
{
    t.open();
    static_cast<void>(t.open_channel());
    wire::basic::deliver m;
    m.delivery_tag = 1;
    const std::string large = pattern(200'000);
    t.give(frame(1, m) + lv::test::content(1, large, {}, 131072 - 8));
    m.delivery_tag = 2;
    t.give(frame(1, m) + lv::test::content(1, large, {}, 50'000));
    t.give(delivery_frames(1, "c", 3, "small"));
    t.expect_events({"delivery 1 #1 200000 bytes", "delivery 1 #2 200000 bytes", "delivery 1 #3 small"});
}

ENGINE_SCRIPT("delivery: the limit on unfinished messages counts what is unfinished")
{
    client_config config;
    config.limits.assembly_bytes = 100'000;
    t.open(config);
    static_cast<void>(t.open_channel());
    // Far more than the limit, but one after the other, each in pieces that the reads cut anywhere.
    for (std::uint64_t tag = 1; tag <= 40; ++tag) {
        const std::string message = delivery_frames(1, "c", tag, pattern(20'000));
        t.give(std::string_view(message).substr(0, 30 + tag));
        t.give(std::string_view(message).substr(30 + tag));
    }
    CHECK(t.client().is_open());
    t.forget_events();
}

ENGINE_SCRIPT("delivery: unfinished messages above the limit")
{
    client_config config;
    config.limits.assembly_bytes = 30'000;
    t.open(config);
    static_cast<void>(t.open_channel());
    static_cast<void>(t.open_channel());
    t.give(deliver(1, 1) + header_frame(1, 14'000) + body_frame(1, std::string(1'000, 'x')));
    t.give(deliver(2, 1) + header_frame(2, 14'000) + body_frame(2, std::string(1'000, 'x')));
    CHECK(t.client().is_open());
    // Dropped by closing its channel, the first counts no more.
    t.give(lv::test::channel_close_frame(1, 320, "CONNECTION_FORCED"));
    auto& op = t.start_opening(t.new_channel());
    static_cast<void>(t.take_output());
    t.give(frame(3, wire::channel::open_ok{}));
    CHECK(op.is_done());
    t.give(deliver(3, 1) + header_frame(3, 14'000) + body_frame(3, std::string(1'000, 'x')));
    CHECK(t.client().is_open());
    auto& last = t.start_opening(t.new_channel());
    static_cast<void>(t.take_output());
    t.give(frame(4, wire::channel::open_ok{}));
    CHECK(last.is_done());
    t.give(deliver(4, 1) + header_frame(4, 14'000) + body_frame(4, std::string(1'000, 'x')));
    CHECK(t.client().reason().code == lv::protocol_errc::assembly_limit);
    static_cast<void>(t.take_output());
    t.forget_events();
}

ENGINE_SCRIPT("delivery: announced larger than the limit")
{
    client_config config;
    config.limits.message_size = 1000;
    t.open(config);
    static_cast<void>(t.open_channel());
    t.give(delivery_frames(1, "c", 1, pattern(1000)));
    t.expect_events({"delivery 1 #1 1000 bytes"});
    t.give(deliver(1, 2) + header_frame(1, 1001));
    check_violation(t, lv::protocol_errc::message_too_large,
                    "0 connection.close reply-code=311 reply-text=from the server: a message is larger "
                    "than the limit class-id=60 method-id=60");
}

ENGINE_SCRIPT("delivery: announced with 2^63 and 2^64-1 bytes")
{
    for (const std::uint64_t size : {std::uint64_t{1} << 63U, ~std::uint64_t{0}}) {
        script one(lv::test::script_mode{});
        one.open();
        static_cast<void>(one.open_channel());
        one.give(deliver(1, 1) + header_frame(1, size));
        CHECK(one.client().reason().code == lv::protocol_errc::message_too_large);
        static_cast<void>(one.take_output());
        one.forget_events();
    }
}

ENGINE_SCRIPT("delivery: more body than announced")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(deliver(1, 1) + header_frame(1, 3) + body_frame(1, "ab") + body_frame(1, "cd"));
    check_violation(t, lv::protocol_errc::body_too_long,
                    "0 connection.close reply-code=501 reply-text=from the server: a message body is "
                    "longer than announced class-id=60 method-id=60");
}

ENGINE_SCRIPT("delivery: a body frame behind an empty message")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(delivery_frames(1, "c", 1, "") + body_frame(1, ""));
    CHECK(t.client().reason().code == lv::protocol_errc::unexpected_frame);
    static_cast<void>(t.take_output());
    t.forget_events();
}

ENGINE_SCRIPT("delivery: a header without a method")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(header_frame(1, 3));
    check_violation(t, lv::protocol_errc::unexpected_frame,
                    "0 connection.close reply-code=505 reply-text=from the server: a frame is out of "
                    "order");
}

ENGINE_SCRIPT("delivery: a body without a header")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(deliver(1, 1) + body_frame(1, "abc"));
    check_violation(t, lv::protocol_errc::unexpected_frame,
                    "0 connection.close reply-code=505 reply-text=from the server: a frame is out of "
                    "order class-id=60 method-id=60");
}

ENGINE_SCRIPT("delivery: two methods in a row")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(deliver(1, 1) + deliver(1, 2));
    check_violation(t, lv::protocol_errc::unexpected_frame,
                    "0 connection.close reply-code=505 reply-text=a method in the middle of a message "
                    "class-id=60 method-id=60");
}

ENGINE_SCRIPT("delivery: two headers in a row")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(deliver(1, 1) + header_frame(1, 3) + header_frame(1, 3));
    CHECK(t.client().reason().code == lv::protocol_errc::unexpected_frame);
    static_cast<void>(t.take_output());
    t.forget_events();
}

ENGINE_SCRIPT("delivery: an answer in the middle of a message")
{
    t.open();
    auto& channel = t.open_channel();
    auto& op = t.request(channel, wire::basic::qos{}, wire::basic::qos_ok::id);
    t.give(deliver(1, 1) + header_frame(1, 3) + frame(1, wire::basic::qos_ok{}));
    CHECK(op.reason().code == lv::protocol_errc::unexpected_frame);
    static_cast<void>(t.take_output());
    t.forget_events();
}

ENGINE_SCRIPT("delivery: a header of class 50")
{
    t.open();
    static_cast<void>(t.open_channel());
    std::string header = header_frame(1, 3);
    header[8] = 50;
    t.give(deliver(1, 1) + header);
    check_violation(t, lv::protocol_errc::header_class,
                    "0 connection.close reply-code=505 reply-text=from the server: a content header has "
                    "the wrong class class-id=60 method-id=60");
}

ENGINE_SCRIPT("delivery: all property flags and no values")
{
    t.open();
    static_cast<void>(t.open_channel());
    std::string header = header_frame(1, 3);
    header[19] = '\xff';
    header[20] = '\xfc';
    t.give(deliver(1, 1) + header);
    check_violation(t, lv::protocol_errc::malformed_header,
                    "0 connection.close reply-code=502 reply-text=from the server: a content header is "
                    "malformed class-id=60 method-id=60");
}

ENGINE_SCRIPT("content on channel 0, and a heartbeat on channel 1")
{
    t.open();
    script other(lv::test::script_mode{});
    other.open();
    static_cast<void>(other.open_channel());
    other.give(raw_frame(8, 1, ""));
    CHECK(other.client().reason().code == lv::protocol_errc::unexpected_frame);
    static_cast<void>(other.take_output());
    other.forget_events();
    t.give(header_frame(0, 3));
    CHECK(t.client().reason().code == lv::protocol_errc::channel_number);
    static_cast<void>(t.take_output());
    t.forget_events();
}

ENGINE_SCRIPT("returned: a message that was published without confirmation")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(lv::test::return_frames(1, "nowhere", "back"));
    t.expect_events({"returned 1 back"});
}

ENGINE_SCRIPT("flow: the server stops and resumes a channel, and is answered")
{
    t.open();
    auto& channel = t.open_channel();
    wire::channel::flow m;
    t.give(frame(1, m));
    CHECK_FALSE(channel.flow_active());
    t.expect({"1 channel.flow-ok"});
    t.expect_events({"flow 1 off"});
    m.active = true;
    t.give(frame(1, m));
    CHECK(channel.flow_active());
    t.expect({"1 channel.flow-ok active"});
    t.expect_events({"flow 1 on"});
}

ENGINE_SCRIPT("blocked and unblocked")
{
    t.open();
    wire::connection::blocked m;
    m.reason = "low on memory";
    t.give(frame(0, m));
    CHECK(t.client().is_blocked());
    t.expect_events({"blocked low on memory"});
    t.give(frame(0, m) + frame(0, wire::connection::unblocked{}));
    CHECK_FALSE(t.client().is_blocked());
    t.expect_events({"blocked low on memory", "unblocked"});
}

ENGINE_SCRIPT("methods that a server must not send, and ones that do not exist")
{
    t.open();
    const struct {
        std::string bytes;
        lv::protocol_errc error;
    } cases[] = {
        {frame(0, wire::connection::secure{}), lv::protocol_errc::unexpected_method},
        {frame(0, wire::connection::open_ok{}), lv::protocol_errc::unexpected_method},
        {frame(0, wire::connection::close_ok{}), lv::protocol_errc::unexpected_method},
        {frame(0, wire::channel::open_ok{}), lv::protocol_errc::unexpected_method},
        {raw_frame(1, 0, std::string_view("\0\x0a\0\x2a", 4)), lv::protocol_errc::unknown_method},
        {raw_frame(1, 1, std::string_view("\0\x63\0\x01", 4)), lv::protocol_errc::unknown_method},
        {raw_frame(1, 1, ""), lv::protocol_errc::malformed_arguments},
        {raw_frame(1, 1, std::string_view("\0\x3c\0", 3)), lv::protocol_errc::malformed_arguments},
        {frame(1, wire::channel::close_ok{}), lv::protocol_errc::unexpected_method},
        {frame(1, wire::basic::publish{}), lv::protocol_errc::unexpected_method},
        {frame(1, wire::basic::ack{}), lv::protocol_errc::unexpected_method},
        {frame(1, wire::connection::start{}), lv::protocol_errc::unexpected_method},
    };
    for (const auto& c : cases) {
        CAPTURE(lv::test::text_of_frames(c.bytes));
        script one(lv::test::script_mode{});
        one.open();
        static_cast<void>(one.open_channel());
        one.give(c.bytes);
        CHECK(one.client().reason().code == c.error);
        static_cast<void>(one.take_output());
        one.forget_events();
    }
}
