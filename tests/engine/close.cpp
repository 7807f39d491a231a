#include "engine/script.hpp"

#include <string>

namespace lv = leveret;
namespace wire = leveret::wire;
using leveret::test::connection_close_frame;
using leveret::test::frame;
using leveret::test::raw_frame;
using leveret::test::script;
using state = leveret::engine::client::state;

namespace {

constexpr const char* closed_by_us = "closed: the connection is closed";

void close(script& t, lv::duration timeout = lv::duration::seconds(5))
{
    t.client().close(lv::reply_code::success, "bye", t.now() + timeout);
    t.pull();
}

} // namespace

ENGINE_SCRIPT("connection.close: ours, answered")
{
    t.open();
    close(t);
    CHECK(t.client().current_state() == state::closing);
    t.expect({"0 connection.close reply-code=200 reply-text=bye"});
    t.expect_events({closed_by_us}); // for its users it is over at once
    t.give(frame(0, wire::connection::close_ok{}));
    CHECK(t.client().current_state() == state::closed);
    CHECK(t.client().next_deadline() == lv::instant::never());
}

ENGINE_SCRIPT("connection.close: ours, never answered")
{
    t.open();
    close(t, lv::duration::milliseconds(700));
    static_cast<void>(t.take_output());
    t.forget_events();
    t.advance(lv::duration::milliseconds(699));
    CHECK(t.client().current_state() == state::closing);
    t.advance(lv::duration::milliseconds(1));
    CHECK(t.client().current_state() == state::closed);
}

ENGINE_SCRIPT("connection.close: ours, and the server just closes the socket")
{
    t.open();
    close(t);
    static_cast<void>(t.take_output());
    t.forget_events();
    t.client().input_ended(std::make_error_code(std::errc::connection_reset), "the socket broke");
    t.pull();
    CHECK(t.client().current_state() == state::closed);
    CHECK(t.client().reason().code == lv::errc::connection_closed);
}

ENGINE_SCRIPT("connection.close: ours, twice")
{
    t.open();
    close(t);
    close(t);
    t.expect({"0 connection.close reply-code=200 reply-text=bye"});
    t.expect_events({closed_by_us});
}

ENGINE_SCRIPT("connection.close: before the handshake is done there is nothing to say")
{
    t.begin();
    close(t);
    CHECK(t.client().current_state() == state::closed);
    t.expect({});
    t.expect_events({closed_by_us});
}

ENGINE_SCRIPT("connection.close: the server's, with its words and its cause")
{
    t.open();
    auto& channel = t.open_channel();
    auto& op = t.request(channel, wire::queue::declare{}, wire::queue::declare_ok::id);
    static_cast<void>(t.take_output());
    wire::connection::close m;
    m.reply_code = 530;
    m.reply_text = "NOT_ALLOWED - no\n\x1b[1m";
    m.class_id = 50;
    m.method_id = 10;
    t.give(frame(0, m));
    t.expect({"0 connection.close-ok"});
    CHECK(t.client().current_state() == state::closed);
    CHECK(op.has_failed());
    CHECK(op.reason().code == lv::reply_code::not_allowed);
    CHECK_FALSE(channel.is_open());
    const auto d = t.client().reason().diagnostics("queue.declare", lv::fate::unknown);
    CHECK(d.code == 530);
    CHECK(d.text == "NOT_ALLOWED - no\n\x1b[1m");
    CHECK(d.class_id == 50);
    CHECK(d.method_id == 10);
    t.expect_events({"closed: 530 NOT_ALLOWED - no\\n\\x1b[1m (queue.declare)"});
}

ENGINE_SCRIPT("connection.close: the server's crosses ours")
{
    t.open();
    close(t);
    static_cast<void>(t.take_output());
    t.give(connection_close_frame(320, "CONNECTION_FORCED - shutdown"));
    t.expect({"0 connection.close-ok"});
    CHECK(t.client().current_state() == state::closed);
    CHECK(t.client().next_deadline() == lv::instant::never());
    CHECK(t.client().reason().code == lv::errc::connection_closed); // what was told first stays
    t.expect_events({closed_by_us});
}

ENGINE_SCRIPT("connection.close: what follows the server's is not looked at")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(connection_close_frame(320, "CONNECTION_FORCED - shutdown") +
           lv::test::delivery_frames(1, "c", 1, "late") + raw_frame(99, 7, "garbage"));
    t.expect({"0 connection.close-ok"});
    t.expect_events({"closed: 320 CONNECTION_FORCED - shutdown"});
}

ENGINE_SCRIPT("connection.close: while ours waits, only its answer counts")
{
    t.open();
    static_cast<void>(t.open_channel());
    close(t);
    static_cast<void>(t.take_output());
    t.give(lv::test::delivery_frames(1, "c", 1, "late") + frame(9, wire::channel::open_ok{}) +
           lv::test::channel_close_frame(1, 404, "late") + frame(0, wire::connection::unblocked{}));
    t.expect({});
    CHECK(t.client().current_state() == state::closing);
    t.give(frame(0, wire::connection::close_ok{}));
    CHECK(t.client().current_state() == state::closed);
    t.expect_events({closed_by_us});
}

ENGINE_SCRIPT("connection.close: everything that waits is told")
{
    t.open();
    auto& opening = t.start_opening(t.new_channel());
    auto& channel = t.open_channel();
    auto& first = t.request(channel, wire::queue::declare{}, wire::queue::declare_ok::id);
    auto& second = t.request(channel, wire::basic::qos{}, wire::basic::qos_ok::id);
    auto& secret = t.new_operation();
    t.client().update_secret("new", "", secret, t.soon());
    static_cast<void>(t.take_output());
    close(t);
    for (const auto* op : {&opening, &first, &second, &secret}) {
        CHECK(op->has_failed());
        CHECK(op->reason().code == lv::errc::connection_closed);
    }
    t.expect({"0 connection.close reply-code=200 reply-text=bye"});
    t.expect_events({closed_by_us});
    auto& late = t.start_opening(t.new_channel());
    CHECK(late.reason().code == lv::errc::connection_closed);
    auto& later = t.request(channel, wire::basic::qos{}, wire::basic::qos_ok::id);
    CHECK(later.reason().code == lv::errc::connection_closed);
}

ENGINE_SCRIPT("violation: the server is told, and has two seconds from then to answer")
{
    t.open();
    t.advance(lv::duration::seconds(3600)); // no heartbeats: nothing told the client how late it is
    t.give(raw_frame(99, 0, ""));
    t.expect({"0 connection.close reply-code=501 reply-text=from the server: unknown frame type"});
    t.expect_events({"closed: from the server: unknown frame type"});
    CHECK(t.client().current_state() == state::closing);
    t.advance(lv::duration::milliseconds(1900));
    CHECK(t.client().current_state() == state::closing);
    t.advance(lv::duration::milliseconds(200));
    CHECK(t.client().current_state() == state::closed);
}

TEST_CASE("violation: the two seconds count from the violation, however long no timer ran")
{
    script t(lv::test::script_mode{});
    t.open();
    t.give(raw_frame(99, 0, ""));
    static_cast<void>(t.take_output());
    // The first thing the client hears of the time since it was opened an hour ago.
    const lv::instant late = t.now() + lv::duration::seconds(3600);
    t.client().tick(late, false);
    CHECK(t.client().current_state() == state::closing);
    CHECK(t.client().next_deadline() == late + lv::duration::seconds(2));
    t.client().tick(late + lv::duration::seconds(2), false);
    CHECK(t.client().current_state() == state::closed);
    t.forget_events();
}

ENGINE_SCRIPT("violation: answered")
{
    t.open();
    t.give(raw_frame(99, 0, ""));
    static_cast<void>(t.take_output());
    CHECK(t.client().current_state() == state::closing);
    // What lies behind a broken frame can't be read any more: only the end of the input helps.
    t.client().input_ended(std::make_error_code(std::errc::connection_reset), "the socket broke");
    t.pull();
    CHECK(t.client().current_state() == state::closed);
    t.expect_events({"closed: from the server: unknown frame type"});
}

ENGINE_SCRIPT("violation: after one that leaves the frames readable, close-ok is seen")
{
    t.open();
    t.give(frame(0, wire::connection::tune{}));
    t.expect({"0 connection.close reply-code=503 reply-text=a method that a server must not send here "
              "class-id=10 method-id=30"});
    t.expect_events({"closed: a method that a server must not send here (connection.tune)"});
    t.give(frame(0, wire::connection::close_ok{}));
    CHECK(t.client().current_state() == state::closed);
}

ENGINE_SCRIPT("end of input: everything that waits is told")
{
    t.open();
    auto& channel = t.open_channel();
    auto& op = t.request(channel, wire::queue::declare{}, wire::queue::declare_ok::id);
    t.client().input_ended(std::make_error_code(std::errc::connection_reset), "the socket broke");
    t.pull();
    CHECK(t.client().current_state() == state::closed);
    CHECK(op.has_failed());
    CHECK(op.reason().code == std::errc::connection_reset);
    t.expect({"1 queue.declare"});
    t.expect_events({"closed: the socket broke"});
}
