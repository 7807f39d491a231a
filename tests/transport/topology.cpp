// A typed topology over the in-memory transport, and how it is sent. conformance/typed_topology.cpp has what any
// transport does over RabbitMQ, too.
#include "support/coro_test.hpp"
#include "support/scripted_server.hpp"
#include "support/typed_topology.hpp"
#include <leveret/amqp.hpp>
#include <leveret/memory.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <cstdint>

namespace lv = leveret;
namespace typed = leveret::test::typed;

LEVERET_CORO_TEST_CASE("typed topology, memory: declares exchanges, queues and bindings")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    co_await typed::declares_it_all(connection);
}

LEVERET_CORO_TEST_CASE("typed topology, memory: publishes with constant and with run-time keys")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    co_await typed::publishes_to_it(connection);
}

LEVERET_CORO_TEST_CASE("typed topology, memory: a run-time key that no binding has is refused")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    co_await typed::refuses_unbound_keys(connection);
}

LEVERET_CORO_TEST_CASE("typed topology, memory: a refused declaration is told with its name")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    co_await typed::tells_who_was_refused(connection);
}

LEVERET_CORO_TEST_CASE("typed topology, memory: verify finds every difference")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    co_await typed::finds_differences(connection);
}

LEVERET_CORO_TEST_CASE("typed topology, memory: verify finds another connection's exclusive queue")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto other = co_await lv::memory::connect(broker);
    co_await typed::finds_locked_queues(connection, other);
}

LEVERET_CORO_TEST_CASE(
    "typed topology, memory: a topology of nothing is declared and verified at once")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();
    co_await lv::declare<lv::topology<>>(channel);
    const auto found = co_await lv::verify<lv::topology<>>(connection);
    CHECK(found.empty());
}

LEVERET_CORO_TEST_CASE(
    "typed topology, amqp: all declarations are sent before anything is answered")
{
    namespace wire = lv::wire;
    using line = lv::exchange<"line", lv::direct>;
    using topology = lv::topology<line, lv::queue<"q", lv::max_length<5>>,
                                  lv::bound<"q", line, "a">, lv::bound<"q", line, "b">>;
    lv::test::scripted_server server(co_await asio::this_coro::executor);
    server.play([](lv::test::scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        const std::uint16_t number = co_await client.open_channel();
        // Nobody answers the first three, so that a client that waits for an answer waits in vain.
        const auto exchange = co_await client.expect<wire::exchange::declare>();
        const auto queue = co_await client.expect<wire::queue::declare>();
        const auto first = co_await client.expect<wire::queue::bind>();
        const auto last = co_await client.expect<wire::queue::bind>();
        CHECK(exchange.as<wire::exchange::declare>().no_wait);
        CHECK(queue.as<wire::queue::declare>().no_wait);
        CHECK(first.as<wire::queue::bind>().no_wait);
        CHECK(last.as<wire::queue::bind>().routing_key == "b");
        CHECK_FALSE(last.as<wire::queue::bind>().no_wait);
        co_await client.send(lv::test::frame(number, wire::queue::bind_ok{}));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    co_await lv::declare<topology>(channel);
    CHECK(channel.is_open());
    co_await connection.close();
}
