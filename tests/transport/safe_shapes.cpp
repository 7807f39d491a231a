// The lines that users write, in coroutines, as g++ 12 compiles them: with a type of another shape some
// of these would be destroyed twice, which AddressSanitizer sees.
#include "support/coro_test.hpp"
#include "support/scripted_server.hpp"
#include "support/small_broker.hpp"

#include <leveret.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace leveret::test;
namespace lv = leveret;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

// Options: trivially destructible aggregates.
template <class... T>
constexpr bool options = (lv::safe_options<T> && ...) && (std::is_trivially_copyable_v<T> && ...);
static_assert(options<lv::queue_options, lv::exchange_options, lv::bind_options,
                      lv::delete_queue_options, lv::delete_exchange_options, lv::call_options,
                      lv::consume_options, lv::get_options, lv::publish_options,
                      lv::confirmed_publish_options>);
static_assert(options<lv::amqp::connect_options, lv::amqp::next_options, lv::amqp::ack_options,
                      lv::amqp::nack_options, lv::amqp::publisher_options, lv::amqp::serve_options>);

// Values: no aggregates, so that no temporary of theirs is taken apart; cheap to move and easy to have.
template <class... T>
constexpr bool values = (!std::is_aggregate_v<T> && ...) &&
                        (std::is_nothrow_move_constructible_v<T> && ...) &&
                        (std::is_nothrow_move_assignable_v<T> && ...) &&
                        (std::is_nothrow_destructible_v<T> && ...);
template <class... T>
constexpr bool easy_values = values<T...> && (std::is_default_constructible_v<T> && ...);
static_assert(easy_values<lv::message, lv::properties, lv::payload, lv::table, lv::field_value,
                          lv::publish_result, lv::diagnostics>);
static_assert(easy_values<lv::amqp::delivery, lv::amqp::consumer, lv::amqp::channel,
                          lv::amqp::connection, lv::amqp::queue_info, lv::amqp::flush_report,
                          lv::amqp::publish_failure, lv::amqp::returned_message>);
static_assert(values<lv::amqp::publisher>);
using some_handler = asio::awaitable<void> (*)(lv::amqp::delivery&);
static_assert(!std::is_aggregate_v<lv::amqp::server<some_handler>>);

// What there is one of stays one.
static_assert(!std::is_copy_constructible_v<lv::amqp::delivery> &&
              !std::is_copy_constructible_v<lv::amqp::consumer> &&
              !std::is_copy_constructible_v<lv::amqp::connection> &&
              !std::is_copy_constructible_v<lv::amqp::publisher>);
static_assert(std::is_copy_constructible_v<lv::amqp::channel> &&
              std::is_copy_constructible_v<lv::message>);

/// Longer than what a std::string holds in itself: destroyed twice, it is freed twice.
std::string text(const char* what) { return "a text that is long enough for the heap: "s + what; }

struct stage {
    stage() = default;
    std::unique_ptr<scripted_server> server;
    lv::amqp::connection connection;
    lv::amqp::channel channel;
};
asio::awaitable<stage> set_up(int deliveries = 0, bool has_message = false)
{
    stage s;
    s.server = std::make_unique<scripted_server>(co_await asio::this_coro::executor);
    s.server->play([=](scripted_peer& client) -> asio::awaitable<void> {
        small_broker broker(client);
        broker.deliveries = deliveries;
        broker.has_message = has_message;
        co_await broker.serve();
    });
    s.connection = co_await lv::amqp::connect(s.server->url());
    s.channel = co_await s.connection.open_channel({.timeout = 5s});
    co_return std::move(s);
}

} // namespace

LEVERET_CORO_TEST_CASE("safe shapes: connecting")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    server.play(
        [](scripted_peer& client) -> asio::awaitable<void> {
            small_broker broker(client);
            co_await broker.serve();
        },
        3);
    const lv::table properties{{"team", "hares"}, {"size", 3}};
    auto a = co_await lv::amqp::connect(server.url("/?heartbeat=10"),
                                        {.handshake_timeout = 5s,
                                         .connection_timeout = 5s,
                                         .heartbeat = 20s,
                                         .channel_max = 10,
                                         .frame_max = 8192,
                                         .connection_name = text("connection"),
                                         .client_properties = properties,
                                         .max_message_size = 1'000'000});
    co_await a.update_secret(text("secret"), text("reason"), {.timeout = 5s});
    co_await a.close({.timeout = 5s});
    auto b = co_await lv::amqp::connect(server.url() + "");
    auto channel = co_await b.open_channel();
    CHECK(channel.is_open());
    co_await channel.close({.timeout = 5s});
    co_await b.close(); // the server takes one connection at a time
    b = co_await lv::amqp::connect(server.url(), {}); // assigned over another
    co_await b.close();
}

LEVERET_CORO_TEST_CASE("safe shapes: declaring and binding")
{
    auto s = co_await set_up();
    const lv::table more{{"x-more", text("value")}};
    co_await s.channel.declare_exchange("logs", lv::exchange_type::topic, {.durable = true});
    co_await s.channel.declare_exchange(text("exchange"), "x-"s + "type",
                                        {.durable = true,
                                         .alternate_exchange = text("alternate"),
                                         .arguments = more,
                                         .timeout = 5s});
    co_await s.channel.declare_queue("tasks", {.durable = true});
    co_await s.channel.declare_queue(text("queue"), {.message_ttl = 60s,
                                                     .max_length = 1000,
                                                     .overflow = lv::overflow::reject_publish,
                                                     .dead_letter_exchange = "",
                                                     .dead_letter_routing_key = text("dead"),
                                                     .type = lv::queue_type::quorum,
                                                     .arguments = more});
    co_await s.channel.bind_queue("tasks", text("exchange"), text("key"), {.arguments = more});
    co_await s.channel.bind_queue("tasks", "logs", "a." + std::to_string(1));
    const auto name = (co_await s.channel.declare_queue(text("another"))).name();
    CHECK(name == text("another"));
    if ((co_await s.channel.declare_queue("tasks", {.passive = true})).message_count() != 0)
        FAIL("a queue that keeps nothing has something");
    const auto purged = co_await s.channel.purge_queue(text("queue"), {.timeout = 5s});
    CHECK(purged == 0);
    co_await s.channel.set_prefetch(10, false, {.timeout = 5s});
    co_await s.channel.recover(true, {.timeout = 5s});
    co_await s.channel.close({.timeout = 5s});
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("safe shapes: publishing")
{
    auto s = co_await set_up();
    const std::vector<std::byte> octets(100, std::byte{7});
    const auto named = lv::message(text("named")).content_type("text/plain");
    co_await s.channel.publish("", "tasks", "literal");
    co_await s.channel.publish("", "tasks", text("string"), {.timeout = 5s});
    co_await s.channel.publish(text("exchange"), text("key"), octets, {.mandatory = true});
    co_await s.channel.publish("", "tasks", named, {.mandatory = true, .timeout = 5s});
    co_await s.channel.publish("", "tasks", lv::message("42").persistent());
    co_await s.channel.publish("", text("key"),
                               lv::message(text("body"))
                                   .persistent()
                                   .content_type(text("type"))
                                   .header("attempt", 1)
                                   .header(text("key"), text("value"))
                                   .correlation_id(std::to_string(4711))
                                   .reply_to(text("reply"))
                                   .expiration(60s),
                               {.timeout = 5s});
    co_await s.channel.publish("", "tasks", lv::message(lv::payload(std::string(20'000, 'x'))));
    CHECK(s.channel.try_publish("", "tasks", lv::message(text("tried")).priority(3)));

    co_await s.channel.select_confirms({.timeout = 5s});
    if (co_await s.channel.publish_confirmed("", "tasks", lv::message(text("sure")).persistent()))
        CHECK(true);
    if (auto r = co_await s.channel.publish_confirmed("", text("key"), text("body"), {.timeout = 5s}); !r)
        FAIL("not confirmed");
    const bool confirmed =
        (co_await s.channel.publish_confirmed("", "tasks", named, {.mandatory = false})).is_confirmed();
    CHECK(confirmed);

    lv::amqp::publisher out{s.channel, {.window = 10, .window_bytes = 4096, .timeout = 5s}};
    for (int i = 0; i < 30; ++i) {
        co_await out.publish("", text("key"), "line " + std::to_string(i));
        co_await out.publish("", text("key"), lv::message(text("line")).header(text("number"), i));
    }
    if (auto report = co_await out.flush(5s); !report)
        FAIL("not all were confirmed");
    const bool good = static_cast<bool>(co_await out.flush());
    CHECK(good);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("safe shapes: consuming")
{
    auto s = co_await set_up(8, true);
    const lv::table more{{"x-more", text("value")}};
    auto consumer = co_await s.channel.consume(text("queue"), {.prefetch = 32,
                                                               .tag = text("tag"),
                                                               .priority = -1,
                                                               .arguments = more,
                                                               .timeout = 5s});
    int got = 0;
    while (auto d = co_await consumer.next({.timeout = 5s})) {
        ++got;
        switch (got) {
        case 1: d->ack({.multiple = true}); break;
        case 2: d->nack({.multiple = false, .requeue = false}); break;
        case 3: continue; // goes back
        default: d->ack();
        }
        if (got == 4)
            break;
    }
    CHECK(got == 4);
    if (auto d = co_await consumer.next(); d && d->body() == "message")
        d->ack();
    std::optional<lv::amqp::delivery> kept;
    kept = co_await consumer.next();
    kept = co_await consumer.next(); // assigned over an unsettled one
    REQUIRE(kept);
    const std::string body((co_await consumer.next())->body());
    CHECK(body == "message");
    co_await consumer.cancel({.timeout = 5s});

    if (co_await consumer.next())
        FAIL("there were eight");
    if (auto d = co_await s.channel.get(text("queue"), {.no_ack = true}))
        ++got;
    for (auto d = co_await s.channel.get("tasks"); d && got < 8; d = co_await s.channel.get("tasks"))
        ++got;
    CHECK(got == 8);
    const auto copy = (co_await s.channel.get("tasks", {.timeout = 5s}))->message();
    CHECK(copy.text() == "message");
    consumer = co_await s.channel.consume("tasks", {.no_ack = true, .exclusive = true});
    consumer = co_await s.channel.consume(text("queue")); // assigned over a running one
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("safe shapes: serving, the handler named first")
{
    auto s = co_await set_up(6);
    const lv::table more{{"x-more", text("value")}};
    std::vector<std::string> bodies;
    const auto shared = std::make_shared<std::string>(text("captured"));
    lv::amqp::channel channel = s.channel;
    auto handler = [&bodies, shared, channel](lv::amqp::delivery& d) mutable -> asio::awaitable<void> {
        bodies.push_back(*shared + std::string(d.body()));
        co_await channel.publish("", text("key"), lv::message(d.payload()).reply_to(text("reply")),
                                 {.timeout = 5s});
        if (bodies.size() == 2)
            throw lv::usage_error(lv::errc::invalid_argument, text("thrown"));
    };
    auto server = lv::amqp::serve(s.channel, text("queue"), handler,
                                  {.concurrency = 2,
                                   .on_error = lv::amqp::on_error::discard,
                                   .prefetch = 10,
                                   .tag = text("server"),
                                   .arguments = more,
                                   .timeout = 5s});
    asio::co_spawn(
        s.connection.get_executor(),
        [&]() -> asio::awaitable<void> {
            while (bodies.size() < 6)
                co_await pause(s.connection.get_executor(), 1ms);
            server.stop();
        },
        [](std::exception_ptr) {});
    co_await server.run();
    CHECK(server.handled() == 5);
    CHECK(server.failed() == 1);
    CHECK(bodies.back() == text("captured") + "message");
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("safe shapes: errors that are thrown through lines full of temporaries")
{
    auto s = co_await set_up();
    const std::string too_long(256, 'n');
    int caught = 0;
    for (int i = 0; i < 3; ++i) {
        try {
            co_await s.channel.declare_queue(too_long, {.dead_letter_exchange = text("dead")});
        } catch (const lv::usage_error&) {
            ++caught;
        }
        try {
            co_await s.channel.publish("", too_long, lv::message(text("body")).header("k", text("v")));
        } catch (const lv::usage_error&) {
            ++caught;
        }
        try {
            co_await s.channel.next_return({.timeout = 1ms});
        } catch (const lv::timeout_error&) {
            ++caught;
        }
    }
    CHECK(caught == 9);
    co_await s.connection.close();
    try {
        static_cast<void>(co_await s.channel.publish_confirmed(
            "", text("key"), lv::message(text("late")).persistent()));
    } catch (const lv::error&) {
        ++caught;
    }
    CHECK(caught == 10);
}
