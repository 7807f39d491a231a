// Tutorial 2, work queues: puts a task into a queue that survives a restart of the broker.
//
//     new_task "A very hard task which takes two seconds.."
#include "tutorial.hpp"
#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <iostream>
#include <string>

asio::awaitable<void> new_task(tutorial::arguments args)
{
    const std::string task = args.text_from(0, "Hello World!");

    auto connection = co_await lv::connect(args.transport);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("task_queue", {.durable = true});

    // For a message to survive too, its queue must be durable and itself persistent.
    co_await channel.publish("", "task_queue", lv::message(task).persistent());
    std::cout << " [x] Sent '" << task << "'\n";

    co_await connection.close();
}

const tutorial::program program(new_task, "new_task [TASK]...");
