// Tutorial 6, remote procedure call: asks a server for a Fibonacci number and waits for its answer.
//
//     rpc_client 30
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <iostream>
#include <random>
#include <string>

asio::awaitable<void> rpc_client(tutorial::arguments args)
{
    const std::string n = std::to_string(tutorial::number(args.word(0, "30")));

    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();

    // A queue of our own for the answers. A real client has one for all its calls, and knows by the
    // correlation id which answer belongs to which of them.
    auto queue = co_await channel.declare_queue("", {.exclusive = true});
    auto answers = co_await channel.consume(queue.name(), {.no_ack = true});

    const std::string id = std::to_string(std::random_device()());
    lv::message request(n);
    request.reply_to(queue.name()).correlation_id(id);
    std::cout << " [x] Requesting fib(" << n << ")\n";
    co_await channel.publish("", "rpc_queue", request);

    // Never wait for a server without a limit: this throws lv::timeout_error.
    while (auto answer = co_await answers.next({.timeout = std::chrono::seconds(30)})) {
        if (answer->properties().correlation_id() != id)
            continue; // to a question of somebody else
        std::cout << " [.] Got " << answer->body() << '\n';
        break;
    }
    co_await connection.close();
}

const tutorial::program program(rpc_client, "rpc_client [N]");
