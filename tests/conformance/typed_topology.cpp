// declare, verify and publish of a typed topology: the same over every transport.
#include "conformance/conformance.hpp"
#include "support/typed_topology.hpp"

using namespace leveret::test;

namespace {

/// A run that failed may have left something behind.
template <class Connection>
asio::awaitable<void> begin(Connection& connection)
{
    auto channel = co_await connection.open_channel();
    co_await typed::remove_office(channel);
    co_await channel.close();
}

} // namespace

LEVERET_CONFORMANCE_CASE("typed topology: declares exchanges, queues and bindings")
{
    auto connection = co_await t.connect();
    co_await begin(connection);
    co_await typed::declares_it_all(connection);
}

LEVERET_CONFORMANCE_CASE("typed topology: publishes with constant and with run-time keys")
{
    auto connection = co_await t.connect();
    co_await begin(connection);
    co_await typed::publishes_to_it(connection);
}

LEVERET_CONFORMANCE_CASE("typed topology: a refused declaration is told with its name")
{
    auto connection = co_await t.connect();
    co_await begin(connection);
    co_await typed::tells_who_was_refused(connection);
}

LEVERET_CONFORMANCE_CASE("typed topology: verify finds every difference")
{
    auto connection = co_await t.connect();
    co_await begin(connection);
    co_await typed::finds_differences(connection);
}

LEVERET_CONFORMANCE_CASE("typed topology: verify finds another connection's exclusive queue")
{
    auto connection = co_await t.connect();
    auto other = co_await t.connect();
    co_await typed::finds_locked_queues(connection, other);
}
