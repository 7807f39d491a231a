#include "engine/script.hpp"

#include <leveret/engine/fingerprint.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace lv = leveret;
namespace wire = leveret::wire;
using leveret::test::frame;
using leveret::test::return_frames;
using leveret::test::script;
using leveret::test::test_channel;

namespace {

/// Writes down what it is told.
class listener final : public lv::engine::confirm_listener {
public:
    void confirmed(std::uint64_t first, std::size_t count, std::size_t bytes,
                   lv::publish_outcome outcome) noexcept override
    {
        told_ += outcome == lv::publish_outcome::confirmed ? "ack " : "nack ";
        told_ += std::to_string(first) + "+" + std::to_string(count) + " (" + std::to_string(bytes) + ") ";
    }
    void returned(std::uint64_t number, std::size_t, std::uint16_t code, std::string text) noexcept override
    {
        told_ += "back " + std::to_string(number) + " " + std::to_string(code) + " " + text + " ";
    }
    std::string told() { return std::exchange(told_, {}); }

private:
    std::string told_;
};

/// Publishes to the default exchange, as far as the engine is concerned.
void publish(test_channel& c, listener* l, std::uint64_t own, std::string_view key, std::string_view body,
             bool mandatory = true)
{
    static_cast<void>(c.publishes().published(
        l, own, body.size(), mandatory ? lv::engine::fingerprint("", key, body) : lv::engine::fingerprint()));
}
test_channel& confirming(script& t)
{
    auto& channel = t.open_channel();
    auto& op = t.request(channel, wire::confirm::select{}, wire::confirm::select_ok::id);
    static_cast<void>(t.take_output());
    t.give(frame(1, wire::confirm::select_ok{}));
    CHECK(op.is_done());
    CHECK(channel.is_confirming());
    return channel;
}
std::string ack(std::uint64_t tag, bool multiple = false)
{
    wire::basic::ack m;
    m.delivery_tag = tag;
    m.multiple = multiple;
    return frame(1, m);
}
std::string nack(std::uint64_t tag, bool multiple = false)
{
    wire::basic::nack m;
    m.delivery_tag = tag;
    m.multiple = multiple;
    return frame(1, m);
}

} // namespace

ENGINE_SCRIPT("confirms: one by one, in any order")
{
    listener l;
    t.open();
    auto& channel = confirming(t);
    for (std::uint64_t i = 1; i <= 4; ++i)
        publish(channel, &l, i, "k", "x");
    t.give(ack(2));
    CHECK(l.told() == "ack 2+1 (1) ");
    t.give(nack(4) + ack(1));
    CHECK(l.told() == "nack 4+1 (1) ack 1+1 (1) ");
    CHECK(channel.publishes().outstanding() == 2);
    t.give(ack(3));
    CHECK(l.told() == "ack 3+1 (1) ");
    CHECK(channel.publishes().outstanding() == 0);
}

ENGINE_SCRIPT("confirms: multiple tells a run, around what was told before")
{
    listener l, other;
    t.open();
    auto& channel = confirming(t);
    for (std::uint64_t i = 1; i <= 6; ++i)
        publish(channel, &l, i, "k", "xy");
    publish(channel, &other, 1, "k", "z");
    publish(channel, nullptr, 0, "k", "z");
    publish(channel, &l, 7, "k", "xy");
    t.give(nack(3));
    CHECK(l.told() == "nack 3+1 (2) ");
    t.give(ack(8, true));
    CHECK(l.told() == "ack 1+2 (4) ack 4+3 (6) ");
    CHECK(other.told() == "ack 1+1 (1) ");
    CHECK(channel.publishes().outstanding() == 1);
    t.give(nack(0, true)); // zero is all there are
    CHECK(l.told() == "nack 7+1 (2) ");
    t.give(ack(0, true)); // and none is no error
    CHECK(channel.publishes().outstanding() == 0);
}

ENGINE_SCRIPT("confirms: a multiple below what is told already is no error")
{
    listener l;
    t.open();
    auto& channel = confirming(t);
    publish(channel, &l, 1, "k", "x");
    publish(channel, &l, 2, "k", "x");
    t.give(ack(1) + ack(1, true));
    CHECK(l.told() == "ack 1+1 (1) ");
    CHECK(t.client().is_open());
}

ENGINE_SCRIPT("confirms: of what was never published")
{
    t.open();
    static_cast<void>(confirming(t));
    t.give(ack(1));
    t.expect({"0 connection.close reply-code=503 reply-text=a confirmation of publish 1, which is not "
              "outstanding class-id=60 method-id=80"});
    CHECK(t.client().reason().code == lv::protocol_errc::unexpected_method);
    t.forget_events();
}

ENGINE_SCRIPT("confirms: twice for one publish")
{
    listener l;
    t.open();
    auto& channel = confirming(t);
    publish(channel, &l, 1, "k", "x");
    publish(channel, &l, 2, "k", "x");
    t.give(ack(2) + nack(2));
    CHECK(t.client().reason().code == lv::protocol_errc::unexpected_method);
    CHECK(l.told() == "ack 2+1 (1) ");
    static_cast<void>(t.take_output());
    t.forget_events();
}

ENGINE_SCRIPT("confirms: of more than there are")
{
    listener l;
    t.open();
    auto& channel = confirming(t);
    publish(channel, &l, 1, "k", "x");
    t.give(ack(2, true));
    CHECK(t.client().reason().code == lv::protocol_errc::unexpected_method);
    CHECK(l.told().empty());
    static_cast<void>(t.take_output());
    t.forget_events();
}

ENGINE_SCRIPT("returns: belong to the oldest publish that looks like them")
{
    listener l;
    t.open();
    auto& channel = confirming(t);
    publish(channel, &l, 1, "here", "x");
    publish(channel, &l, 2, "nowhere", "x");
    publish(channel, &l, 3, "nowhere", "y");
    publish(channel, &l, 4, "nowhere", "x");
    t.give(return_frames(1, "nowhere", "x"));
    CHECK(l.told().empty()); // the confirmation tells
    t.give(ack(3, true));
    CHECK(l.told() == "ack 1+1 (1) back 2 312 NO_ROUTE ack 3+1 (1) ");
    t.give(return_frames(1, "nowhere", "x") + ack(4));
    CHECK(l.told() == "back 4 312 NO_ROUTE ");
    t.expect_events({});
}

ENGINE_SCRIPT("returns: an empty and a large body")
{
    listener l;
    t.open();
    auto& channel = confirming(t);
    const std::string large(10'000, 'x');
    publish(channel, &l, 1, "nowhere", "");
    publish(channel, &l, 2, "nowhere", large);
    t.give(return_frames(1, "nowhere", large));
    t.give(return_frames(1, "nowhere", ""));
    t.give(ack(2, true));
    CHECK(l.told() == "back 1 312 NO_ROUTE back 2 312 NO_ROUTE ");
}

ENGINE_SCRIPT("returns: one that is rejected after it was returned")
{
    listener l;
    t.open();
    auto& channel = confirming(t);
    publish(channel, &l, 1, "nowhere", "x");
    t.give(return_frames(1, "nowhere", "x") + nack(1));
    CHECK(l.told() == "nack 1+1 (1) ");
}

ENGINE_SCRIPT("returns: of a publish that was not mandatory, or that nobody watches")
{
    listener l;
    t.open();
    auto& channel = confirming(t);
    publish(channel, &l, 1, "nowhere", "x", false);
    publish(channel, nullptr, 0, "nowhere", "y");
    t.give(return_frames(1, "nowhere", "x") + return_frames(1, "nowhere", "y"));
    t.expect_events({"returned 1 x", "returned 1 y"});
    t.give(ack(2, true));
    CHECK(l.told() == "ack 1+1 (1) ");
}

ENGINE_SCRIPT("confirms: whoever went away is not told")
{
    listener gone, l;
    t.open();
    auto& channel = confirming(t);
    publish(channel, &gone, 1, "nowhere", "x");
    publish(channel, &l, 1, "k", "x");
    publish(channel, &gone, 2, "k", "x");
    t.give(return_frames(1, "nowhere", "x"));
    channel.publishes().forget(gone);
    t.give(ack(3, true));
    CHECK(gone.told().empty());
    CHECK(l.told() == "ack 1+1 (1) ");
    CHECK(channel.publishes().outstanding() == 0);
}

ENGINE_SCRIPT("confirms: on a channel that does not confirm")
{
    t.open();
    static_cast<void>(t.open_channel());
    t.give(nack(0, false));
    CHECK(t.client().reason().code == lv::protocol_errc::unexpected_method);
    static_cast<void>(t.take_output());
    t.forget_events();
}
