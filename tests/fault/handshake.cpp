// What a server can do wrong before the connection is open: each ends connect with a typed error, at
// once, or at the deadline where there is nothing else to go by.
#include "support/coro_test.hpp"
#include "support/outcome.hpp"
#include "support/scripted_server.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lv = leveret;
namespace wire = leveret::wire;
using namespace std::chrono_literals;
using lv::test::frame;
using lv::test::outcome;
using lv::test::outcome_of;
using lv::test::raw_frame;
using lv::test::scripted_server;
using lv::test::scripted_peer;

namespace {

/// Sends `bytes` to a client that has sent its protocol header, and connects to that.
asio::awaitable<outcome> connect_to(std::string bytes, bool close_then = false)
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    server.play([&](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.answer(bytes);
        if (close_then)
            client.end_output();
        co_await client.until_gone();
    });
    co_return co_await outcome_of(lv::amqp::connect(server.url()));
}

std::string start_with(std::string_view table, std::string_view mechanisms = "PLAIN")
{
    wire::connection::start m;
    m.server_properties = {table};
    m.mechanisms = mechanisms;
    return frame(0, m);
}
/// One entry `a` of this type and value.
std::string entry(char type, std::string_view value)
{
    return std::string("\1a", 2) + type + std::string(value);
}
std::string nested_tables(std::size_t depth)
{
    std::string t;
    for (std::size_t below = depth; below-- > 0;) {
        std::string length(4, '\0');
        wire::writer(length.data(), 4).u32(static_cast<std::uint32_t>(7 * below));
        t += entry('F', length);
    }
    return t;
}
std::string sized_frame(std::uint32_t size)
{
    std::string head(7, '\0');
    wire::writer out(head.data(), 7);
    wire::write_frame_header(out, wire::frame_type::method, 0, size);
    return head;
}
/// connection.start whose field of server properties claims this many bytes.
std::string start_claiming(std::uint32_t table_size, std::string_view rest)
{
    std::string payload("\0\x0a\0\x0a\0\x09....", 10);
    wire::writer(payload.data() + 6, 4).u32(table_size);
    return raw_frame(1, 0, payload + std::string(rest));
}

struct hostile {
    const char* name;
    std::string bytes;
    lv::protocol_errc error;
};

std::vector<hostile> all_hostile()
{
    using e = lv::protocol_errc;
    wire::connection::start old;
    old.version_major = 8;
    old.version_minor = 0;
    std::string wrong_end = lv::test::start_frame();
    wrong_end.back() = '\xcd';
    const std::string start = lv::test::start_frame();
    const std::string payload = start.substr(7, start.size() - 8);
    return {
        {"an HTTP reply", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", e::protocol_header},
        {"AMQP 1.0", std::string("AMQP\0\1\0\0", 8), e::protocol_header},
        {"AMQP 0-10", std::string("AMQP\1\1\0\x0a", 8), e::protocol_header},
        {"our own protocol header", std::string(wire::protocol_header), e::protocol_header},
        {"a TLS alert", std::string("\x15\3\1\0\2\2\x46", 7), e::protocol_header},
        {"version 8-0", frame(0, old), e::protocol_header},
        {"no common mechanism", lv::test::start_frame("GSSAPI KERBEROS_V4"), e::no_mechanism},
        {"tables 650 deep", start_with(nested_tables(650)), e::table_depth},
        {"tables 16,000 deep", start_with(nested_tables(16'000)), e::table_depth},
        {"a frame of 2^31-1 bytes", sized_frame(0x7fffffff), e::protocol_header},
        {"a frame of 2^32-1 bytes", sized_frame(0xffffffff), e::protocol_header},
        {"a method frame of 0 bytes", raw_frame(1, 0, ""), e::malformed_arguments},
        {"a method frame of 3 bytes", raw_frame(1, 0, std::string_view("\0\x0a\0", 3)),
         e::malformed_arguments},
        {"a wrong end octet", wrong_end, e::protocol_header},
        {"frame type 99", raw_frame(99, 0, "x"), e::protocol_header},
        {"an unknown class", raw_frame(1, 0, std::string_view("\0\x63\0\x0a", 4)), e::unexpected_method},
        {"an unknown method", raw_frame(1, 0, std::string_view("\0\x0a\0\x63", 4)), e::unexpected_method},
        {"start on channel 5", raw_frame(1, 5, payload), e::channel_number},
        {"tune at once", lv::test::tune_frame(), e::unexpected_method},
        {"a header frame at once", lv::test::header_frame(0, 5), e::channel_number},
        {"a table longer than its frame", start_claiming(1000, "short"), e::malformed_arguments},
        {"a table of 2^32-1 bytes", start_claiming(0xffffffff, "short"), e::malformed_arguments},
        {"an entry longer than its table", start_with(entry('S', std::string_view("\0\0\0\x09x", 5))),
         e::malformed_table},
        {"a long string of 2^32-1", start_with(entry('S', std::string_view("\xff\xff\xff\xffx", 5))),
         e::malformed_table},
        {"an unknown field type", start_with(entry('?', "x")), e::field_type},
        {"a truncated start", raw_frame(1, 0, std::string_view(payload).substr(0, payload.size() - 3)),
         e::malformed_arguments},
        {"bytes behind start", raw_frame(1, 0, payload + "x"), e::trailing_bytes},
    };
}

/// A handshake up to tune, for what comes then.
asio::awaitable<outcome> connect_and_tune(std::string tune, lv::amqp::connect_options options = {})
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([&](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.answer(lv::test::start_frame());
        co_await client.answer(tune);
        co_await client.until_gone();
    });
    co_return co_await outcome_of(lv::amqp::connect(server.url(), options));
}

} // namespace

LEVERET_CORO_TEST_CASE("hostile handshake: bytes that can't be right")
{
    for (const hostile& h : all_hostile()) {
        CAPTURE(h.name);
        const outcome end = co_await connect_to(h.bytes);
        CAPTURE(end);
        CHECK(end.what() == outcome::kind::connection);
        CHECK(end.code() == h.error);
        CHECK(end.words().find("guest") == std::string::npos);
    }
}

LEVERET_CORO_TEST_CASE("hostile handshake: the same, and then the socket is closed")
{
    for (const hostile& h : all_hostile()) {
        CAPTURE(h.name);
        const outcome end = co_await connect_to(h.bytes, true);
        CAPTURE(end);
        CHECK(end.what() == outcome::kind::connection);
        CHECK(end.code() == h.error);
    }
}

LEVERET_CORO_TEST_CASE("hostile handshake: closed after accept")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        client.close();
        co_return;
    });
    const outcome end = co_await outcome_of(lv::amqp::connect(server.url()));
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
}

LEVERET_CORO_TEST_CASE("hostile handshake: closed at the end of any step")
{
    for (const std::string& bytes :
         {std::string(), lv::test::start_frame(), lv::test::start_frame() + lv::test::tune_frame()}) {
        const outcome end = co_await connect_to(bytes, true);
        CAPTURE(end);
        CHECK(end.what() == outcome::kind::connection);
        CHECK(end.code() == asio::error::eof);
    }
}

LEVERET_CORO_TEST_CASE("hostile handshake: nobody listens")
{
    std::string url;
    {
        scripted_server server(co_await asio::this_coro::executor);
        url = server.url();
    }
    const outcome end = co_await outcome_of(lv::amqp::connect(url));
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
    CHECK(end.code() == asio::error::connection_refused);
    CHECK(end.details().operation_fate == lv::fate::never_sent);
}

LEVERET_CORO_TEST_CASE("hostile handshake: silence, at every step")
{
    for (const std::string& bytes :
         {std::string(), lv::test::start_frame(), lv::test::start_frame() + lv::test::tune_frame()}) {
        scripted_server server(co_await asio::this_coro::executor);
        server.play([&](scripted_peer& client) -> asio::awaitable<void> {
            co_await client.send(bytes);
            co_await client.until_gone();
        });
        const outcome end =
            co_await outcome_of(lv::amqp::connect(server.url(), {.handshake_timeout = 100ms}));
        CAPTURE(end);
        CHECK(end.what() == outcome::kind::timeout);
        CHECK(end.code() == lv::errc::timed_out);
    }
}

LEVERET_CORO_TEST_CASE("hostile handshake: a byte now and then does not stretch the deadline")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    server.play([executor](scripted_peer& client) -> asio::awaitable<void> {
        for (const char c : lv::test::start_frame()) {
            co_await client.send(std::string(1, c));
            co_await lv::test::pause(executor, 20ms); // in all, many times the deadline
        }
        co_await client.until_gone();
    });
    const outcome end =
        co_await outcome_of(lv::amqp::connect(server.url(), {.handshake_timeout = 150ms}));
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::timeout);
}

LEVERET_CORO_TEST_CASE("hostile handshake: heartbeats without end are no handshake")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([&](scripted_peer& client) -> asio::awaitable<void> {
        std::string beats;
        for (int i = 0; i < 1000; ++i)
            beats += wire::heartbeat_frame;
        for (;;)
            co_await client.send(beats);
    });
    const outcome end = co_await outcome_of(lv::amqp::connect(server.url()));
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
    CHECK(end.code() == lv::protocol_errc::handshake_size);
}

LEVERET_CORO_TEST_CASE("hostile handshake: frame_max 1 and 4095")
{
    for (const std::uint32_t frame_max : {1U, 4095U}) {
        const outcome end = co_await connect_and_tune(lv::test::tune_frame(0, frame_max, 0));
        CAPTURE(end);
        CHECK(end.what() == outcome::kind::connection);
        CHECK(end.code() == lv::protocol_errc::frame_max_too_small);
    }
}

LEVERET_CORO_TEST_CASE("hostile handshake: 403 instead of tune")
{
    const outcome end = co_await connect_and_tune(lv::test::connection_close_frame(
        403, "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN"));
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
    CHECK(end.code() == lv::reply_code::access_refused);
    CHECK(end.details().operation_fate == lv::fate::refused);
    CHECK(end.words() == "403 ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN");
}

LEVERET_CORO_TEST_CASE("hostile handshake: a close text that would disturb a terminal")
{
    const std::string text("no\n\x1b[2J\0\xff\xc3 \xe2\x80\xae", 13);
    const outcome end = co_await connect_and_tune(lv::test::connection_close_frame(530, text));
    CAPTURE(end);
    CHECK(end.code() == lv::reply_code::not_allowed);
    CHECK(end.details().text == text); // for programs, as it came
    for (const char c : end.words())
        CHECK((static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f));
}

LEVERET_CORO_TEST_CASE("hostile handshake: challenges, with PLAIN and without end")
{
    wire::connection::secure secure;
    secure.challenge = "what is the answer?";
    const outcome plain = co_await connect_and_tune(frame(0, secure));
    CAPTURE(plain);
    CHECK(plain.code() == lv::protocol_errc::no_mechanism);

    struct patient final : lv::sasl_mechanism {
        std::string_view name() const override { return "PLAIN"; }
        std::string initial_response() override { return ""; }
        std::string respond(std::string_view) override { return "42"; }
    } mechanism;
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += frame(0, secure);
    const outcome end = co_await connect_and_tune(many, {.mechanism = &mechanism});
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
    CHECK(end.code() == lv::protocol_errc::too_many_challenges);
}

LEVERET_CORO_TEST_CASE("hostile handshake: the user's mechanism throws, and connect throws that")
{
    struct broken final : lv::sasl_mechanism {
        std::string_view name() const override { return "PLAIN"; }
        std::string initial_response() override { return ""; }
        std::string respond(std::string_view) override { throw std::runtime_error("no token left"); }
    } mechanism;
    const outcome end =
        co_await connect_and_tune(frame(0, wire::connection::secure{}), {.mechanism = &mechanism});
    CHECK(end.what() == outcome::kind::other);
    CHECK(end.words() == "no token left");
}

LEVERET_CORO_TEST_CASE("hostile handshake: every host is tried that can't be reached, in order")
{
    const auto executor = co_await asio::this_coro::executor;
    std::string dead;
    {
        scripted_server none(executor);
        dead = none.url("");
    }
    scripted_server server(executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        co_await client.until_closed();
    });
    const std::string alive = server.url();
    std::string hosts = dead;
    for (int i = 0; i < 8; ++i)
        hosts += "," + dead.substr(dead.find('@') + 1);
    hosts += "," + alive.substr(alive.find('@') + 1);
    auto connection = co_await lv::amqp::connect(hosts);
    CHECK(connection.is_open());
    co_await connection.close();
}
