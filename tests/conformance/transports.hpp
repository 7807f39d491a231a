// The transports that the suite runs over. A new one is a struct like over_amqp below, its name in
// `transports`, and a line of TYPE_TO_STRING_AS, by which doctest's names of its cases end with its name.
#pragma once

#include "conformance/bundled_server.hpp"
#include "support/broker_home.hpp"
#include "support/environment.hpp"

#include <leveret/amqp.hpp>
#include <leveret/memory.hpp>
#include <leveret/transport/any/connection.hpp>
#include <leveret/transport/concept.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace leveret::test {

/// The suite runs twice, compiled once: over RabbitMQ and a broker on the same thread, and then, with
/// LEVERET_TEST_SECOND_RUN in the environment, over the bundled server and a broker on another thread.
[[nodiscard]] inline bool is_second_run() { return std::getenv("LEVERET_TEST_SECOND_RUN") != nullptr; }

/// AMQP to the private RabbitMQ; in the second run over a socket to a server in this process, of the case alone.
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
    [[nodiscard]] static bool is_rabbitmq() { return !is_second_run(); } ///< what is deliberately different asks for this
    [[nodiscard]] static bool outlives_the_case() { return !is_second_run(); } ///< the broker does
    static constexpr std::string_view user = "guest";                          ///< of its connections

    [[nodiscard]] asio::awaitable<connection> connect()
    {
        if (!is_second_run())
            co_return co_await amqp::connect(amqp_uri());
        const std::string uri = bundled.uri(co_await asio::this_coro::executor);
        co_return co_await amqp::connect(uri);
    }
    /// What the case opened closes meanwhile.
    [[nodiscard]] asio::awaitable<void> stop() { return bundled.stop(); }

    bundled_server bundled;
};

/// A broker in this process, of the case alone.
struct over_memory {
    using connection = memory::connection;
    using channel = memory::channel;
    using consumer = memory::consumer;
    using delivery = memory::delivery;
    using publisher = memory::publisher;

    static constexpr const char* name = "memory";
    [[nodiscard]] static constexpr bool is_rabbitmq() { return false; }
    [[nodiscard]] static constexpr bool outlives_the_case() { return false; }
    static constexpr std::string_view user = "guest";

    [[nodiscard]] asio::awaitable<connection> connect()
    {
        return memory::connect(elsewhere ? elsewhere->broker : broker);
    }

    memory::broker broker;
    /// The broker is on another thread in the suite's second run.
    std::unique_ptr<broker_home> elsewhere = is_second_run() ? std::make_unique<broker_home>() : nullptr;
};

/// A transport behind any_connection.
template <class Transport>
struct over_any {
    using connection = any_connection;
    using channel = any_channel;
    using consumer = any_consumer;
    using delivery = any_delivery;
    using publisher = any_publisher;

    [[nodiscard]] static bool is_rabbitmq() { return Transport::is_rabbitmq(); }
    [[nodiscard]] static bool outlives_the_case() { return Transport::outlives_the_case(); }
    static constexpr std::string_view user = Transport::user;

    [[nodiscard]] asio::awaitable<connection> connect()
    {
        auto inner = co_await transport_.connect();
        co_return any_connection(std::move(inner));
    }

private:
    Transport transport_;
};
using over_any_memory = over_any<over_memory>;

static_assert(transport<over_amqp::connection> && transport<over_memory::connection>);

#if defined(LEVERET_CONFORMANCE_ONLY) // one alone, for who works on it: compiles in half the time
using transports = std::tuple<LEVERET_CONFORMANCE_ONLY>;
#else
using transports = std::tuple<over_amqp, over_memory, over_any_memory>;
#endif

} // namespace leveret::test

TYPE_TO_STRING_AS(leveret::test::over_amqp::name, leveret::test::over_amqp);
TYPE_TO_STRING_AS(leveret::test::over_memory::name, leveret::test::over_memory);
TYPE_TO_STRING_AS("any(memory)", leveret::test::over_any_memory);
