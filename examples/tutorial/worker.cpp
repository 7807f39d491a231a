// Tutorial 2, work queues: takes tasks from the queue and works a second for each dot in them. Start
// several, and they share the tasks; end one while it works, and another gets its task.
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>

asio::awaitable<void> worker(tutorial::arguments args)
{
    const std::chrono::milliseconds a_dot(args.quick ? 10 : 1000);

    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("task_queue", {.durable = true});

    // prefetch 1: the next task comes when this one is acknowledged, so that the idle get the work.
    auto tasks = co_await channel.consume("task_queue", {.prefetch = 1});
    args.ready(" [*] Waiting for messages. To exit press CTRL+C");

    while (auto task = co_await tasks.next()) {
        std::cout << " [x] Received '" << task->body() << "'\n";

        asio::steady_timer work(connection.get_executor());
        work.expires_after(a_dot * std::ranges::count(task->body(), '.'));
        co_await work.async_wait(asio::use_awaitable); // heartbeats go on meanwhile

        std::cout << " [x] Done\n";
        task->ack(); // destroyed without it, as by an exception, the task goes back to the queue
        if (--args.count == 0)
            break;
    }
    co_await connection.close();
}

const tutorial::program program(worker, "worker [--count N] [--quick]");
