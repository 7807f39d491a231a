// Tutorial 3, publish/subscribe: sends a log line to whoever listens now.
//
//     emit_log "a log for everyone"
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <iostream>
#include <string>

asio::awaitable<void> emit_log(tutorial::arguments args)
{
    const std::string line = args.text_from(0, "info: Hello World!");

    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();

    // A fanout exchange gives every queue that is bound to it a copy, and ignores the routing key.
    co_await channel.declare_exchange("logs", lv::exchange_type::fanout);
    co_await channel.publish("logs", "", line);
    std::cout << " [x] Sent '" << line << "'\n";

    co_await connection.close();
}

const tutorial::program program(emit_log, "emit_log [LINE]...");
