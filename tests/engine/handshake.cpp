#include "engine/script.hpp"

#include <stdexcept>
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

constexpr const char* start_ok =
    "0 connection.start-ok client-properties={product,version,platform,capabilities}";

std::string secure_frame(std::string_view challenge)
{
    wire::connection::secure m;
    m.challenge = challenge;
    return frame(0, m);
}
std::string start_of_version(std::uint8_t major, std::uint8_t minor)
{
    wire::connection::start m;
    m.version_major = major;
    m.version_minor = minor;
    return frame(0, m);
}

/// Answers each challenge with the challenge backwards.
class backwards final : public lv::sasl_mechanism {
public:
    std::string_view name() const override { return "BACKWARDS"; }
    std::string initial_response() override { return "first"; }
    std::string respond(std::string_view challenge) override
    {
        return std::string(challenge.rbegin(), challenge.rend());
    }
};

void finish_handshake(script& t)
{
    t.give(tune_frame());
    t.expect({"0 connection.tune-ok channel-max=2047 frame-max=131072", "0 connection.open"});
    t.give(frame(0, wire::connection::open_ok{}));
    t.expect_events({"opened"});
}

} // namespace

ENGINE_SCRIPT("handshake: PLAIN")
{
    t.begin();
    CHECK(t.client().current_state() == lv::engine::client::state::starting);
    t.give(start_frame());
    t.expect({std::string(start_ok) + " response=\\x00guest\\x00guest"});
    CHECK(t.client().current_state() == lv::engine::client::state::authenticating);
    t.give(tune_frame());
    t.expect({"0 connection.tune-ok channel-max=2047 frame-max=131072", "0 connection.open"});
    CHECK(t.client().current_state() == lv::engine::client::state::opening);
    t.give(frame(0, wire::connection::open_ok{}));
    t.expect_events({"opened"});
    CHECK(t.client().is_open());
    CHECK(t.client().next_deadline() == lv::instant::never());
    const auto* product = t.client().server_properties().find_as<std::string>("product");
    REQUIRE(product != nullptr);
    CHECK(*product == "scripted");
}

ENGINE_SCRIPT("handshake: AMQPLAIN is a table without its length")
{
    client_config config;
    config.user = "me";
    config.password = "secret";
    t.begin(config);
    t.give(start_frame("EXTERNAL AMQPLAIN"));
    t.expect({std::string(start_ok) + " mechanism=AMQPLAIN response="
                                      "\\x05LOGINS\\x00\\x00\\x00\\x02me"
                                      "\\x08PASSWORDS\\x00\\x00\\x00\\x06secret"});
    finish_handshake(t);
}

ENGINE_SCRIPT("handshake: EXTERNAL sends no response")
{
    client_config config;
    config.mechanisms = {"EXTERNAL", "PLAIN"};
    t.begin(config);
    t.give(start_frame("PLAIN EXTERNAL"));
    t.expect({std::string(start_ok) + " mechanism=EXTERNAL"});
    finish_handshake(t);
}

ENGINE_SCRIPT("handshake: our order of mechanisms counts, and whole words")
{
    client_config config;
    config.mechanisms = {"AMQPLAIN", "PLAIN"};
    t.begin(config);
    t.give(start_frame("XAMQPLAIN PLAIN  AMQPLAINX"));
    t.expect({std::string(start_ok) + " response=\\x00guest\\x00guest"});
    finish_handshake(t);
}

ENGINE_SCRIPT("handshake: a mechanism of the user's own, with challenges")
{
    backwards mechanism;
    client_config config;
    config.custom_mechanism = &mechanism;
    t.begin(config);
    t.give(start_frame("PLAIN BACKWARDS"));
    t.expect({std::string(start_ok) + " mechanism=BACKWARDS response=first"});
    t.give(secure_frame("abc"));
    t.expect({"0 connection.secure-ok response=cba"});
    t.give(secure_frame(""));
    t.expect({"0 connection.secure-ok"});
    finish_handshake(t);
}

ENGINE_SCRIPT("handshake: challenges without end")
{
    backwards mechanism;
    client_config config;
    config.custom_mechanism = &mechanism;
    t.begin(config);
    t.give(start_frame("BACKWARDS"));
    for (int i = 0; i < client_config::max_challenges; ++i)
        t.give(secure_frame("x"));
    CHECK(t.client().current_state() == lv::engine::client::state::authenticating);
    static_cast<void>(t.take_output());
    t.give(secure_frame("x"));
    CHECK(t.client().reason().code == lv::protocol_errc::too_many_challenges);
    t.expect_events({"closed: the server did not end the authentication after 16 challenges "
                     "(connection.secure)"});
}

ENGINE_SCRIPT("handshake: a challenge for a built-in mechanism")
{
    t.begin();
    t.give(start_frame());
    static_cast<void>(t.take_output());
    t.give(secure_frame("x"));
    CHECK(t.client().reason().code == lv::protocol_errc::no_mechanism);
    t.expect_events({"closed: the server sent a challenge that the mechanism has no answer to "
                     "(connection.secure)"});
}

ENGINE_SCRIPT("handshake: no mechanism in common, and no credentials sent")
{
    t.begin();
    t.give(start_frame("GSSAPI \x1b[31mEVIL"));
    CHECK(t.client().reason().code == lv::protocol_errc::no_mechanism);
    t.expect({});
    t.expect_events({"closed: no authentication mechanism in common; the server offers: "
                     "GSSAPI \\x1b[31mEVIL (connection.start)"});
}

ENGINE_SCRIPT("handshake: the user's mechanism is not offered, PLAIN is not a substitute")
{
    backwards mechanism;
    client_config config;
    config.custom_mechanism = &mechanism;
    t.begin(config);
    t.give(start_frame("PLAIN AMQPLAIN"));
    CHECK(t.client().reason().code == lv::protocol_errc::no_mechanism);
    t.expect({});
    t.expect_events({"closed: no authentication mechanism in common; the server offers: "
                     "PLAIN AMQPLAIN (connection.start)"});
}

ENGINE_SCRIPT("handshake: credentials are not sent by a mechanism that was not asked for")
{
    client_config config;
    config.mechanisms = {"EXTERNAL"};
    t.begin(config);
    t.give(start_frame("PLAIN  AMQPLAIN"));
    CHECK(t.client().reason().code == lv::protocol_errc::no_mechanism);
    t.expect({});
    t.expect_events({"closed: no authentication mechanism in common; the server offers: "
                     "PLAIN  AMQPLAIN (connection.start)"});
}

ENGINE_SCRIPT("handshake: an empty list of mechanisms")
{
    t.begin();
    t.give(start_frame(""));
    CHECK(t.client().reason().code == lv::protocol_errc::no_mechanism);
    t.expect_events({"closed: no authentication mechanism in common; the server offers:  "
                     "(connection.start)"});
}

ENGINE_SCRIPT("handshake: AMQP 0-8")
{
    t.begin();
    t.give(start_of_version(8, 0));
    CHECK(t.client().reason().code == lv::protocol_errc::protocol_header);
    t.expect_events({"closed: the server speaks AMQP 8-0, not 0-9-1 (connection.start)"});
}

ENGINE_SCRIPT("handshake: another protocol header")
{
    t.begin();
    t.give(std::string_view("AMQP\0\1\0\0", 8));
    CHECK(t.client().reason().code == lv::protocol_errc::protocol_header);
    t.expect_events({"closed: the server does not speak AMQP 0-9-1"});
}

ENGINE_SCRIPT("handshake: every method out of order ends it, and the server is told nothing")
{
    t.begin();
    t.give(tune_frame());
    CHECK(t.client().reason().code == lv::protocol_errc::unexpected_method);
    t.expect({});
    t.expect_events({"closed: the server broke the order of the handshake (connection.tune)"});
}

ENGINE_SCRIPT("handshake: start twice")
{
    t.begin();
    t.give(start_frame());
    static_cast<void>(t.take_output());
    t.give(start_frame());
    t.expect({});
    t.expect_events({"closed: the server broke the order of the handshake (connection.start)"});
}

ENGINE_SCRIPT("handshake: start on a channel")
{
    t.begin();
    t.give(frame(5, wire::connection::start{}));
    CHECK(t.client().reason().code == lv::protocol_errc::channel_number);
    t.expect_events({"closed: a method from the server on a channel that is not open "
                     "(connection.start on channel 5)"});
}

ENGINE_SCRIPT("handshake: refused with the server's words")
{
    t.begin();
    t.give(start_frame());
    static_cast<void>(t.take_output());
    t.give(lv::test::connection_close_frame(403, "ACCESS_REFUSED - Login was refused"));
    t.expect({"0 connection.close-ok"});
    CHECK(t.client().reason().code == lv::reply_code::access_refused);
    t.expect_events({"closed: 403 ACCESS_REFUSED - Login was refused"});
}

ENGINE_SCRIPT("handshake: the virtual host is refused")
{
    client_config config;
    config.vhost = "nowhere";
    t.begin(config);
    t.give(start_frame());
    t.give(tune_frame(0, 0, 60));
    static_cast<void>(t.take_output());
    t.give(lv::test::connection_close_frame(530, "NOT_ALLOWED - vhost nowhere not found"));
    t.expect({"0 connection.close-ok"});
    t.expect_events({"closed: 530 NOT_ALLOWED - vhost nowhere not found"});
}

ENGINE_SCRIPT("handshake: its deadline covers all of it")
{
    client_config config;
    config.handshake_timeout = lv::duration::seconds(3);
    t.begin(config);
    t.advance(lv::duration::milliseconds(1500));
    t.give(start_frame());
    static_cast<void>(t.take_output());
    t.advance(lv::duration::milliseconds(1499));
    t.expect_events({});
    t.advance(lv::duration::milliseconds(1));
    CHECK(t.client().reason().code == lv::errc::timed_out);
    t.expect_events({"closed: the handshake with the server took longer than 3000 ms; "
                     "it stood at authentication"});
    t.give(tune_frame()); // too late: not looked at
    t.expect({});
}

ENGINE_SCRIPT("handshake: more bytes than it may take")
{
    t.begin();
    t.give(start_frame());
    static_cast<void>(t.take_output());
    std::string many;
    while (many.size() <= client_config::max_handshake_bytes)
        many += wire::heartbeat_frame;
    t.give(many);
    CHECK(t.client().reason().code == lv::protocol_errc::handshake_size);
    CHECK(t.client().current_state() == lv::engine::client::state::closed);
    t.forget_events(); // how many bytes there were depends on the reads
}

ENGINE_SCRIPT("handshake: the end of input names what often is the reason")
{
    t.begin();
    t.give(start_frame());
    static_cast<void>(t.take_output());
    t.client().input_ended(std::make_error_code(std::errc::connection_reset), "the socket broke");
    t.pull();
    t.expect_events({"closed: the socket broke; during authentication this often means that the "
                     "credentials are wrong"});
}

TEST_CASE("handshake: the client's properties and capabilities")
{
    client_config config;
    config.client_properties.set("product", "mine").set("connection_name", "here");
    const lv::table t = lv::engine::client_properties(config);
    REQUIRE(t.find_as<std::string>("product") != nullptr);
    CHECK(*t.find_as<std::string>("product") == "mine");
    CHECK(*t.find_as<std::string>("connection_name") == "here");
    const auto* capabilities = t.find_as<lv::table>("capabilities");
    REQUIRE(capabilities != nullptr);
    for (const char* name : {"publisher_confirms", "exchange_exchange_bindings", "basic.nack",
                             "consumer_cancel_notify", "connection.blocked",
                             "authentication_failure_close"}) {
        CAPTURE(name);
        REQUIRE(capabilities->find_as<bool>(name) != nullptr);
        CHECK(*capabilities->find_as<bool>(name));
    }
}
