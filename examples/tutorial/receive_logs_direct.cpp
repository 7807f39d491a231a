// Tutorial 4, routing: prints the log lines of the severities that it is told.
//
//     receive_logs_direct warning error
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <iostream>

asio::awaitable<void> receive_logs_direct(tutorial::arguments args)
{
    if (args.words.empty())
        tutorial::refuse("no severity given");
    for (const auto& severity : args.words)
        tutorial::check_severity(severity);

    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_exchange("direct_logs", lv::exchange_type::direct);
    auto queue = co_await channel.declare_queue("", {.exclusive = true});

    // One binding for each severity, all to one queue.
    for (const auto& severity : args.words)
        co_await channel.bind_queue(queue.name(), "direct_logs", severity);

    auto lines = co_await channel.consume(queue.name(), {.no_ack = true});
    args.ready(" [*] Waiting for logs. To exit press CTRL+C");

    while (auto line = co_await lines.next()) {
        std::cout << " [x] Received '" << line->routing_key() << "':'" << line->body() << "'\n";
        if (--args.count == 0)
            break;
    }
    co_await connection.close();
}

const tutorial::program program(receive_logs_direct, "receive_logs_direct [--count N] info|warning|error...");
