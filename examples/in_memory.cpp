// A broker in this process: the same calls as over AMQP, and no server to install.
#include <leveret/memory.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>

namespace lv = leveret;

namespace {

asio::awaitable<void> news()
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();

    co_await channel.declare_exchange("news", lv::exchange_type::topic);
    auto inbox = co_await channel.declare_queue("", {.exclusive = true});
    co_await channel.bind_queue(inbox.name(), "news", "*.hare");

    co_await channel.publish("news", "field.hare", "born with its eyes open");
    co_await channel.publish("news", "field.mouse", "nobody reads this");

    auto articles = co_await channel.consume(inbox.name());
    auto article = co_await articles.next();
    std::cout << article->routing_key() << ": " << article->body() << '\n';
    article->ack();
    co_await connection.close();
}

} // namespace

int main()
{
    asio::io_context context;
    auto done = asio::co_spawn(context, news(), asio::use_future);
    context.run();
    done.get();
}
