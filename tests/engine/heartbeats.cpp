#include "engine/script.hpp"

#include <cstdint>
#include <string>

namespace lv = leveret;
namespace wire = leveret::wire;
using leveret::test::frame;
using leveret::test::script;
using leveret::test::tune_frame;

namespace {

constexpr const char* dead = "closed: nothing arrived from the server for two heartbeat intervals of 10 s";

void open(script& t, std::uint16_t heartbeat = 10) { t.open({}, tune_frame(2047, 131072, heartbeat)); }
const std::string beat(wire::heartbeat_frame);

} // namespace

ENGINE_SCRIPT("heartbeats: none were agreed")
{
    t.open();
    CHECK(t.client().next_deadline() == lv::instant::never());
    t.advance(lv::duration::seconds(1'000'000));
    t.expect({});
    CHECK(t.client().is_open());
}

ENGINE_SCRIPT("heartbeats: sent at half the interval while idle")
{
    open(t);
    t.advance(lv::duration::seconds(5)); // the handshake was output: this interval has had some
    t.expect({});
    for (int i = 0; i < 4; ++i) {
        t.give(beat);
        t.advance(lv::duration::milliseconds(4'999));
        t.expect({});
        t.advance(lv::duration::milliseconds(1));
        t.expect({"heartbeat"});
    }
}

ENGINE_SCRIPT("heartbeats: not while something else is sent")
{
    open(t);
    auto& channel = t.open_channel();
    for (int i = 0; i < 4; ++i) {
        t.client().send(channel, wire::basic::publish{});
        t.advance(lv::duration::seconds(5));
        t.expect({"1 basic.publish"});
        t.give(beat);
    }
    t.client().output().append("by way of the transport");
    t.client().note_output();
    t.advance(lv::duration::seconds(5));
    CHECK(t.client().output().size() == 23);
    t.client().output().consume(23);
    t.give(beat);
    t.advance(lv::duration::seconds(5));
    t.expect({"heartbeat"});
}

ENGINE_SCRIPT("heartbeats: a silent peer is seen within 2 to 2.5 intervals")
{
    open(t);
    t.advance(lv::duration::seconds(5));
    t.give(beat); // the last sign of life
    t.advance(lv::duration::milliseconds(20'000));
    CHECK(t.client().is_open());
    t.advance(lv::duration::milliseconds(5'000));
    CHECK_FALSE(t.client().is_open());
    CHECK(t.client().current_state() == lv::engine::client::state::closed);
    CHECK(t.client().reason().code == lv::protocol_errc::heartbeat_timeout);
    static_cast<void>(t.take_output());
    t.expect_events({dead});
}

ENGINE_SCRIPT("heartbeats: a peer that falls silent just before a beat")
{
    open(t);
    t.advance(lv::duration::milliseconds(4'999));
    t.give(beat);
    t.advance(lv::duration::milliseconds(20'000));
    CHECK(t.client().is_open());
    t.advance(lv::duration::milliseconds(2));
    CHECK_FALSE(t.client().is_open());
    static_cast<void>(t.take_output());
    t.expect_events({dead});
}

ENGINE_SCRIPT("heartbeats: any byte is a sign of life, half a frame as well")
{
    open(t);
    static_cast<void>(t.open_channel());
    const std::string delivery = lv::test::delivery_frames(1, "c", 1, std::string(200, 'x'));
    for (std::size_t at = 0; at < delivery.size(); at += 20) {
        t.give(std::string_view(delivery).substr(at, 20));
        t.advance(lv::duration::seconds(15));
    }
    CHECK(t.client().is_open());
    static_cast<void>(t.take_output());
    t.expect_events({"delivery 1 #1 200 bytes"});
}

ENGINE_SCRIPT("heartbeats: while we do not read, silence is not the peer's fault")
{
    open(t);
    for (int i = 0; i < 10; ++i)
        t.advance(lv::duration::seconds(10), true);
    CHECK(t.client().is_open());
    static_cast<void>(t.take_output());
    // From when we read again it counts anew.
    t.advance(lv::duration::seconds(15));
    CHECK(t.client().is_open());
    t.advance(lv::duration::seconds(10));
    CHECK_FALSE(t.client().is_open());
    static_cast<void>(t.take_output());
    t.expect_events({dead});
}

ENGINE_SCRIPT("heartbeats: a program that was held up itself reads before it judges")
{
    open(t);
    t.advance(lv::duration::seconds(4));
    t.give(beat);
    // Nobody called tick for an hour; one call is one beat, whatever the clock says.
    t.client().tick(t.now() + lv::duration::seconds(3600), false);
    t.pull();
    CHECK(t.client().is_open());
    static_cast<void>(t.take_output());
}

ENGINE_SCRIPT("heartbeats: a silent peer ends what waits")
{
    open(t);
    auto& channel = t.open_channel();
    auto& op = t.new_operation();
    t.client().request(channel, wire::queue::declare{}, wire::queue::declare_ok::id, &op,
                       lv::instant::never());
    static_cast<void>(t.take_output());
    t.advance(lv::duration::seconds(25));
    CHECK(op.reason().code == lv::protocol_errc::heartbeat_timeout);
    static_cast<void>(t.take_output());
    t.expect_events({dead});
}

ENGINE_SCRIPT("heartbeats: the longest there is")
{
    t.open({}, tune_frame(0, 0, 65535));
    CHECK(t.client().heartbeat() == 65535);
    t.advance(lv::duration::seconds(65535));
    t.expect({"heartbeat"});
}
