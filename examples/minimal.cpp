#include <leveret.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>

asio::awaitable<void> hello(const char* url)
{
    auto connection = co_await leveret::amqp::connect(url);
    auto channel = co_await connection.open_channel();

    co_await channel.declare_queue("greetings", {.durable = true});
    if (co_await channel.publish_confirmed("", "greetings", leveret::message("hello").persistent()))
        std::cout << "the broker has it\n";

    auto greetings = co_await channel.consume("greetings", {.prefetch = 32});
    if (auto greeting = co_await greetings.next()) {
        std::cout << "and delivers it: " << greeting->body() << '\n';
        greeting->ack();
    }
    co_await connection.close();
}

int main(int argc, char** argv)
{
    asio::io_context context;
    auto done = asio::co_spawn(context, hello(argc > 1 ? argv[1] : "amqp://guest:guest@localhost/"),
                               asio::use_future);
    context.run();
    done.get(); // throws what went wrong
}
