// Tutorial 1, "Hello World!": puts one message into the queue `hello`.
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <iostream>

asio::awaitable<void> send(tutorial::arguments args)
{
    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();

    // Creates the queue if it is not there: sender and receiver may start in any order.
    co_await channel.declare_queue("hello");

    // The exchange without a name delivers to the queue that the routing key names.
    co_await channel.publish("", "hello", "Hello World!");
    std::cout << " [x] Sent 'Hello World!'\n";

    co_await connection.close(); // sends what is still in the buffer
}

const tutorial::program program(send, "send");
