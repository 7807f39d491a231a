// Tutorial 5, topics: prints the log lines whose keys match a pattern, in which `*` stands for one word
// and `#` for any number of them.
//
//     receive_logs_topic "kern.*" "*.critical"
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <iostream>

asio::awaitable<void> receive_logs_topic(tutorial::arguments args)
{
    if (args.words.empty())
        tutorial::refuse("no pattern given");

    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_exchange("topic_logs", lv::exchange_type::topic);
    auto queue = co_await channel.declare_queue("", {.exclusive = true});

    // A line comes once, however many of the patterns match.
    for (const auto& pattern : args.words)
        co_await channel.bind_queue(queue.name(), "topic_logs", pattern);

    auto lines = co_await channel.consume(queue.name(), {.no_ack = true});
    args.ready(" [*] Waiting for logs. To exit press CTRL+C");

    while (auto line = co_await lines.next()) {
        std::cout << " [x] Received '" << line->routing_key() << "':'" << line->body() << "'\n";
        if (--args.count == 0)
            break;
    }
    co_await connection.close();
}

const tutorial::program program(receive_logs_topic, "receive_logs_topic [--count N] PATTERN...");
