// Tutorial 1, "Hello World!": prints the messages of the queue `hello`.
#include "tutorial.hpp"
#include <leveret.hpp>

#include <asio/awaitable.hpp>

#include <iostream>

asio::awaitable<void> receive(tutorial::arguments args)
{
    auto connection = co_await lv::amqp::connect(tutorial::uri());
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("hello");

    // no_ack: the broker forgets a message as soon as it is sent. Tutorial 2 does better.
    auto messages = co_await channel.consume("hello", {.no_ack = true});
    std::cout << " [*] Waiting for messages. To exit press CTRL+C\n";

    while (auto message = co_await messages.next()) {
        std::cout << " [x] Received '" << message->body() << "'\n";
        if (--args.count == 0)
            break;
    }
    co_await connection.close();
}

int main(int argc, char** argv)
{
    return tutorial::run(receive, argc, argv, "receive [--count N]");
}
