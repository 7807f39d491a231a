// What goes into queues and what comes out, as text: bodies in order, with a * behind what was delivered
// before: "1* 2* 3".
#pragma once

#include <leveret/core/duration.hpp>
#include <leveret/core/error.hpp>
#include <leveret/core/message.hpp>
#include <leveret/io/config.hpp>

#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::test {

/// How long anything may take that must come.
inline constexpr std::chrono::seconds patience{5};

template <class Delivery>
void add_word(std::string& words, const Delivery& d)
{
    if (!words.empty())
        words += ' ';
    words += d.body();
    if (d.redelivered())
        words += '*';
}

/// Publishes each word as a message.
template <class Channel>
[[nodiscard]] asio::awaitable<void> send(Channel channel, std::string exchange, std::string key,
                                         std::string words)
{
    std::istringstream in(words);
    for (std::string word; in >> word;)
        co_await channel.publish(exchange, key, word);
}
/// Messages "1", "2"... for a queue.
template <class Channel>
[[nodiscard]] asio::awaitable<void> fill(Channel channel, std::string queue, int count)
{
    for (int i = 1; i <= count; ++i)
        co_await channel.publish("", queue, std::to_string(i));
}
/// A new exclusive queue of the connection, with messages "1", "2"... in it, which are ready.
template <class Channel>
[[nodiscard]] asio::awaitable<std::string> filled_queue(Channel channel, int count)
{
    const auto info = co_await channel.declare_queue("", {.exclusive = true});
    const std::string queue = info.name();
    co_await fill(channel, queue, count);
    co_return queue;
}
/// A new exclusive queue, bound.
template <class Channel>
[[nodiscard]] asio::awaitable<std::string> bound_queue(Channel channel, std::string exchange,
                                                       std::string key)
{
    const auto info = co_await channel.declare_queue("", {.exclusive = true});
    const std::string queue = info.name();
    co_await channel.bind_queue(queue, exchange, key);
    co_return queue;
}

/// Takes all that is ready: behind everything that was sent on the same channel.
template <class Channel>
[[nodiscard]] asio::awaitable<std::string> drain(Channel channel, std::string queue)
{
    std::string words;
    for (;;) {
        auto got = co_await channel.get(queue, {.no_ack = true});
        if (!got)
            co_return words;
        add_word(words, *got);
    }
}
/// Waits until `count` messages came into a queue, by ways that nobody tells of, and takes all of it.
template <class Channel>
[[nodiscard]] asio::awaitable<std::string> arrivals(Channel channel, std::string queue, int count)
{
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::string words;
    while (count > 0 && std::chrono::steady_clock::now() < deadline) {
        auto got = co_await channel.get(queue, {.no_ack = true});
        if (got) {
            add_word(words, *got);
            --count;
        } else {
            co_await asio::post(asio::use_awaitable);
        }
    }
    const std::string more = co_await drain(channel, queue);
    if (!more.empty())
        words += ' ' + more;
    co_return words;
}
/// Waits until `count` messages are ready in a queue; false if that does not come about.
template <class Channel>
[[nodiscard]] asio::awaitable<bool> holds(Channel channel, std::string queue, std::uint32_t count)
{
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline) {
        const auto info = co_await channel.declare_queue(queue, {.passive = true});
        if (info.message_count() == count)
            co_return true;
        co_await asio::post(asio::use_awaitable);
    }
    co_return false;
}
/// Waits until a queue has so many consumers.
template <class Channel>
[[nodiscard]] asio::awaitable<bool> has_consumers(Channel channel, std::string queue,
                                                  std::uint32_t count)
{
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline) {
        const auto info = co_await channel.declare_queue(queue, {.passive = true});
        if (info.consumer_count() == count)
            co_return true;
        co_await asio::post(asio::use_awaitable);
    }
    co_return false;
}

/// The next delivery, in time.
template <class Consumer>
[[nodiscard]] auto next(Consumer& consumer)
    -> asio::awaitable<typename decltype(consumer.try_next())::value_type>
{
    auto delivery = co_await consumer.next({.timeout = patience});
    if (!delivery)
        throw std::runtime_error("the consumer was cancelled while a delivery was expected");
    co_return std::move(*delivery);
}
/// The next deliveries, acknowledged.
template <class Consumer>
[[nodiscard]] asio::awaitable<std::string> receive(Consumer& consumer, int count)
{
    std::string words;
    for (; count > 0; --count) {
        auto delivery = co_await next(consumer);
        add_word(words, delivery);
        delivery.ack();
    }
    co_return words;
}
/// The next deliveries, to be settled by the test.
template <class Consumer>
[[nodiscard]] auto hold(Consumer& consumer, int count)
    -> asio::awaitable<std::vector<typename decltype(consumer.try_next())::value_type>>
{
    std::vector<typename decltype(consumer.try_next())::value_type> held;
    for (; count > 0; --count)
        held.push_back(co_await next(consumer));
    co_return std::move(held);
}
template <class Delivery>
[[nodiscard]] std::string words_of(const std::vector<Delivery>& deliveries)
{
    std::string words;
    for (const auto& d : deliveries)
        add_word(words, d);
    return words;
}

/// Whether a queue is there. On a connection's channel of its own, since asking may close it.
template <class Connection>
[[nodiscard]] asio::awaitable<bool> queue_exists(Connection& connection, std::string queue)
{
    auto channel = co_await connection.open_channel();
    bool exists = true;
    try {
        static_cast<void>(co_await channel.declare_queue(queue, {.passive = true}));
    } catch (const leveret::channel_error&) {
        exists = false;
    }
    if (exists)
        co_await channel.close();
    co_return exists;
}
template <class Connection>
[[nodiscard]] asio::awaitable<bool> exchange_exists(Connection& connection, std::string exchange)
{
    auto channel = co_await connection.open_channel();
    bool exists = true;
    try {
        co_await channel.declare_exchange(exchange, "direct", {.passive = true});
    } catch (const leveret::channel_error&) {
        exists = false;
    }
    if (exists)
        co_await channel.close();
    co_return exists;
}

} // namespace leveret::test
