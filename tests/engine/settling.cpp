#include "engine/script.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>

namespace lv = leveret;
namespace wire = leveret::wire;
using leveret::engine::settlement;
using leveret::test::delivery_frames;
using leveret::test::frame;
using leveret::test::script;
using leveret::test::test_channel;

namespace {

void deliver(script& t, std::initializer_list<std::uint64_t> tags)
{
    std::string bytes;
    for (const std::uint64_t tag : tags)
        bytes += delivery_frames(1, "c", tag, "x");
    t.give(bytes);
    t.forget_events();
}
void settle(script& t, test_channel& channel, std::initializer_list<std::uint64_t> tags,
            settlement how = settlement::ack)
{
    for (const std::uint64_t tag : tags)
        t.check(t.client().settle(channel, tag, how), "settled");
}

} // namespace

ENGINE_SCRIPT("settling: nothing is written before the flush, and a run is one frame")
{
    t.open();
    auto& channel = t.open_channel();
    deliver(t, {1, 2, 3, 4});
    settle(t, channel, {1, 2, 3});
    t.expect({});
    t.client().flush_settlements();
    t.expect({"1 basic.ack delivery-tag=3 multiple"});
    t.client().flush_settlements();
    t.expect({});
    settle(t, channel, {4});
    t.client().flush_settlements();
    t.expect({"1 basic.ack delivery-tag=4"});
    CHECK(channel.deliveries().open() == 0);
}

ENGINE_SCRIPT("settling: in any order, each once")
{
    t.open();
    auto& channel = t.open_channel();
    deliver(t, {1, 2, 3, 4, 5});
    settle(t, channel, {4});
    t.client().flush_settlements();
    t.expect({"1 basic.ack delivery-tag=4"});
    CHECK_FALSE(t.client().settle(channel, 4, settlement::ack));
    CHECK_FALSE(t.client().settle(channel, 6, settlement::ack));
    CHECK_FALSE(t.client().settle(channel, 0, settlement::ack));
    settle(t, channel, {3, 1, 2});
    t.client().flush_settlements();
    t.expect({"1 basic.ack delivery-tag=3 multiple"});
    settle(t, channel, {5});
    t.client().flush_settlements();
    t.expect({"1 basic.ack delivery-tag=5"});
}

ENGINE_SCRIPT("settling: a run ends where the kind changes")
{
    t.open();
    auto& channel = t.open_channel();
    deliver(t, {1, 2, 3, 4, 5, 6});
    settle(t, channel, {1, 2});
    settle(t, channel, {3, 4}, settlement::requeue);
    settle(t, channel, {5}, settlement::discard);
    settle(t, channel, {6});
    t.client().flush_settlements();
    t.expect({"1 basic.ack delivery-tag=2 multiple", "1 basic.nack delivery-tag=4 multiple",
              "1 basic.nack delivery-tag=5 !requeue", "1 basic.ack delivery-tag=6"});
}

ENGINE_SCRIPT("settling: up to a tag takes what is open, as it is")
{
    t.open();
    auto& channel = t.open_channel();
    deliver(t, {1, 2, 3, 4});
    settle(t, channel, {2}, settlement::discard);
    CHECK(t.client().settle_up_to(channel, 3, settlement::ack) == 2);
    CHECK(t.client().settle_up_to(channel, 3, settlement::ack) == 0);
    CHECK(t.client().settle_up_to(channel, 99, settlement::requeue) == 1);
    t.client().flush_settlements();
    t.expect({"1 basic.ack delivery-tag=1", "1 basic.nack delivery-tag=2 !requeue",
              "1 basic.ack delivery-tag=3", "1 basic.nack delivery-tag=4"});
}

ENGINE_SCRIPT("settling: is told before any request, content or close of its channel")
{
    t.open();
    auto& channel = t.open_channel();
    deliver(t, {1, 2, 3, 4});
    settle(t, channel, {1});
    auto& op = t.request(channel, wire::queue::declare{}, wire::queue::declare_ok::id);
    t.expect({"1 basic.ack delivery-tag=1", "1 queue.declare"});
    settle(t, channel, {2});
    t.client().send(channel, wire::basic::publish{});
    t.expect({"1 basic.ack delivery-tag=2", "1 basic.publish"});
    settle(t, channel, {3});
    t.client().send(channel, frame(1, wire::basic::publish{}));
    t.expect({"1 basic.ack delivery-tag=3", "1 basic.publish"});
    settle(t, channel, {4}, settlement::requeue);
    auto& closing = t.new_operation();
    t.client().close_channel(channel, &closing, t.soon());
    t.expect({"1 basic.nack delivery-tag=4", "1 channel.close reply-code=200 reply-text=bye"});
    CHECK(op.has_failed());
    t.client().flush_settlements();
    t.expect({});
}

ENGINE_SCRIPT("settling: is told before the connection closes")
{
    t.open();
    auto& channel = t.open_channel();
    auto& other = t.open_channel();
    deliver(t, {1});
    t.give(delivery_frames(2, "c", 1, "x"));
    t.forget_events();
    settle(t, channel, {1});
    settle(t, other, {1});
    t.client().close(lv::reply_code::success, "bye", t.soon());
    t.expect({"1 basic.ack delivery-tag=1", "2 basic.ack delivery-tag=1",
              "0 connection.close reply-code=200 reply-text=bye"});
    t.pull();
    t.forget_events();
}

ENGINE_SCRIPT("settling: nothing is told of a channel that ended, or for a tag of its old life")
{
    t.open();
    auto& channel = t.open_channel();
    deliver(t, {1, 2});
    settle(t, channel, {1});
    t.give(lv::test::channel_close_frame(1, 404, "NOT_FOUND"));
    t.forget_events();
    CHECK_FALSE(t.client().settle(channel, 2, settlement::ack));
    t.client().flush_settlements();
    t.expect({"1 channel.close-ok"});
}

ENGINE_SCRIPT("settling: deliveries that need none are told nothing of")
{
    t.open();
    auto& channel = t.open_channel();
    channel.needs_settling = false;
    deliver(t, {1, 2, 3});
    CHECK_FALSE(t.client().settle(channel, 2, settlement::ack));
    CHECK(channel.deliveries().open() == 0);
    channel.needs_settling = true;
    deliver(t, {4});
    channel.needs_settling = false;
    deliver(t, {5, 6});
    settle(t, channel, {4});
    t.client().flush_settlements();
    t.expect({"1 basic.ack delivery-tag=4"});
}

ENGINE_SCRIPT("settling: small gaps between tags are lived with, going back is not")
{
    t.open();
    auto& channel = t.open_channel();
    deliver(t, {3, 5, 9});
    settle(t, channel, {3, 5, 9});
    t.client().flush_settlements();
    t.expect({"1 basic.ack delivery-tag=9 multiple"});
    t.give(delivery_frames(1, "c", 9, "x"));
    t.expect_events({"delivery 1 #9 x (impossible)"});
    t.give(delivery_frames(1, "c", 9 + 1 + lv::engine::settlements::max_gap + 1, "x"));
    t.expect_events({"delivery 1 #65547 x (impossible)"});
}

TEST_CASE("settling: gaps that the user has caught up with count no more")
{
    lv::engine::settlements fast;
    std::uint64_t tag = 1;
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(fast.arrived(tag, true));
        REQUIRE(fast.settle(tag, settlement::ack));
        if (i % 2 == 0)
            fast.flush([](std::uint64_t, bool, settlement) {});
        tag += 1000;
    }
}

ENGINE_SCRIPT("basic.recover: what is open comes again under new tags")
{
    t.open();
    auto& channel = t.open_channel();
    deliver(t, {1, 2});
    settle(t, channel, {1});
    wire::basic::recover m;
    m.requeue = true;
    auto& op = t.request(channel, m, wire::basic::recover_ok::id);
    t.expect({"1 basic.ack delivery-tag=1", "1 basic.recover requeue"});
    CHECK(channel.is_recovering());
    CHECK_FALSE(t.client().settle(channel, 2, settlement::ack));
    t.give(frame(1, wire::basic::recover_ok{}));
    CHECK(op.is_done());
    CHECK_FALSE(channel.is_recovering());
    deliver(t, {3});
    settle(t, channel, {3});
    t.client().flush_settlements();
    t.expect({"1 basic.ack delivery-tag=3"});
}
