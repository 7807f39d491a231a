// Tutorial 7, publisher confirms: learns from the broker what became of each message, in two ways.
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

constexpr int how_many = 5'000;

// Simple, and slow: a message is sent when the broker has answered for the one before.
asio::awaitable<void> one_by_one(lv::any_channel channel, std::string queue)
{
    for (int i = 0; i < how_many; ++i) {
        auto result = co_await channel.publish_confirmed("", queue, std::to_string(i));
        if (!result)
            std::cout << " [!] Message " << i << " was not confirmed\n";
    }
}

// As safe, and fast: up to 1,000 messages are on their way at any time.
asio::awaitable<void> with_a_window(lv::any_channel channel, std::string queue)
{
    lv::any_publisher publisher(channel, {.window = 1000});
    for (int i = 0; i < how_many; ++i)
        co_await publisher.publish("", queue, std::to_string(i));

    auto report = co_await publisher.flush(); // waits for the last
    for (const auto& failure : report.failures())
        std::cout << " [!] Message " << failure.number() << " was not confirmed\n";
}

asio::awaitable<void> timed(std::string_view how, asio::awaitable<void> publishing)
{
    const auto start = std::chrono::steady_clock::now();
    co_await std::move(publishing);
    const auto took = std::chrono::steady_clock::now() - start;
    std::cout << " [x] Published " << how_many << " messages " << how << " in "
              << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms\n";
}

asio::awaitable<void> publisher_confirms(tutorial::arguments args)
{
    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();
    auto queue = co_await channel.declare_queue("", {.exclusive = true});

    co_await timed("one by one", one_by_one(channel, queue.name()));
    co_await timed("with a window", with_a_window(channel, queue.name()));

    // A message that can't reach any queue is no exception: the result says so.
    auto lost = co_await channel.publish_confirmed("", "no such queue", "Is anybody there?");
    if (lost.is_unroutable())
        std::cout << " [!] 'Is anybody there?' came back: " << lost.reply_text() << '\n';
    co_await connection.close();
}

const tutorial::program program(publisher_confirms, "publisher_confirms");
