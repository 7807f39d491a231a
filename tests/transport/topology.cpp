// A typed topology over the in-memory transport; conformance/typed_topology.cpp has the same over AMQP.
#include "support/typed_topology.hpp"

#include "support/coro_test.hpp"

#include <leveret/memory.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

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

LEVERET_CORO_TEST_CASE("typed topology, memory: a topology of nothing is declared and verified at once")
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();
    co_await lv::declare<lv::topology<>>(channel);
    const auto found = co_await lv::verify<lv::topology<>>(connection);
    CHECK(found.empty());
}
