// What the tests against a real RabbitMQ share: connecting, names, failures as values.
#pragma once

#include "support/coro_test.hpp"
#include "support/environment.hpp"
#include "support/eventually.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

#include <unistd.h>

namespace leveret::test {

namespace lv = leveret;
using namespace std::chrono_literals;

/// A name for a queue or exchange that no other test has, nor another run against the same node.
[[nodiscard]] inline std::string unique(std::string_view what)
{
    static int count = 0;
    return "interop." + std::string(what) + "." + std::to_string(getpid()) + "." +
           std::to_string(++count);
}

[[nodiscard]] inline asio::awaitable<amqp::connection> connect(amqp::connect_options options = {})
{
    return amqp::connect(amqp_uri(), options);
}

/// The URI of the node with another part: `with_uri([](lv::uri& u) { u.vhost = "nowhere"; })`.
template <class Change>
[[nodiscard]] std::string with_uri(Change change)
{
    uri value = parse_uri(amqp_uri()).value;
    change(value);
    return to_string_revealing_password(value);
}

/// Waits until `count` messages are ready in a queue; false if it is another number for five seconds.
/// RabbitMQ counts ahead of what was sent before: its queues prefer questions to messages.
[[nodiscard]] inline asio::awaitable<bool> holds(amqp::channel channel, std::string queue,
                                                 std::uint32_t count)
{
    for (int tries = 0; tries < 1000; ++tries) {
        const auto info = co_await channel.declare_queue(queue, {.passive = true});
        if (info.message_count() == count)
            co_return true;
        co_await pause(5ms);
    }
    co_return false;
}
/// Whether nothing is ready in a queue, behind all that was sent on the channel.
[[nodiscard]] inline asio::awaitable<bool> is_empty(amqp::channel channel, std::string queue)
{
    const auto got = co_await channel.get(queue);
    co_return !got.has_value();
}
[[nodiscard]] inline asio::awaitable<std::uint32_t> consumers(amqp::channel channel, std::string queue)
{
    const auto info = co_await channel.declare_queue(queue, {.passive = true});
    co_return info.consumer_count();
}

} // namespace leveret::test
