#include "engine/server_script.hpp"

using namespace leveret;
using namespace leveret::test;
using namespace std::string_view_literals;

SERVER_SCRIPT("server: the handshake")
{
    t.give(wire::protocol_header);
    t.expect("0 connection.start mechanisms=PLAIN AMQPLAIN\n");
    t.give(server_peer::start_ok(server_peer::capable()));
    t.expect_events("login PLAIN \\x00guest\\x00guest\n");
    t.expect("0 connection.tune channel-max=2047 frame-max=131072 heartbeat=60\n");
    t.give(server_peer::tune_ok(100, 8192, 10));
    t.expect("");
    t.give(frame(0, wire::connection::open{.virtual_host = "v"}));
    t.expect_events("opening v\n");
    t.expect("0 connection.open-ok\n");
    CHECK(t.connection().channel_max() == 100);
    CHECK(t.connection().frame_max() == 8192);
    CHECK(t.connection().heartbeat() == 10);
    CHECK(t.connection().client_can("basic.nack"));
    CHECK_FALSE(t.connection().client_can("nosuch"));
    t.give(frame(0, wire::connection::close{.reply_code = 200}));
    t.expect("0 connection.close-ok\n");
    t.expect_events("closed \n");
    CHECK(t.connection().is_closed());
}

SERVER_SCRIPT("server: what is no AMQP 0-9-1 gets the protocol header at its first wrong byte")
{
    t.give("AMQP\x01"sv);
    t.expect("protocol header\n");
    t.expect_events(
        "closed the client does not speak AMQP 0-9-1: it began with <<65,77,81,80,1>>\n");
    CHECK(t.connection().is_closed());
}

SERVER_SCRIPT("server: a handshake of more than the limit of bytes ends with 501")
{
    t.config.handshake_bytes = 300;
    t.give(wire::protocol_header);
    static_cast<void>(t.take());
    const std::string rest = server_peer::start_ok({{"long", std::string(400, 'x')}});
    t.give(rest);
    t.expect("0 connection.close reply-code=501 reply-text=FRAME_ERROR - more than 300 bytes "
             "before the client "
             "has logged in\n");
}

SERVER_SCRIPT("server: exactly the limit of bytes is fine")
{
    const std::string start_ok = server_peer::start_ok(server_peer::capable());
    t.config.handshake_bytes = wire::protocol_header.size() + start_ok.size();
    t.give(wire::protocol_header);
    static_cast<void>(t.take());
    t.give(start_ok);
    t.expect("0 connection.tune channel-max=2047 frame-max=131072 heartbeat=60\n");
}

SERVER_SCRIPT("server: tables nested too deeply, before the login")
{
    t.config.limits.table_depth = 3;
    table deep;
    for (int i = 0; i < 5; ++i) {
        table outer;
        outer.append("t", std::move(deep));
        deep = std::move(outer);
    }
    t.give(wire::protocol_header);
    static_cast<void>(t.take());
    t.give(server_peer::start_ok(deep));
    const std::string said = text_of_frames(t.take());
    CHECK(said.starts_with(
        "0 connection.close reply-code=501 reply-text=FRAME_ERROR - cannot decode <<"));
    CHECK(said.ends_with("class-id=10 method-id=11\n"));
}

SERVER_SCRIPT("server: what is wrong with a login is told without the password")
{
    t.give(wire::protocol_header);
    static_cast<void>(t.take());
    std::string start_ok = server_peer::start_ok({});
    SUBCASE("cut off")
    {
        start_ok = raw_frame(1, 0, std::string_view(start_ok).substr(7, start_ok.size() - 7 - 4));
    }
    SUBCASE("a wrong end") { start_ok.back() = 'x'; }
    SUBCASE("a wrong type") { start_ok.front() = '\x09'; }
    REQUIRE(start_ok.find("guest") != std::string::npos);
    t.give(start_ok);
    const std::string said = text_of_frames(t.take());
    CHECK(said.find("reply-code=501") != std::string::npos);
    CHECK(said.find("octets>>") != std::string::npos);
    CHECK(said.find("guest") == std::string::npos);
    CHECK(said.find("103,117,101,115,116") == std::string::npos); // the same in numbers
}

SERVER_SCRIPT("server: a refused login is told after the delay to who can take it")
{
    t.accepts_logins = false;
    t.give(wire::protocol_header);
    t.give(server_peer::start_ok(server_peer::capable()));
    static_cast<void>(t.take());
    t.pass(duration::milliseconds(999));
    t.expect("");
    t.pass(duration::milliseconds(1));
    t.expect("0 connection.close reply-code=403 reply-text=no\n");
    t.give(frame(0, wire::connection::close_ok{}));
    CHECK(t.connection().is_closed());
}

SERVER_SCRIPT("server: a refused login without that capability is cut off")
{
    t.accepts_logins = false;
    t.give(wire::protocol_header);
    t.give(server_peer::start_ok({}));
    static_cast<void>(t.take());
    t.give("more that nobody reads");
    t.pass(duration::seconds(1));
    t.expect("");
    t.expect_events("login PLAIN \\x00guest\\x00guest\nclosed no\n");
    CHECK(t.connection().is_closed());
}

SERVER_SCRIPT("server: the handshake has ten seconds in all")
{
    t.give(wire::protocol_header);
    t.pass(duration::seconds(5));
    t.give(server_peer::start_ok({}));
    t.pass(duration::milliseconds(4999));
    CHECK_FALSE(t.connection().is_closed());
    t.pass(duration::milliseconds(1));
    CHECK(t.connection().is_closed());
    CHECK(t.connection().reason() == "the handshake took longer than 10000 ms");
}

SERVER_SCRIPT("server: methods out of order in the handshake")
{
    t.give(wire::protocol_header);
    static_cast<void>(t.take());
    t.give(server_peer::tune_ok());
    t.expect("0 connection.close reply-code=504 reply-text=CHANNEL_ERROR - unexpected method in "
             "connection state "
             "starting class-id=10 method-id=31\n");
    t.pass(duration::seconds(5)); // no close-ok comes
    CHECK(t.connection().is_closed());
}

SERVER_SCRIPT("server: update-secret is answered")
{
    t.open();
    t.give(frame(0, wire::connection::update_secret{.new_secret = "x"}));
    t.expect("0 connection.update-secret-ok\n");
}

SERVER_SCRIPT("server: the end of input ends it")
{
    t.open();
    t.open_channel();
    t.end_input();
    t.expect_events("closed gone\n");
    CHECK(t.channel_of(1) == nullptr);
}
