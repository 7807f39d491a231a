// Tutorial 1, "Hello World!": prints the messages of the queue `hello`.
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <iostream>

asio::awaitable<void> receive(tutorial::arguments args)
{
    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("hello");

    // no_ack: the broker forgets a message as soon as it is sent. Tutorial 2 does better.
    auto messages = co_await channel.consume("hello", {.no_ack = true});
    args.ready(" [*] Waiting for messages. To exit press CTRL+C");

    while (auto message = co_await messages.next()) {
        std::cout << " [x] Received '" << message->body() << "'\n";
        if (--args.count == 0)
            break;
    }
    co_await connection.close();
}

const tutorial::program program(receive, "receive [--count N]");
