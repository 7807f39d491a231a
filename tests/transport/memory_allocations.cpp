// In the steady state the in-memory transport allocates the body of a message and nothing else: not for routing,
// through whichever exchange, not for queueing, delivering, awaiting and acknowledging. A short body is in the message.
#include "transport/counted_malloc.hpp"

#include "support/coro_test.hpp"

#include <leveret/memory.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace lv = leveret;
using lv::test::allocations_of_this_thread;

namespace {

constexpr std::uint64_t count = 20'000;

/// A turn of other coroutines, at every 256th operation that did not wait, is a post of Asio's, and its coroutine
/// frame is one more than Asio keeps memory for.
constexpr std::uint64_t for_turns = count * 3 / 256 * 3;

struct client {
    client() = default;
    lv::memory::connection connection;
    lv::memory::channel channel;
};
asio::awaitable<client> connect(lv::memory::broker& broker)
{
    client c;
    c.connection = co_await lv::memory::connect(broker);
    c.channel = co_await c.connection.open_channel();
    co_return std::move(c);
}

struct way {
    const char* exchange;
    const char* type;
    const char* key;
};

/// Allocations of `count` messages that are published to an exchange with two bindings that match and two that
/// don't, routed to two queues, and from each delivered to `next` and acknowledged.
asio::awaitable<std::uint64_t> allocations(way w, bool fresh_body)
{
    lv::memory::broker broker;
    client c = co_await connect(broker);
    const lv::table matching{{"x-match", "any"}, {"kind", "a"}};
    const lv::table other{{"x-match", "any"}, {"kind", "b"}};
    co_await c.channel.declare_exchange(w.exchange, w.type);
    for (const char* name : {"one", "two"}) {
        co_await c.channel.declare_queue(name);
        co_await c.channel.bind_queue(name, w.exchange, w.key, {.arguments = matching});
        co_await c.channel.bind_queue(name, w.exchange, "another", {.arguments = other});
    }
    auto one = co_await c.channel.consume("one");
    auto two = co_await c.channel.consume("two");
    const std::string text(64, 'x'); // more than a payload has room for in itself
    const lv::message m = lv::message(text).header("kind", "a").persistent();
    std::uint64_t before = 0;
    for (std::uint64_t i = 0; i < 2 * count; ++i) {
        if (i == count)
            before = allocations_of_this_thread();
        if (fresh_body)
            co_await c.channel.publish(w.exchange, w.key, text);
        else
            co_await c.channel.publish(w.exchange, w.key, m);
        for (auto* tasks : {&one, &two}) {
            auto d = co_await tasks->next();
            d->ack();
        }
    }
    const std::uint64_t all = allocations_of_this_thread() - before;
    co_await c.connection.close();
    co_return all;
}

} // namespace

LEVERET_CORO_TEST_CASE("memory: routing, queueing, delivering and acknowledging allocate nothing")
{
    for (const way w : {way{"d", "direct", "k"}, way{"f", "fanout", ""}, way{"t", "topic", "a.b.c"}, way{"h", "headers", ""}}) {
        CAPTURE(w.type);
        const std::uint64_t all = co_await allocations(w, false);
        CHECK(all <= for_turns);
    }
}

LEVERET_CORO_TEST_CASE("memory: a body that is copied from the caller is one allocation for all queues")
{
    for (const way w : {way{"d", "direct", "k"}, way{"f", "fanout", ""}, way{"t", "topic", "a.b.c"}}) {
        CAPTURE(w.type);
        const std::uint64_t all = co_await allocations(w, true);
        CHECK(all >= count);
        CHECK(all <= count + for_turns);
    }
}

LEVERET_CORO_TEST_CASE("memory: messages that wait in a queue allocate nothing but their body")
{
    lv::memory::broker broker;
    client c = co_await connect(broker);
    co_await c.channel.declare_queue("q");
    const std::string text(64, 'x'); // more than a payload has room for in itself
    std::uint64_t before = 0;
    for (int round = 0; round < 2; ++round) {
        before = allocations_of_this_thread();
        for (std::uint64_t i = 0; i < 4'000; ++i)
            co_await c.channel.publish("", "q", text);
        for (std::uint64_t i = 0; i < 4'000; ++i) {
            auto d = co_await c.channel.get("q");
            d->ack();
        }
    }
    const std::uint64_t all = allocations_of_this_thread() - before;
    MESSAGE(all << " allocations for 4,000 messages");
    CHECK(all >= 4'000);
    CHECK(all <= 4'000 + 4'000 * 2 / 256 * 3);
    co_await c.connection.close();
}
