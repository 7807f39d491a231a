#include "engine/script.hpp"

#include <string>
#include <string_view>

namespace lv = leveret;
namespace wire = leveret::wire;
using leveret::engine::client_config;
using leveret::test::frame;
using leveret::test::script;
using leveret::test::start_frame;
using leveret::test::tune_frame;

namespace {

struct offer {
    std::uint16_t channel_max;
    std::uint32_t frame_max;
    std::uint16_t heartbeat;
};
/// What we want; the heartbeat is the server's if 0xffffffff.
struct wish {
    std::uint16_t channel_max;
    std::uint32_t frame_max;
    std::uint32_t heartbeat;
};

constexpr std::uint32_t servers = client_config::heartbeat_from_server;

/// Asks for `ours`, is offered `theirs`, and answers `answer`; in use is then what the client reports.
void negotiate(script& t, wish ours, offer theirs, offer answer, offer in_use)
{
    client_config config;
    config.channel_max = ours.channel_max;
    config.frame_max = ours.frame_max;
    config.heartbeat = ours.heartbeat;
    t.begin(config);
    t.give(start_frame());
    static_cast<void>(t.take_output());
    t.give(tune_frame(theirs.channel_max, theirs.frame_max, theirs.heartbeat));
    const auto field = [](std::string_view name, std::uint32_t v) {
        return v == 0 ? "" : " " + std::string(name) + "=" + std::to_string(v);
    };
    const std::string tune_ok = "0 connection.tune-ok" + field("channel-max", answer.channel_max) +
                                field("frame-max", answer.frame_max) +
                                field("heartbeat", answer.heartbeat);
    t.expect({tune_ok, "0 connection.open"});
    CHECK(t.client().channel_max() == in_use.channel_max);
    CHECK(t.client().frame_max() == in_use.frame_max);
    CHECK(t.client().heartbeat() == in_use.heartbeat);
}

void refuse(script& t, std::uint32_t frame_max)
{
    t.begin();
    t.give(start_frame());
    static_cast<void>(t.take_output());
    t.give(tune_frame(0, frame_max, 0));
    t.expect({}); // no tune-ok, no vhost
    CHECK(t.client().reason().code == lv::protocol_errc::frame_max_too_small);
    const std::string closed = "closed: the server offers a frame_max of " + std::to_string(frame_max) +
                               "; every peer must accept 4096 (connection.tune)";
    t.expect_events({closed});
}

} // namespace

ENGINE_SCRIPT("tune: the lower value wins, ours")
{
    negotiate(t, {10, 8192, 7}, {2047, 131072, 60}, {10, 8192, 7}, {10, 8192, 7});
}
ENGINE_SCRIPT("tune: the lower value wins, the server's")
{
    negotiate(t, {2047, 131072, 60}, {10, 8192, 7}, {10, 8192, 7}, {10, 8192, 7});
}
ENGINE_SCRIPT("tune: zero from the server is no limit")
{
    negotiate(t, {100, 65536, 30}, {0, 0, 0}, {100, 65536, 30}, {100, 65536, 30});
}
ENGINE_SCRIPT("tune: zero from us is no limit, and no heartbeat")
{
    negotiate(t, {0, 0, 0}, {100, 65536, 30}, {100, 65536, 0}, {100, 65536, 0});
}
ENGINE_SCRIPT("tune: zero from both; a frame still has a bound")
{
    negotiate(t, {0, 0, 0}, {0, 0, 0}, {0, 131072, 0}, {65535, 131072, 0});
}
ENGINE_SCRIPT("tune: the server's heartbeat is taken")
{
    negotiate(t, {2047, 131072, servers}, {2047, 131072, 580}, {2047, 131072, 580}, {2047, 131072, 580});
}
ENGINE_SCRIPT("tune: the largest values there are")
{
    negotiate(t, {65535, 0xffffffff, 65535}, {65535, 0xffffffff, 65535}, {65535, 0xffffffff, 65535},
              {65535, 0xffffffff, 65535});
}
ENGINE_SCRIPT("tune: frame_max 4096 is the least")
{
    negotiate(t, {0, 131072, 0}, {0, 4096, 0}, {0, 4096, 0}, {65535, 4096, 0});
}
ENGINE_SCRIPT("tune: frame_max 4095 is refused") { refuse(t, 4095); }
ENGINE_SCRIPT("tune: frame_max 1 is refused") { refuse(t, 1); }

ENGINE_SCRIPT("tune: a frame above the negotiated frame_max ends the connection")
{
    t.open({}, tune_frame(0, 4096, 0));
    static_cast<void>(t.open_channel());
    t.give(std::string_view("\x01\x00\x01\x00\x00\x0f\xf9", 7)); // 4089 and 8 of overhead
    CHECK(t.client().reason().code == lv::protocol_errc::frame_too_large);
    t.expect({"0 connection.close reply-code=501 reply-text=from the server: a frame is larger than the "
              "negotiated frame_max"});
    t.expect_events({"closed: from the server: a frame is larger than the negotiated frame_max"});
}

ENGINE_SCRIPT("tune: a frame of exactly frame_max is taken")
{
    t.open({}, tune_frame(0, 4096, 0));
    static_cast<void>(t.open_channel());
    const std::string body(4096 - 8, 'x');
    wire::basic::deliver m;
    m.delivery_tag = 1;
    t.give(frame(1, m) + lv::test::header_frame(1, body.size()) + lv::test::body_frame(1, body));
    t.expect_events({"delivery 1 #1 4088 bytes"});
}

ENGINE_SCRIPT("tune: before it, frames up to our own frame_max are taken")
{
    client_config config;
    config.frame_max = 4096;
    t.begin(config);
    lv::table large;
    large.append("text", std::string(4000, 'x'));
    const std::string encoded = wire::encode_table(large);
    wire::connection::start m;
    m.server_properties = {encoded};
    const std::string start = frame(0, m);
    REQUIRE(start.size() < 4096);
    t.give(start);
    CHECK(t.client().current_state() == lv::engine::client::state::authenticating);
    static_cast<void>(t.take_output());
}

ENGINE_SCRIPT("tune: channel_max 1 and a second channel is wanted")
{
    t.open({}, tune_frame(1, 0, 0));
    static_cast<void>(t.open_channel());
    auto& op = t.start_opening(t.new_channel());
    CHECK(op.has_failed());
    CHECK(op.reason().code == lv::errc::no_free_channel);
    t.expect({});
}
