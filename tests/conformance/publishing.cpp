// What goes in comes out: bodies, properties, headers; returns; what is refused.
#include "conformance/conformance.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

using namespace leveret::test;

LEVERET_CONFORMANCE_CASE("publish: every property arrives")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const lv::table headers{{"one", 1}, {"two", "zwei"}};
    lv::message m{"body"};
    m.properties()
        .content_type("text/plain")
        .content_encoding("utf-8")
        .headers(headers)
        .delivery_mode(2)
        .priority(7)
        .correlation_id("c-1")
        .reply_to("someone")
        .expiration("600000")
        .message_id("m-1")
        .timestamp(lv::timestamp{1'700'000'000})
        .type("greeting")
        .user_id(Transport::user)
        .app_id("conformance")
        .cluster_id("none");
    co_await channel.publish("", queue, m);
    auto got = co_await channel.get(queue);
    REQUIRE(got);
    const auto& p = got->properties();
    CHECK(p.content_type() == "text/plain");
    CHECK(p.content_encoding() == "utf-8");
    CHECK(got->headers() == headers);
    CHECK(p.delivery_mode() == 2);
    CHECK(p.priority() == 7);
    CHECK(p.correlation_id() == "c-1");
    CHECK(p.reply_to() == "someone");
    CHECK(p.expiration() == "600000");
    CHECK(p.message_id() == "m-1");
    CHECK(p.timestamp() == lv::timestamp{1'700'000'000});
    CHECK(p.type() == "greeting");
    CHECK(p.user_id() == Transport::user);
    CHECK(p.app_id() == "conformance");
    CHECK(p.cluster_id() == "none");
    CHECK(got->message() == m);
    got->ack();
}

LEVERET_CONFORMANCE_CASE("publish: absent, empty and zero properties are told apart")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    lv::message m{"x"};
    m.properties().content_type("").priority(0).timestamp(lv::timestamp{0}).headers(lv::table());
    co_await channel.publish("", queue, m);
    co_await channel.publish("", queue, "bare");
    auto got = co_await channel.get(queue);
    auto bare = co_await channel.get(queue);
    REQUIRE(got);
    REQUIRE(bare);
    CHECK(got->properties().has(lv::property::content_type));
    CHECK(got->properties().has(lv::property::priority));
    CHECK(got->properties().has(lv::property::timestamp));
    CHECK(got->properties().has(lv::property::headers));
    CHECK(!got->properties().has(lv::property::type));
    CHECK(got->message() == m);
    CHECK(bare->properties().flags() == 0);
}

LEVERET_CONFORMANCE_CASE("publish: texts of 255 bytes fit, longer ones are not sent")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const std::string longest(255, 'x');
    const std::string too_long(256, 'x');
    const lv::message fits = lv::message{"x"}.message_id(longest).header(longest.substr(0, 128), 1);
    const lv::message not_so = lv::message{"x"}.message_id(too_long);
    co_await channel.publish("", queue, fits);
    const auto refused_id = co_await refused([&]() -> asio::awaitable<void> {
        co_await channel.publish("", queue, not_so);
    }());
    CHECK(refused_id.closed() == refusal::level::other);
    const auto refused_key = co_await refused([&]() -> asio::awaitable<void> {
        co_await channel.publish("", too_long, "x");
    }());
    CHECK(refused_key.closed() == refusal::level::other);
    CHECK(channel.is_open());
    auto got = co_await channel.get(queue);
    REQUIRE(got);
    CHECK(got->message() == fits);
    const auto more = co_await drain(channel, queue);
    CHECK(more == "");
}

LEVERET_CONFORMANCE_CASE("publish: headers of every type arrive with their types")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const lv::field_array list{1, "two", lv::field_value(), true};
    const lv::table inner{{"deep", list}, {"empty", lv::table()}};
    const std::string zeros("a\0b", 3);
    const lv::table headers{{"void", lv::field_value()},
                            {"bool", true},
                            {"int8", std::int8_t{-8}},
                            {"uint8", std::uint8_t{200}},
                            {"int16", std::int16_t{-3000}},
                            {"uint16", std::uint16_t{60'000}},
                            {"int32", std::int32_t{-70'000}},
                            {"uint32", std::uint32_t{4'000'000'000}},
                            {"int64", std::numeric_limits<std::int64_t>::min()},
                            {"float", 1.5F},
                            {"double", 0.1},
                            {"decimal", lv::decimal{2, 31'415}},
                            {"text", zeros},
                            {"bytes", lv::byte_array(zeros)},
                            {"time", lv::timestamp{1'700'000'000}},
                            {"list", list},
                            {"table", inner}};
    const lv::message m = lv::message{"x"}.headers(headers);
    co_await channel.publish("", queue, m);
    auto got = co_await channel.get(queue);
    REQUIRE(got);
    const auto seen = got->headers();
    CHECK(seen.size() == headers.size());
    for (const auto& [key, value] : headers) {
        const auto* there = seen.find(key);
        REQUIRE(there != nullptr);
        const bool same_type = there->type() == value.type();
        const bool same = *there == value;
        CAPTURE(key);
        CHECK(same_type);
        CHECK(same);
    }
}

LEVERET_CONFORMANCE_CASE("publish: bodies that are empty, of any bytes, of a MiB")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    std::string binary;
    for (int i = 0; i < 256; ++i)
        binary.push_back(static_cast<char>(i));
    std::string large;
    while (large.size() < 1024 * 1024)
        large += binary;
    large += "the end";
    co_await channel.publish("", queue, "");
    co_await channel.publish("", queue, std::as_bytes(std::span(binary)));
    co_await channel.publish("", queue, large);
    auto empty = co_await channel.get(queue);
    auto bytes = co_await channel.get(queue);
    auto mib = co_await channel.get(queue);
    REQUIRE(empty);
    REQUIRE(bytes);
    REQUIRE(mib);
    CHECK(empty->body().empty());
    CHECK(bytes->body() == binary);
    const bool is_same = mib->body() == large; // not for a terminal
    CHECK(mib->body().size() == large.size());
    CHECK(is_same);
}

LEVERET_CONFORMANCE_CASE("publish: sizes around those of frames and buffers")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const std::vector<std::size_t> sizes{1,       4087,    4088,    4096,    65'535,  65'536,
                                         131'063, 131'064, 131'065, 131'072, 262'128, 262'129};
    for (const auto size : sizes) {
        const std::string body(size, static_cast<char>('a' + size % 26));
        co_await channel.publish("", queue, body);
    }
    auto consumer = co_await channel.consume(queue);
    std::size_t good = 0;
    for (const auto size : sizes) {
        auto d = co_await next(consumer);
        good += d.body() == std::string(size, static_cast<char>('a' + size % 26)) && d.ack();
    }
    CHECK(good == sizes.size());
}

LEVERET_CONFORMANCE_CASE("publish: a message outlives its delivery")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    co_await channel.publish("", queue, lv::message{"kept"}.message_id("m"));
    lv::message kept;
    lv::payload body;
    {
        auto got = co_await channel.get(queue);
        REQUIRE(got);
        kept = got->message();
        body = got->payload();
        got->ack();
    }
    co_await connection.close();
    CHECK(kept.text() == "kept");
    CHECK(kept.properties().message_id() == "m");
    CHECK(body.view() == "kept");
}

LEVERET_CONFORMANCE_CASE("mandatory: a message for nobody comes back as it was, with 312 NO_ROUTE")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto nobody = t.name("nobody");
    const lv::message m = lv::message{"come back"}.content_type("text/plain").header("n", 1);
    co_await channel.publish("amq.direct", nobody, m, {.mandatory = true});
    const auto returned = co_await channel.next_return({.timeout = patience});
    CHECK(returned.reply_code() == lv::reply_code::no_route);
    CHECK(returned.reply_text() == "NO_ROUTE");
    CHECK(returned.exchange() == "amq.direct");
    CHECK(returned.routing_key() == nobody);
    CHECK(returned.message() == m);
    CHECK(channel.is_open());
}

LEVERET_CONFORMANCE_CASE("mandatory: only what reaches no queue comes back, in order")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const auto nobody = t.name("nobody");
    co_await channel.publish("", nobody, "1", {.mandatory = true});
    co_await channel.publish("", queue, "2", {.mandatory = true});
    co_await channel.publish("", nobody, "3"); // dropped in silence
    co_await channel.publish("", nobody, "4", {.mandatory = true});
    const auto first = co_await channel.next_return({.timeout = patience});
    const auto second = co_await channel.next_return({.timeout = patience});
    CHECK(first.message().text() == "1");
    CHECK(second.message().text() == "4");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "2");
    CHECK(channel.lost_returns() == 0);
}

LEVERET_CONFORMANCE_CASE("mandatory: a queue that is full, or drops the message, is still a route")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue, {.exclusive = true, .max_length = 0});
    co_await channel.publish("", queue, "dropped", {.mandatory = true});
    co_await channel.publish("", t.name("nobody"), "returned", {.mandatory = true});
    const auto returned = co_await channel.next_return({.timeout = patience});
    CHECK(returned.message().text() == "returned");
}

LEVERET_CONFORMANCE_CASE("immediate is not implemented: 540 ends the connection")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    co_await channel.publish("", "nobody", "x", {.immediate = true});
    const auto e = co_await refused(other.next_return({.timeout = patience}));
    CHECK(e == closes_connection(540, "NOT_IMPLEMENTED - immediate=true", ids::basic_publish));
    CHECK(!connection.is_open());
    CHECK(!channel.is_open());
}

LEVERET_CONFORMANCE_CASE("user_id: must be the connection's user")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    co_await channel.publish("", queue, lv::message{"mine"}.user_id(Transport::user));
    const auto got = co_await drain(channel, queue);
    CHECK(got == "mine");
    const lv::message wrong = lv::message{"x"}.user_id("joe");
    const auto e = co_await refused_publish(channel, "", queue, wrong);
    CHECK(e == precondition_failed("user_id property set to 'joe' but authenticated user was '" +
                                       std::string(Transport::user) + "'",
                                   ids::basic_publish));
}

LEVERET_CONFORMANCE_CASE("publish: what is behind a refused message on its channel is not done")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    co_await channel.publish("", queue, "before");
    co_await channel.publish(t.name("missing"), "k", "refused");
    // A transport that knows already that the channel has ended says so; over a socket it is simply lost.
    static_cast<void>(co_await refused(channel.publish("", queue, "behind")));
    const auto e = co_await refused(channel.next_return({.timeout = patience}));
    CHECK(e.code() == 404);
    const auto got = co_await arrivals(other, queue, 1);
    CHECK(got == "before");
}

LEVERET_CONFORMANCE_CASE("try_publish: as publish, without waiting")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    CHECK(channel.try_publish("", queue, "1"));
    const lv::message m = lv::message{"2"}.type("t");
    CHECK(channel.try_publish("", queue, m));
    CHECK(channel.try_publish("", t.name("nobody"), "3", {.mandatory = true}));
    const auto returned = co_await channel.next_return({.timeout = patience});
    CHECK(returned.message().text() == "3");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "1 2");
    co_await channel.close();
    CHECK_THROWS_AS(channel.try_publish("", queue, "4"), lv::channel_error);
}
