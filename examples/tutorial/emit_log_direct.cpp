// Tutorial 4, routing: sends a log line to whoever listens for its severity.
//
//     emit_log_direct error "Run. Run. Or it will explode."
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <iostream>
#include <string>

asio::awaitable<void> emit_log_direct(tutorial::arguments args)
{
    const std::string severity = args.word(0, "info");
    const std::string line = args.text_from(1, "Hello World!");
    tutorial::check_severity(severity);

    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();

    // A direct exchange gives a message to the queues that are bound with exactly its routing key.
    co_await channel.declare_exchange("direct_logs", lv::exchange_type::direct);
    co_await channel.publish("direct_logs", severity, line);
    std::cout << " [x] Sent '" << severity << "':'" << line << "'\n";

    co_await connection.close();
}

const tutorial::program program(emit_log_direct, "emit_log_direct [info|warning|error [LINE]...]");
