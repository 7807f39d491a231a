#include "engine/script.hpp"

#include <array>
#include <string>
#include <string_view>

namespace lv = leveret;
namespace wire = leveret::wire;
using leveret::test::channel_close_frame;
using leveret::test::delivery_frames;
using leveret::test::frame;
using leveret::test::get_ok_frames;
using leveret::test::script;
using leveret::test::test_channel;
using leveret::test::test_operation;

namespace {

test_operation& declare(script& t, test_channel& channel, std::string_view queue)
{
    wire::queue::declare m;
    m.queue = queue;
    return t.request(channel, m, wire::queue::declare_ok::id);
}
std::string declare_ok(std::string_view queue, std::uint32_t messages = 0, std::uint32_t consumers = 0)
{
    wire::queue::declare_ok m;
    m.queue = queue;
    m.message_count = messages;
    m.consumer_count = consumers;
    return frame(1, m);
}
test_operation& consume(script& t, test_channel& channel, std::string_view tag)
{
    wire::basic::consume m;
    m.queue = "q";
    m.consumer_tag = tag;
    return t.request(channel, m, wire::basic::consume_ok::id);
}
std::string consume_ok(std::string_view tag)
{
    wire::basic::consume_ok m;
    m.consumer_tag = tag;
    return frame(1, m);
}
test_operation& cancel(script& t, test_channel& channel, std::string_view tag)
{
    wire::basic::cancel m;
    m.consumer_tag = tag;
    return t.request(channel, m, wire::basic::cancel_ok::id);
}
std::string cancel_ok(std::string_view tag)
{
    wire::basic::cancel_ok m;
    m.consumer_tag = tag;
    return frame(1, m);
}
test_operation& get(script& t, test_channel& channel)
{
    wire::basic::get m;
    m.queue = "q";
    return t.request(channel, m, wire::basic::get_ok::id);
}
/// What a coroutine does that does not wait any more.
void abandon(script& t, test_channel& channel, test_operation& op)
{
    t.client().abandon(&channel, op);
    op.fail(lv::engine::failure::of_library(lv::errc::wrong_state, "abandoned"));
}

} // namespace

ENGINE_SCRIPT("requests: a pipeline is answered in its order")
{
    t.open();
    auto& channel = t.open_channel();
    auto& a = declare(t, channel, "a");
    auto& qos = t.request(channel, wire::basic::qos{}, wire::basic::qos_ok::id);
    auto& b = declare(t, channel, "b");
    t.expect({"1 queue.declare queue=a", "1 basic.qos", "1 queue.declare queue=b"});
    t.give(declare_ok("a", 3, 4));
    CHECK(a.is_done());
    CHECK(a.result().name == "a");
    CHECK(a.result().message_count == 3);
    CHECK(a.result().consumer_count == 4);
    CHECK(qos.is_waiting());
    t.give(frame(1, wire::basic::qos_ok{}) + declare_ok("b"));
    CHECK(qos.is_done());
    CHECK(b.result().name == "b");
}

ENGINE_SCRIPT("requests: a channel error fails all that wait")
{
    t.open();
    auto& channel = t.open_channel();
    const std::array<test_operation*, 4> all{&declare(t, channel, "a"), &consume(t, channel, "c"),
                                             &get(t, channel), &cancel(t, channel, "d")};
    static_cast<void>(t.take_output());
    t.give(channel_close_frame(1, 406, "PRECONDITION_FAILED - other"));
    for (const test_operation* op : all) {
        CHECK(op->has_failed());
        CHECK(op->reason().code == lv::reply_code::precondition_failed);
        CHECK(op->reason().text == "PRECONDITION_FAILED - other");
    }
    t.expect({"1 channel.close-ok"});
    t.expect_events({"channel closed 1: 406 PRECONDITION_FAILED - other (queue.declare on channel 1)"});
}

ENGINE_SCRIPT("requests: an answer that nobody waits for")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(declare_ok("a"));
    t.expect({"0 connection.close reply-code=503 reply-text=an answer that nobody waits for class-id=50 "
              "method-id=11"});
    t.expect_events({"closed: an answer that nobody waits for (queue.declare-ok on channel 1)"});
}

ENGINE_SCRIPT("requests: the wrong answer")
{
    t.open();
    auto& channel = t.open_channel();
    auto& op = declare(t, channel, "a");
    static_cast<void>(t.take_output());
    t.give(frame(1, wire::queue::bind_ok{}));
    CHECK(op.reason().code == lv::protocol_errc::unexpected_method);
    CHECK(t.client().reason().code == lv::protocol_errc::unexpected_method);
    static_cast<void>(t.take_output());
    t.forget_events();
}

ENGINE_SCRIPT("requests: an answer with bytes behind its last argument")
{
    t.open();
    auto& channel = t.open_channel();
    auto& op = declare(t, channel, "a");
    static_cast<void>(t.take_output());
    const std::string ok = declare_ok("a");
    t.give(lv::test::raw_frame(1, 1, ok.substr(7, ok.size() - 8) + "x"));
    CHECK(op.reason().code == lv::protocol_errc::trailing_bytes);
    static_cast<void>(t.take_output());
    t.forget_events();
}

ENGINE_SCRIPT("requests: each ends at its own deadline, and its answer is still read")
{
    t.open();
    auto& channel = t.open_channel();
    auto& slow = t.new_operation();
    t.client().request(channel, wire::queue::declare{}, wire::queue::declare_ok::id, &slow,
                       t.now() + lv::duration::seconds(2));
    auto& fast = t.new_operation();
    t.client().request(channel, wire::basic::qos{}, wire::basic::qos_ok::id, &fast,
                       t.now() + lv::duration::seconds(1));
    static_cast<void>(t.take_output());
    t.advance(lv::duration::seconds(1));
    CHECK(fast.has_timed_out());
    CHECK(slow.is_waiting());
    t.client().abandon(&channel, fast);
    t.give(declare_ok("x"));
    CHECK(slow.is_done());
    t.give(frame(1, wire::basic::qos_ok{}));
    CHECK(fast.has_timed_out());
    CHECK(t.client().next_deadline() == lv::instant::never());
    CHECK(channel.is_open());
}

ENGINE_SCRIPT("requests: the answer comes after the deadline and before the waiting coroutine runs")
{
    t.open();
    auto& channel = t.open_channel();
    auto& op = consume(t, channel, "c");
    auto& fetch = get(t, channel);
    static_cast<void>(t.take_output());
    t.advance(lv::duration::seconds(30));
    CHECK(op.has_timed_out());
    CHECK(fetch.has_timed_out());
    // Both are as good as abandoned: somebody must undo what they started.
    t.give(consume_ok("c") + get_ok_frames(1, 1, "x"));
    t.expect_events({"consuming unasked 1 c", "got 1 #1 x for nobody"});
    t.client().abandon(&channel, op);
    t.client().abandon(&channel, fetch);
}

ENGINE_SCRIPT("requests: one without a deadline waits")
{
    t.open();
    auto& channel = t.open_channel();
    t.advance(lv::duration::seconds(3600));
    CHECK(channel.is_open());
    CHECK(t.client().next_deadline() == lv::instant::never());
}

ENGINE_SCRIPT("abandoned: a declare's answer is dropped")
{
    t.open();
    auto& channel = t.open_channel();
    auto& gone = declare(t, channel, "a");
    auto& next = declare(t, channel, "b");
    static_cast<void>(t.take_output());
    abandon(t, channel, gone);
    t.give(declare_ok("a"));
    CHECK(next.is_waiting());
    t.give(declare_ok("b"));
    CHECK(next.result().name == "b");
    CHECK(t.client().next_deadline() == lv::instant::never());
}

ENGINE_SCRIPT("abandoned: a consumer that starts all the same is told of, to be cancelled")
{
    t.open();
    auto& channel = t.open_channel();
    auto& gone = consume(t, channel, "c");
    static_cast<void>(t.take_output());
    abandon(t, channel, gone);
    t.give(consume_ok("c"));
    t.expect_events({"consuming unasked 1 c"});
}

ENGINE_SCRIPT("abandoned: a message that comes all the same is told of, to be given back")
{
    t.open();
    auto& channel = t.open_channel();
    auto& gone = get(t, channel);
    auto& next = get(t, channel);
    static_cast<void>(t.take_output());
    abandon(t, channel, gone);
    t.give(get_ok_frames(1, 1, "first") + get_ok_frames(1, 2, "second"));
    t.expect_events({"got 1 #1 first for nobody", "got 1 #2 second"});
    CHECK(next.is_done());
}

ENGINE_SCRIPT("abandoned: an empty queue needs no telling")
{
    t.open();
    auto& channel = t.open_channel();
    auto& gone = get(t, channel);
    static_cast<void>(t.take_output());
    abandon(t, channel, gone);
    t.give(frame(1, wire::basic::get_empty{}));
    t.expect_events({});
}

ENGINE_SCRIPT("abandoned: a cancel's answer is told of")
{
    t.open();
    auto& channel = t.open_channel();
    auto& gone = cancel(t, channel, "c");
    static_cast<void>(t.take_output());
    abandon(t, channel, gone);
    t.give(cancel_ok("c"));
    t.expect_events({"cancel unasked 1 c"});
}

ENGINE_SCRIPT("abandoned: a message that is half here")
{
    t.open();
    auto& channel = t.open_channel();
    auto& gone = get(t, channel);
    static_cast<void>(t.take_output());
    const std::string message = get_ok_frames(1, 1, std::string(10000, 'x'));
    t.give(std::string_view(message).substr(0, 6000));
    abandon(t, channel, gone);
    t.give(std::string_view(message).substr(6000));
    t.expect_events({"got 1 #1 10000 bytes for nobody"});
}

ENGINE_SCRIPT("basic.get: with and without a message")
{
    t.open();
    auto& channel = t.open_channel();
    auto& nothing = get(t, channel);
    auto& something = get(t, channel);
    t.expect({"1 basic.get queue=q", "1 basic.get queue=q"});
    t.give(frame(1, wire::basic::get_empty{}));
    CHECK(nothing.is_done());
    t.expect_events({});
    t.give(get_ok_frames(1, 1, "here"));
    CHECK(something.is_done());
    t.expect_events({"got 1 #1 here"});
}

ENGINE_SCRIPT("basic.get: a message that nobody asked for")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(get_ok_frames(1, 1, "x"));
    CHECK(t.client().reason().code == lv::protocol_errc::unexpected_method);
    static_cast<void>(t.take_output());
    t.forget_events();
}

ENGINE_SCRIPT("consumers: cancelled by the server, answered unless it wants none")
{
    t.open();
    static_cast<void>(t.open_channel());
    wire::basic::cancel m;
    m.consumer_tag = "c";
    m.no_wait = true;
    t.give(frame(1, m));
    t.expect({});
    t.expect_events({"cancelled 1 c"});
    m.no_wait = false;
    t.give(frame(1, m));
    t.expect({"1 basic.cancel-ok consumer-tag=c"});
    t.expect_events({"cancelled 1 c"});
}

ENGINE_SCRIPT("update-secret: answered, twice in order")
{
    t.open();
    auto& first = t.new_operation();
    auto& second = t.new_operation();
    t.client().update_secret("one", "expired", first, t.soon());
    t.client().update_secret("two", "", second, t.soon());
    t.expect({"0 connection.update-secret new-secret=one reason=expired",
              "0 connection.update-secret new-secret=two"});
    t.give(frame(0, wire::connection::update_secret_ok{}));
    CHECK(first.is_done());
    CHECK(second.is_waiting());
    t.give(frame(0, wire::connection::update_secret_ok{}));
    CHECK(second.is_done());
}

ENGINE_SCRIPT("update-secret: refused, abandoned, unasked")
{
    t.open();
    auto& gone = t.new_operation();
    auto& op = t.new_operation();
    t.client().update_secret("one", "", gone, t.soon());
    t.client().update_secret("two", "", op, t.soon());
    static_cast<void>(t.take_output());
    t.client().abandon(nullptr, gone);
    gone.fail(lv::engine::failure::of_library(lv::errc::wrong_state, "abandoned"));
    t.give(frame(0, wire::connection::update_secret_ok{}));
    CHECK(op.is_waiting());
    t.give(lv::test::connection_close_frame(530, "NOT_ALLOWED - bad secret"));
    CHECK(op.reason().code == lv::reply_code::not_allowed);
    t.expect({"0 connection.close-ok"});
    t.expect_events({"closed: 530 NOT_ALLOWED - bad secret"});
}

ENGINE_SCRIPT("update-secret: an answer that nobody waits for")
{
    t.open();
    t.give(frame(0, wire::connection::update_secret_ok{}));
    CHECK(t.client().reason().code == lv::protocol_errc::unexpected_method);
    static_cast<void>(t.take_output());
    t.forget_events();
}
