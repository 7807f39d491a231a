// Tutorial 3, publish/subscribe: prints the log lines sent from now on. Start as many as you like.
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <iostream>

asio::awaitable<void> receive_logs(tutorial::arguments args)
{
    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_exchange("logs", lv::exchange_type::fanout);

    // Without a name, the broker makes one up; exclusive, the queue goes when this connection does.
    auto queue = co_await channel.declare_queue("", {.exclusive = true});
    co_await channel.bind_queue(queue.name(), "logs");

    auto lines = co_await channel.consume(queue.name(), {.no_ack = true});
    args.ready(" [*] Waiting for logs. To exit press CTRL+C");

    while (auto line = co_await lines.next()) {
        std::cout << " [x] Received '" << line->body() << "'\n";
        if (--args.count == 0)
            break;
    }
    co_await connection.close();
}

const tutorial::program program(receive_logs, "receive_logs [--count N]");
