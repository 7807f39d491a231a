#include "engine/script.hpp"

#include <cstdint>
#include <string>

namespace lv = leveret;
namespace wire = leveret::wire;
using leveret::engine::channel_state;
using leveret::test::channel_close_frame;
using leveret::test::delivery_frames;
using leveret::test::frame;
using leveret::test::script;
using leveret::test::test_channel;
using leveret::test::tune_frame;

namespace {

constexpr const char* close_ours = "1 channel.close reply-code=200 reply-text=bye";
constexpr const char* closed_by_us = "channel closed 1: the channel is closed";

lv::test::test_operation& close(script& t, test_channel& channel)
{
    auto& op = t.new_operation();
    t.client().close_channel(channel, &op, t.soon());
    return op;
}
/// What a coroutine does that does not wait any more.
void abandon(script& t, test_channel& channel, lv::test::test_operation& op)
{
    t.client().abandon(&channel, op);
    op.fail(lv::engine::failure::of_library(lv::errc::wrong_state, "abandoned"));
}

} // namespace

ENGINE_SCRIPT("channel.open: answered")
{
    t.open();
    auto& channel = t.new_channel();
    auto& op = t.start_opening(channel);
    CHECK(channel.state() == channel_state::opening);
    CHECK_FALSE(channel.is_open());
    t.expect({"1 channel.open"});
    t.give(frame(1, wire::channel::open_ok{}));
    CHECK(op.is_done());
    CHECK(channel.is_open());
    CHECK(channel.flow_active());
    CHECK(t.client().next_deadline() == lv::instant::never());
}

ENGINE_SCRIPT("channel.open: before the connection is open")
{
    t.begin();
    auto& op = t.start_opening(t.new_channel());
    CHECK(op.has_failed());
    CHECK(op.reason().code == lv::errc::wrong_state);
}

ENGINE_SCRIPT("channel.open: many at once, answered in another order")
{
    t.open();
    auto& first = t.new_channel();
    auto& second = t.new_channel();
    auto& one = t.start_opening(first);
    auto& two = t.start_opening(second);
    t.expect({"1 channel.open", "2 channel.open"});
    t.give(frame(2, wire::channel::open_ok{}));
    CHECK_FALSE(one.is_done());
    CHECK(two.is_done());
    t.give(frame(1, wire::channel::open_ok{}));
    CHECK(one.is_done());
}

ENGINE_SCRIPT("channel.open: the answer on another channel")
{
    t.open();
    auto& op = t.start_opening(t.new_channel());
    static_cast<void>(t.take_output());
    t.give(frame(7, wire::channel::open_ok{}));
    t.expect({"0 connection.close reply-code=504 reply-text=a method from the server on a channel that "
              "is not open class-id=20 method-id=11"});
    CHECK(op.has_failed());
    CHECK(op.reason().code == lv::protocol_errc::channel_number);
    t.expect_events({"closed: a method from the server on a channel that is not open "
                     "(channel.open-ok on channel 7)"});
}

ENGINE_SCRIPT("channel.open: refused")
{
    t.open();
    auto& channel = t.new_channel();
    auto& op = t.start_opening(channel);
    static_cast<void>(t.take_output());
    t.give(channel_close_frame(1, 506, "RESOURCE_ERROR - too many"));
    t.expect({"1 channel.close-ok"});
    CHECK(op.has_failed());
    CHECK(op.reason().code == lv::reply_code::resource_error);
    CHECK(channel.state() == channel_state::closed);
    t.expect_events({"channel closed 1: 506 RESOURCE_ERROR - too many (queue.declare on channel 1)"});
}

ENGINE_SCRIPT("channel.open: a delivery before the answer")
{
    t.open();
    auto& op = t.start_opening(t.new_channel());
    static_cast<void>(t.take_output());
    t.give(delivery_frames(1, "c", 1, "early"));
    CHECK(op.reason().code == lv::protocol_errc::unexpected_method);
    static_cast<void>(t.take_output());
    t.forget_events();
}

ENGINE_SCRIPT("channel.close: ours, answered")
{
    t.open();
    auto& channel = t.open_channel();
    auto& op = close(t, channel);
    CHECK(channel.state() == channel_state::closing);
    t.expect({close_ours});
    CHECK_FALSE(op.is_done());
    t.give(frame(1, wire::channel::close_ok{}));
    CHECK(op.is_done());
    CHECK(channel.state() == channel_state::closed);
    CHECK(channel.reason().code == lv::errc::channel_closed);
    t.expect_events({closed_by_us});
    auto& late = t.request(channel, wire::basic::qos{}, wire::basic::qos_ok::id);
    CHECK(late.reason().code == lv::errc::channel_closed);
}

ENGINE_SCRIPT("channel.close: ours, on one that is closed, is done at once")
{
    t.open();
    auto& channel = t.open_channel();
    t.give(channel_close_frame(1, 404, "NOT_FOUND - no queue"));
    t.expect({"1 channel.close-ok"});
    CHECK(close(t, channel).is_done());
    t.expect({});
    t.expect_events({"channel closed 1: 404 NOT_FOUND - no queue (queue.declare on channel 1)"});
}

ENGINE_SCRIPT("channel.close: ours; whoever waits is told, and what still comes is ignored")
{
    t.open();
    auto& channel = t.open_channel();
    auto& op = t.request(channel, wire::queue::declare{}, wire::queue::declare_ok::id);
    auto& closing = close(t, channel);
    CHECK(op.reason().code == lv::errc::channel_closed);
    static_cast<void>(t.take_output());
    t.give(frame(1, wire::queue::declare_ok{}) + delivery_frames(1, "c", 1, "late"));
    wire::basic::cancel cancel;
    cancel.consumer_tag = "c";
    t.give(frame(1, cancel));
    t.give(lv::test::return_frames(1, "key", "late"));
    t.expect({});
    t.expect_events({});
    t.give(frame(1, wire::channel::close_ok{}));
    CHECK(closing.is_done());
    t.expect_events({closed_by_us});
}

ENGINE_SCRIPT("channel.close: ours, in the middle of a delivery")
{
    t.open();
    auto& channel = t.open_channel();
    const std::string delivery = delivery_frames(1, "c", 1, std::string(9000, 'x'));
    t.give(std::string_view(delivery).substr(0, 5000));
    auto& closing = close(t, channel);
    static_cast<void>(t.take_output());
    t.give(std::string_view(delivery).substr(5000));
    t.give(frame(1, wire::channel::close_ok{}));
    CHECK(closing.is_done());
    t.expect_events({closed_by_us});
}

ENGINE_SCRIPT("channel.close: the server's")
{
    t.open();
    auto& channel = t.open_channel();
    auto& other = t.open_channel();
    auto& op = t.request(channel, wire::queue::declare{}, wire::queue::declare_ok::id);
    auto& elsewhere = t.request(other, wire::queue::declare{}, wire::queue::declare_ok::id);
    static_cast<void>(t.take_output());
    t.give(channel_close_frame(1, 404, "NOT_FOUND - no queue 'q'"));
    t.expect({"1 channel.close-ok"});
    CHECK(op.has_failed());
    CHECK(op.reason().code == lv::reply_code::not_found);
    CHECK(op.reason().channel == 1);
    t.expect_events({"channel closed 1: 404 NOT_FOUND - no queue 'q' (queue.declare on channel 1)"});
    CHECK(other.is_open());
    CHECK(elsewhere.is_waiting());
    t.give(frame(2, wire::queue::declare_ok{}));
    CHECK(elsewhere.is_done());
}

ENGINE_SCRIPT("channel.close: both at once")
{
    t.open();
    auto& channel = t.open_channel();
    auto& op = close(t, channel);
    static_cast<void>(t.take_output());
    t.give(channel_close_frame(1, 404, "NOT_FOUND - no queue"));
    t.expect({"1 channel.close-ok"}); // the server waits for it
    CHECK(channel.state() == channel_state::closing);
    CHECK(op.is_waiting());
    t.give(frame(1, wire::channel::close_ok{}));
    CHECK(op.is_done());
    t.expect_events({closed_by_us});
}

ENGINE_SCRIPT("channel.close: the server's in the middle of a delivery")
{
    t.open();
    static_cast<void>(t.open_channel());
    wire::basic::deliver m;
    m.delivery_tag = 1;
    t.give(frame(1, m) + lv::test::header_frame(1, 100) + lv::test::body_frame(1, "half"));
    t.give(channel_close_frame(1, 320, "CONNECTION_FORCED"));
    t.expect({"1 channel.close-ok"});
    t.expect_events({"channel closed 1: 320 CONNECTION_FORCED (queue.declare on channel 1)"});
    // And its number can be used again.
    t.give(frame(0, wire::connection::unblocked{}));
    t.expect_events({"unblocked"});
}

ENGINE_SCRIPT("channel: its owner goes away, and the number rests until the server has answered")
{
    t.open({}, tune_frame(1, 0, 0));
    auto& channel = t.open_channel();
    t.client().detach_channel(channel);
    t.expect({close_ours});
    auto& none = t.start_opening(t.new_channel());
    CHECK(none.reason().code == lv::errc::no_free_channel);
    // It drains: nothing of this is anybody's.
    t.give(delivery_frames(1, "c", 1, "late") + frame(1, wire::queue::declare_ok{}));
    t.expect_events({});
    t.give(frame(1, wire::channel::close_ok{}));
    t.expect_events({});
    auto& next = t.new_channel();
    auto& op = t.start_opening(next);
    t.expect({"1 channel.open"});
    t.give(frame(1, wire::channel::open_ok{}));
    CHECK(op.is_done());
    CHECK(next.number() == 1);
}

ENGINE_SCRIPT("channel: its owner goes away while the server closes it")
{
    t.open({}, tune_frame(1, 0, 0));
    auto& channel = t.open_channel();
    t.client().detach_channel(channel);
    t.expect({close_ours});
    t.give(channel_close_frame(1, 404, "NOT_FOUND"));
    t.expect({"1 channel.close-ok"});
    t.give(frame(1, wire::channel::close_ok{}));
    CHECK(t.start_opening(t.new_channel()).is_waiting());
    t.expect({"1 channel.open"});
}

ENGINE_SCRIPT("channel: its owner goes away before the server has opened it")
{
    t.open();
    auto& channel = t.new_channel();
    auto& op = t.start_opening(channel);
    abandon(t, channel, op);
    t.client().detach_channel(channel);
    t.expect({"1 channel.open", close_ours});
    t.give(frame(1, wire::channel::open_ok{}) + frame(1, wire::channel::close_ok{}));
    t.expect_events({});
}

ENGINE_SCRIPT("channel: its owner goes away while its own close is under way")
{
    t.open({}, tune_frame(1, 0, 0));
    auto& channel = t.open_channel();
    auto& op = close(t, channel);
    abandon(t, channel, op);
    t.client().detach_channel(channel);
    t.expect({close_ours});
    CHECK(t.start_opening(t.new_channel()).has_failed());
    t.give(frame(1, wire::channel::close_ok{}));
    t.expect_events({});
    CHECK(t.start_opening(t.new_channel()).is_waiting());
    t.expect({"1 channel.open"});
}

ENGINE_SCRIPT("channel: numbers are taken in turn, so that each rests before it is used again")
{
    t.open({}, tune_frame(3, 0, 0));
    auto& first = t.open_channel();
    CHECK(first.number() == 1);
    static_cast<void>(close(t, first));
    static_cast<void>(t.take_output());
    t.give(frame(1, wire::channel::close_ok{}));
    t.forget_events();
    CHECK(t.open_channel().number() == 2);
    CHECK(t.open_channel().number() == 3);
    CHECK(t.open_channel().number() == 1);
    CHECK(t.start_opening(t.new_channel()).has_failed());
}

ENGINE_SCRIPT("channel: opened again, it starts from nothing")
{
    t.open();
    auto& channel = t.open_channel();
    static_cast<void>(t.request(channel, wire::confirm::select{}, wire::confirm::select_ok::id));
    t.give(frame(1, wire::confirm::select_ok{}));
    CHECK(channel.is_confirming());
    static_cast<void>(channel.publishes().published(nullptr, 1, 1, {}));
    wire::channel::flow flow;
    t.give(frame(1, flow) + delivery_frames(1, "c", 7, "x"));
    CHECK_FALSE(channel.flow_active());
    CHECK(channel.deliveries().open() == 1);
    t.give(channel_close_frame(1, 404, "NOT_FOUND"));
    static_cast<void>(t.take_output());
    t.forget_events();
    auto& op = t.start_opening(channel);
    t.expect({"2 channel.open"});
    t.give(frame(2, wire::channel::open_ok{}));
    CHECK(op.is_done());
    CHECK(channel.is_open());
    CHECK_FALSE(channel.is_confirming());
    CHECK(channel.flow_active());
    CHECK(channel.publishes().outstanding() == 0);
    CHECK(channel.deliveries().open() == 0);
    CHECK_FALSE(channel.reason());
    t.give(delivery_frames(2, "c", 1, "again"));
    t.expect_events({"delivery 2 #1 again"});
}

ENGINE_SCRIPT("channel: all 65535 of them")
{
    lv::engine::client_config config;
    config.channel_max = 0;
    t.open(config, tune_frame(0, 0, 0));
    auto& first = t.open_channel();
    auto& op = t.start_opening(t.new_channel());
    static_cast<void>(t.take_output());
    // Frames for channels that nobody opened, the last one first.
    t.give(frame(2, wire::channel::open_ok{}));
    CHECK(op.is_done());
    t.give(frame(65535, wire::channel::close_ok{}));
    CHECK(t.client().reason().code == lv::protocol_errc::channel_number);
    CHECK_FALSE(first.is_open());
    static_cast<void>(t.take_output());
    t.forget_events();
}

ENGINE_SCRIPT("channel.close from the server: what it sent behind that is dropped, until the number is used again")
{
    t.open({}, tune_frame(1, 0, 0));
    static_cast<void>(t.open_channel());
    t.give(channel_close_frame(1, 404, "NOT_FOUND - no queue"));
    t.expect_events({"channel closed 1: 404 NOT_FOUND - no queue (queue.declare on channel 1)"});
    t.expect({"1 channel.close-ok"});
    t.give(delivery_frames(1, "c", 1, "late")); // RabbitMQ does that
    t.expect_events({});
    auto& again = t.new_channel();
    auto& op = t.start_opening(again);
    REQUIRE(again.number() == 1);
    t.expect({"1 channel.open"});
    t.give(delivery_frames(1, "c", 2, "later still"));
    t.expect_events({});
    CHECK(again.state() == channel_state::opening);
    t.give(frame(1, wire::channel::open_ok{}));
    CHECK(op.is_done());
    t.expect_events({});
    t.give(delivery_frames(1, "c", 1, "now it counts"));
    t.expect_events({"delivery 1 #1 now it counts"});
    CHECK(t.client().is_open());
}
