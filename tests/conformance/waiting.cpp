// Time limits, cancellation, and arguments that can't be: what ends an operation without the broker.
#include "conformance/conformance.hpp"
#include "interop/task.hpp"

#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

using namespace leveret::test;

namespace {

/// Whether an operation ended as cancelled.
template <class T>
asio::awaitable<bool> was_cancelled(task<T> work)
{
    bool cancelled = false;
    try {
        if constexpr (std::is_void_v<T>)
            co_await work.join();
        else
            static_cast<void>(co_await work.join());
    } catch (const lv::operation_cancelled& e) {
        cancelled = e.code() == asio::error::operation_aborted;
    }
    co_return cancelled;
}

} // namespace

LEVERET_CONFORMANCE_CASE("consumer.next: cancelled, it loses nothing")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto consumer = co_await channel.consume(queue);
    using delivery = std::optional<typename Transport::delivery>;
    task<delivery> first(connection.get_executor(), consumer.next());
    task<delivery> second(connection.get_executor(), consumer.next({.timeout = patience}));
    co_await channel.flow(true); // both wait
    first.cancel();
    const bool cancelled = co_await was_cancelled(first);
    CHECK(cancelled);
    CHECK(!second.is_done());
    co_await fill(channel, queue, 2);
    const auto got = co_await second.join();
    REQUIRE(got);
    CHECK(got->body() == "1");
    const auto rest = co_await receive(consumer, 1);
    CHECK(rest == "2");
}

LEVERET_CONFORMANCE_CASE("next_return: a limit passes, a cancellation ends it, the channel goes on")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    bool timed_out = false;
    try {
        static_cast<void>(co_await channel.next_return({.timeout = 1ms}));
    } catch (const lv::timeout_error&) {
        timed_out = true;
    }
    CHECK(timed_out);
    const auto waiting = [](typename Transport::channel c) -> asio::awaitable<void> {
        static_cast<void>(co_await c.next_return());
    };
    task<void> cancelled(connection.get_executor(), waiting(channel));
    co_await channel.flow(true);
    cancelled.cancel();
    const bool was = co_await was_cancelled(cancelled);
    CHECK(was);
    co_await channel.publish("", t.name("nobody"), "x", {.mandatory = true});
    const auto returned = co_await channel.next_return({.timeout = patience});
    CHECK(returned.message().text() == "x");
}

LEVERET_CONFORMANCE_CASE("get: cancelled, the message is not lost and the channel goes on")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 3);
    const bool ready = co_await holds(channel, queue, 3);
    CHECK(ready);
    using delivery = std::optional<typename Transport::delivery>;
    {
        task<delivery> work(connection.get_executor(), channel.get(queue));
        co_await asio::post(connection.get_executor(), asio::use_awaitable); // it has begun
        work.cancel();
        try { // if it was quicker, its message is given back with the task
            static_cast<void>(co_await work.join());
        } catch (const lv::operation_cancelled&) {
        }
    }
    const auto left = co_await arrivals(channel, queue, 3);
    std::multiset<char> bodies;
    for (const char c : left)
        if (c != ' ' && c != '*')
            bodies.insert(c);
    CHECK(bodies == std::multiset<char>{'1', '2', '3'});
    CHECK(channel.is_open());
}

LEVERET_CONFORMANCE_CASE("names above 255 bytes are found before anything is sent")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const std::string long_name(256, 'n');
    CHECK_THROWS_AS(static_cast<void>(channel.declare_queue(long_name)), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(channel.declare_exchange(long_name, "direct")), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(channel.bind_queue("q", "amq.direct", long_name)),
                    lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(channel.delete_queue(long_name)), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(channel.get(long_name)), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(channel.consume("q", {.tag = long_name})), lv::usage_error);
    CHECK(channel.is_open());
    const auto info = co_await channel.declare_queue("", {.exclusive = true}); // nothing was sent
    CHECK(info.message_count() == 0);
}

LEVERET_CONFORMANCE_CASE("tables that AMQP can't carry are found before anything is sent")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    lv::table long_key;
    long_key.set(std::string(256, 'k'), 1);
    lv::table deep;
    for (int i = 0; i < 100; ++i) {
        lv::table outer;
        outer.set("inner", std::move(deep));
        deep = std::move(outer);
    }
    CHECK_THROWS_AS(static_cast<void>(channel.declare_queue("q", {.arguments = long_key})),
                    lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(channel.declare_exchange("x", "direct", {.arguments = deep})),
                    lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(channel.bind_queue("q", "x", "", {.arguments = deep})),
                    lv::usage_error);
    CHECK_THROWS_AS(channel.try_publish("", "q", lv::message{"x"}.headers(long_key)), lv::usage_error);
    CHECK_THROWS_AS(channel.try_publish("", "q", lv::message{"x"}.headers(deep)), lv::usage_error);
    CHECK(channel.is_open());
    co_await channel.flow(true);
}
