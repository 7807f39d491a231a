// The transports that the suite runs over. A new one is a struct like over_amqp below, its name in
// `transports`, and a line of TYPE_TO_STRING_AS, by which doctest's names of its cases end with its name.
#pragma once

#include "support/environment.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

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

using transports = std::tuple<over_amqp>;

} // namespace leveret::test

TYPE_TO_STRING_AS(leveret::test::over_amqp::name, leveret::test::over_amqp);
