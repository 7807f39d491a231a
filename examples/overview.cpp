// The ways to publish and to serve that the README shows, as a program: what is served here was published
// here. Usage: overview [URL]
#include <leveret.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <functional>
#include <iostream>
#include <string_view>

namespace lv = leveret;

namespace {

asio::awaitable<void> overview(const char* url)
{
    auto connection = co_await lv::amqp::connect(url);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_exchange("logs", lv::exchange_type::topic);
    co_await channel.declare_queue("tasks", {.auto_delete = true});
    const auto message = lv::message("a task");
    int left = 2; // tasks that are published here
    std::function<void()> enough;
    const auto work = [&](std::string_view task) -> asio::awaitable<void> {
        std::cout << "worked on: " << task << '\n';
        if (--left == 0)
            enough();
        co_return;
    };

    co_await channel.publish("logs", "kern.warn", "disk is hot");              // in the buffer: does not suspend
    auto outcome = co_await channel.publish_confirmed("", "tasks", message);   // confirmed, rejected or unroutable

    lv::amqp::publisher out{channel, {.window = 1000}};                        // many confirms in flight
    co_await out.publish("", "tasks", message);
    auto report = co_await out.flush();                                        // what was not confirmed, by number

    auto handler = [&](lv::amqp::delivery& d) -> asio::awaitable<void> { co_await work(d.body()); };
    auto server = lv::amqp::serve(channel, "tasks", handler, {.concurrency = 8});
    enough = [&] { server.stop(); };
    co_await server.run();                                                     // acks what returned, requeues what threw

    std::cout << (outcome.is_confirmed() ? "confirmed" : "not confirmed") << ", " << report.confirmed()
              << " more, " << server.handled() << " handled\n";
    co_await channel.delete_exchange("logs");
    co_await connection.close();
}

} // namespace

int main(int argc, char** argv)
{
    asio::io_context context;
    auto done = asio::co_spawn(context, overview(argc > 1 ? argv[1] : "amqp://guest:guest@localhost/"),
                               asio::use_future);
    context.run();
    done.get();
}
