// What a server can do wrong on a channel: each ends what waits with a typed error at once, and the
// server is told why.
#include "support/coro_test.hpp"
#include "support/outcome.hpp"
#include "support/scripted_server.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lv = leveret;
namespace wire = leveret::wire;
using lv::test::body_frame;
using lv::test::frame;
using lv::test::header_frame;
using lv::test::outcome;
using lv::test::outcome_of;
using lv::test::raw_frame;
using lv::test::scripted_server;
using lv::test::scripted_peer;

namespace {

/// What the server heard after it misbehaved, until the client was gone.
struct heard {
    explicit heard(const asio::any_io_executor& executor) : end(executor) {}
    lv::test::latch end;
    std::string frames;
};

asio::awaitable<void> misbehave(scripted_peer& client, std::string bytes, std::shared_ptr<heard> what)
{
    try {
        co_await client.send(bytes);
        for (;;) {
            const auto f = co_await client.next();
            what->frames += f.text() + "\n";
            if (f.method() == wire::connection::close::id)
                co_await client.send(frame(0, wire::connection::close_ok{}));
        }
    } catch (const lv::test::client_gone&) {
    }
    what->end.fire();
}

struct ended {
    ended() = default;
    outcome first;  ///< of what waited
    outcome second; ///< of the same again
    std::string heard;
};

asio::awaitable<outcome> next_of(lv::amqp::consumer& consumer)
{
    for (;;) {
        const outcome o = co_await outcome_of(consumer.next());
        if (!o.ok())
            co_return o;
    }
}

/// A consumer `c` waits on channel 1 when these bytes come.
asio::awaitable<ended> send_to_consumer(std::string bytes)
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    const auto what = std::make_shared<heard>(executor);
    server.play([what, bytes](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        co_await client.answer(frame(1, wire::basic::qos_ok{}));
        wire::basic::consume_ok ok;
        ok.consumer_tag = "c";
        co_await client.answer(frame(1, ok));
        co_await misbehave(client, bytes, what);
    });
    ended e;
    {
        auto connection = co_await lv::amqp::connect(server.url());
        auto channel = co_await connection.open_channel();
        auto consumer = co_await channel.consume("q", {.tag = "c"});
        e.first = co_await next_of(consumer);
        e.second = co_await outcome_of(channel.declare_queue("q"));
        co_await connection.close();
    }
    co_await what->end.wait();
    e.heard = what->frames;
    co_return e;
}

std::string deliver(std::uint64_t tag, std::string_view consumer = "c")
{
    wire::basic::deliver m;
    m.consumer_tag = consumer;
    m.delivery_tag = tag;
    return frame(1, m);
}
/// A header frame with these bytes behind class, weight and body size.
std::string header_with(std::string_view flags_and_properties, std::uint64_t body_size = 1)
{
    std::string payload("\0\x3c\0\0........", 12);
    wire::writer(payload.data() + 4, 8).u64(body_size);
    return raw_frame(2, 1, payload + std::string(flags_and_properties));
}
/// Flags for headers only, and a table of this many claimed bytes.
std::string header_with_table(std::uint32_t claimed, std::string_view entries)
{
    std::string bytes("\x20\0....", 6);
    wire::writer(bytes.data() + 2, 4).u32(claimed);
    return header_with(bytes + std::string(entries));
}
/// Arrays in each other, 5 bytes each, as the value of one entry.
std::string nested_arrays(std::size_t depth)
{
    std::string t("\1a", 2);
    for (std::size_t below = depth; below-- > 0;) {
        std::string length(4, '\0');
        wire::writer(length.data(), 4).u32(static_cast<std::uint32_t>(5 * below));
        t += 'A' + length;
    }
    return t;
}

struct hostile {
    const char* name;
    std::string bytes;
    lv::protocol_errc error;
};

std::vector<hostile> all_hostile()
{
    using e = lv::protocol_errc;
    const std::string arrays = nested_arrays(25'000);
    std::string flags;
    for (int i = 0; i < 30'000; ++i)
        flags += "\xff\xff";
    std::string wrong_class = header_frame(1, 1);
    wrong_class[8] = 50;
    return {
        {"a reply on another channel", frame(2, wire::channel::open_ok{}), e::channel_number},
        {"a reply that nobody waits for", frame(1, wire::queue::bind_ok{}), e::unexpected_method},
        {"a header without a method", header_frame(1, 1), e::unexpected_frame},
        {"a body without a header", deliver(1) + body_frame(1, "x"), e::unexpected_frame},
        {"a body without anything", body_frame(1, "x"), e::unexpected_frame},
        {"deliver twice in a row", deliver(1) + deliver(2), e::unexpected_frame},
        {"body-size 2^63", deliver(1) + header_frame(1, std::uint64_t{1} << 63U), e::message_too_large},
        {"body-size 2^64-1", deliver(1) + header_frame(1, ~std::uint64_t{0}), e::message_too_large},
        {"a body longer than announced", deliver(1) + header_frame(1, 1) + body_frame(1, "xy"),
         e::body_too_long},
        {"header class 50", deliver(1) + wrong_class, e::header_class},
        {"all property flags and no values", deliver(1) + header_with("\xff\xfc"), e::malformed_header},
        {"property flags without end", deliver(1) + header_with(flags), e::malformed_header},
        {"flags of a property that does not exist", deliver(1) + header_with(std::string_view("\0\2", 2)),
         e::malformed_header},
        {"a header that is too short", deliver(1) + raw_frame(2, 1, std::string_view("\0\x3c\0\0", 4)),
         e::malformed_header},
        {"bytes behind the properties", deliver(1) + header_with(std::string_view("\0\0x", 3)),
         e::trailing_bytes},
        {"an unknown consumer tag", lv::test::delivery_frames(1, "another", 1, "x"), e::unexpected_method},
        {"a delivery tag of 0", lv::test::delivery_frames(1, "c", 0, "x"), e::unexpected_method},
        {"a delivery tag twice",
         lv::test::delivery_frames(1, "c", 1, "x") + lv::test::delivery_frames(1, "c", 1, "x"),
         e::unexpected_method},
        {"the largest delivery tag", lv::test::delivery_frames(1, "c", ~std::uint64_t{0}, "x"),
         e::unexpected_method},
        {"a frame above frame_max", raw_frame(3, 1, std::string(131072 - 7, 'x')), e::frame_too_large},
        {"25,000 nested arrays",
         deliver(1) + header_with_table(static_cast<std::uint32_t>(arrays.size()), arrays), e::table_depth},
        {"a table length that wraps", deliver(1) + header_with_table(0xfffffffe, "\1aI"),
         e::malformed_header},
        {"a table entry of no type", deliver(1) + header_with_table(3, "\1a?"), e::field_type},
        {"a frame that does not end", deliver(1).substr(0, deliver(1).size() - 1) + "\xcd", e::frame_end},
        {"frame type 99", raw_frame(99, 1, "x"), e::frame_type},
        {"a heartbeat on a channel", raw_frame(8, 1, ""), e::unexpected_frame},
        {"an unknown class", raw_frame(1, 1, std::string_view("\0\x63\0\x0a", 4)), e::unknown_method},
        {"connection.redirect, which 0-8 had", raw_frame(1, 0, std::string_view("\0\x0a\0\x2a\0", 5)),
         e::unknown_method},
        {"secure after open", frame(0, wire::connection::secure{}), e::unexpected_method},
        {"start after open", frame(0, wire::connection::start{}), e::unexpected_method},
        {"tune after open", lv::test::tune_frame(), e::unexpected_method},
        {"an acknowledgement of what was never published", frame(1, wire::basic::nack{}),
         e::unexpected_method},
        {"a message that nobody asked for", lv::test::get_ok_frames(1, 1, "x"), e::unexpected_method},
        {"content on channel 0", header_frame(0, 1), e::channel_number},
        {"a publish, as if the client were the server", frame(1, wire::basic::publish{}),
         e::unexpected_method},
    };
}

} // namespace

LEVERET_CORO_TEST_CASE("hostile channel: frames that can't be right" * doctest::timeout(120))
{
    for (const hostile& h : all_hostile()) {
        CAPTURE(h.name);
        const ended e = co_await send_to_consumer(h.bytes);
        CAPTURE(e.first);
        CAPTURE(e.heard);
        CHECK(e.first.what() == outcome::kind::connection);
        CHECK(e.first.code() == h.error);
        CHECK(e.second.what() == outcome::kind::connection);
        CHECK(e.second.code() == h.error);
        const std::string told = "0 connection.close reply-code=" +
                                 std::to_string(static_cast<int>(lv::reply_code_for(h.error))) + " ";
        CHECK(e.heard.find(told) != std::string::npos);
    }
}

LEVERET_CORO_TEST_CASE("hostile channel: frames on all 65,535 channels, none of which is open")
{
    std::string bytes;
    for (std::uint32_t number = 65535; number >= 2; --number)
        bytes += header_frame(static_cast<std::uint16_t>(number), 1'000'000);
    const ended e = co_await send_to_consumer(bytes);
    CHECK(e.first.code() == lv::protocol_errc::channel_number);
}

LEVERET_CORO_TEST_CASE("hostile channel: closed in the middle of a body")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        static_cast<void>(co_await client.expect<wire::basic::get>());
        wire::basic::get_ok m;
        m.delivery_tag = 1;
        co_await client.send(frame(1, m) + header_frame(1, 1'000'000) +
                             body_frame(1, std::string(10'000, 'x')));
        client.end_output();
        co_await client.until_gone();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    const outcome end = co_await outcome_of(channel.get("q"));
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
    CHECK(end.code() == asio::error::eof);
    CHECK(end.details().operation_fate == lv::fate::unknown);
    CHECK_FALSE(connection.is_open());
    CHECK_FALSE(channel.is_open());
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("hostile channel: open-ok on another channel")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        co_await client.answer(frame(2, wire::channel::open_ok{}));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    const outcome end = co_await outcome_of(connection.open_channel());
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
    CHECK(end.code() == lv::protocol_errc::channel_number);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("hostile channel: every operation that waits gets the wrong reply")
{
    const auto executor = co_await asio::this_coro::executor;
    for (int which = 0; which < 5; ++which) {
        CAPTURE(which);
        scripted_server server(executor);
        server.play([](scripted_peer& client) -> asio::awaitable<void> {
            co_await client.handshake();
            static_cast<void>(co_await client.open_channel());
            co_await client.answer(frame(1, wire::exchange::unbind_ok{}));
            co_await client.until_closed();
        });
        auto connection = co_await lv::amqp::connect(server.url());
        auto channel = co_await connection.open_channel();
        outcome end;
        if (which == 0)
            end = co_await outcome_of(channel.declare_queue("q"));
        else if (which == 1)
            end = co_await outcome_of(channel.get("q"));
        else if (which == 2)
            end = co_await outcome_of(channel.consume("q"));
        else if (which == 3)
            end = co_await outcome_of(channel.publish_confirmed("", "q", "x"));
        else
            end = co_await outcome_of(channel.commit());
        CAPTURE(end);
        CHECK(end.what() == outcome::kind::connection);
        CHECK(end.code() == lv::protocol_errc::unexpected_method);
        co_await connection.close();
    }
}

LEVERET_CORO_TEST_CASE("hostile channel: many operations wait when the connection ends, all are told")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        for (int i = 0; i < 20; ++i)
            static_cast<void>(co_await client.expect<wire::queue::declare>());
        co_await client.send(lv::test::connection_close_frame(320, "CONNECTION_FORCED - bye"));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    std::vector<lv::test::background> all;
    for (int i = 0; i < 20; ++i)
        all.emplace_back(executor, channel.declare_queue("q"));
    all.emplace_back(executor, connection.update_secret("s"));
    all.emplace_back(executor, channel.next_return());
    for (auto& one : all) {
        const outcome end = co_await one.join();
        CAPTURE(end);
        CHECK(end.what() == outcome::kind::connection);
        CHECK(end.code() == lv::reply_code::connection_forced);
    }
    co_await connection.close();
}
