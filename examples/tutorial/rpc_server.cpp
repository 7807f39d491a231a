// Tutorial 6, remote procedure call: answers requests for Fibonacci numbers.
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

std::uint64_t fib(std::uint64_t n)
{
    if (n > 93)
        throw std::out_of_range("fib(n) has more than 64 bits");
    std::uint64_t current = 0, next = 1;
    while (n-- > 0)
        current = std::exchange(next, current + next);
    return current;
}

asio::awaitable<void> rpc_server(tutorial::arguments args)
{
    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("rpc_queue");

    std::function<void()> enough; // for --count: stops the server
    auto answer = [&](lv::any_delivery& request) -> asio::awaitable<void> {
        std::cout << " [.] fib(" << request.body() << ")\n";
        lv::message result(std::to_string(fib(tutorial::number(request.body()))));
        result.correlation_id(request.properties().correlation_id());
        co_await channel.publish("", request.properties().reply_to(), result);
        if (--args.count == 0)
            enough();
    };

    // Runs `answer` for each request, acknowledges those for which it returns, and discards those for
    // which it throws: what is no number now won't be one the next time.
    auto server = lv::serve(channel, "rpc_queue", answer,
                            {.concurrency = 8, .on_error = lv::on_error::discard});
    enough = [&] { server.stop(); };
    args.ready(" [x] Awaiting RPC requests");
    co_await server.run();
    co_await connection.close();
}

const tutorial::program program(rpc_server, "rpc_server [--count N]");
