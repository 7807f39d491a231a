// The transports that the suite runs over. A new one is a struct like over_amqp below, its name in
// `transports`, and a line of TYPE_TO_STRING_AS, by which doctest's names of its cases end with its name.
#pragma once

#include "support/environment.hpp"

#include <leveret/amqp.hpp>
#include <leveret/memory.hpp>
#include <leveret/server.hpp>
#include <leveret/transport/concept.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace leveret::test {

/// AMQP to the private RabbitMQ.
///
/// Every case has a transport of its own; all connections of one transport see the same broker. When a
/// broker outlives the case, what the case made is deleted behind it.
struct over_amqp {
    using connection = amqp::connection;
    using channel = amqp::channel;
    using consumer = amqp::consumer;
    using delivery = amqp::delivery;
    using publisher = amqp::publisher;

    static constexpr const char* name = "amqp";
    static constexpr bool is_rabbitmq = true;       ///< what is deliberately different asks for this
    static constexpr bool outlives_the_case = true; ///< the broker does
    static constexpr std::string_view user = "guest"; ///< of its connections

    [[nodiscard]] asio::awaitable<connection> connect() { return amqp::connect(amqp_uri()); }
};

/// A broker in this process, of the case alone.
struct over_memory {
    using connection = memory::connection;
    using channel = memory::channel;
    using consumer = memory::consumer;
    using delivery = memory::delivery;
    using publisher = memory::publisher;

    static constexpr const char* name = "memory";
    static constexpr bool is_rabbitmq = false;
    static constexpr bool outlives_the_case = false;
    static constexpr std::string_view user = "guest";

    [[nodiscard]] asio::awaitable<connection> connect() { return memory::connect(broker); }

    memory::broker broker;
};

/// AMQP over a socket to a server in this process, of the case alone.
struct over_bundled {
    using connection = amqp::connection;
    using channel = amqp::channel;
    using consumer = amqp::consumer;
    using delivery = amqp::delivery;
    using publisher = amqp::publisher;

    static constexpr const char* name = "bundled";
    static constexpr bool is_rabbitmq = false;
    static constexpr bool outlives_the_case = false;
    static constexpr std::string_view user = "guest";

    [[nodiscard]] asio::awaitable<connection> connect()
    {
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        if (!server)
            server.emplace(executor);
        const std::string uri = "amqp://127.0.0.1:" + std::to_string(server->port());
        co_return co_await amqp::connect(uri);
    }
    /// What the case opened closes meanwhile.
    [[nodiscard]] asio::awaitable<void> stop()
    {
        if (server)
            co_await server->stop();
    }

    std::optional<broker::server> server;
};

static_assert(transport<over_amqp::connection> && transport<over_memory::connection>);

#if defined(LEVERET_CONFORMANCE_ONLY) // one alone, for who works on it: compiles in half the time
using transports = std::tuple<LEVERET_CONFORMANCE_ONLY>;
#else
using transports = std::tuple<over_amqp, over_memory, over_bundled>;
#endif

} // namespace leveret::test

TYPE_TO_STRING_AS(leveret::test::over_amqp::name, leveret::test::over_amqp);
TYPE_TO_STRING_AS(leveret::test::over_memory::name, leveret::test::over_memory);
TYPE_TO_STRING_AS(leveret::test::over_bundled::name, leveret::test::over_bundled);
