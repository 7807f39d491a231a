// Tutorial 5, topics: sends a log line under a key of words, here `<facility>.<severity>`.
//
//     emit_log_topic kern.critical "A critical kernel error"
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <iostream>
#include <string>

asio::awaitable<void> emit_log_topic(tutorial::arguments args)
{
    const std::string key = args.word(0, "anonymous.info");
    const std::string line = args.text_from(1, "Hello World!");

    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_exchange("topic_logs", lv::exchange_type::topic);

    co_await channel.publish("topic_logs", key, line);
    std::cout << " [x] Sent '" << key << "':'" << line << "'\n";

    co_await connection.close();
}

const tutorial::program program(emit_log_topic, "emit_log_topic [KEY [LINE]...]");
