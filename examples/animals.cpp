// The animals of RabbitMQ's topic tutorial: three patterns, known when the program is compiled, decide who hears of
// which animal, and which part of its name. Runs on a broker in this process.
#include <leveret/dispatch.hpp>
#include <leveret/memory.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>

namespace lv = leveret;

namespace {

// A handler takes what it wants: the delivery, its body, a word for each wildcard of its pattern.
void orange_thing(std::string_view speed, std::string_view species)
{
    std::cout << "  orange: a " << speed << ' ' << species << '\n';
}
void rabbit(const std::string& body, std::string_view speed, std::string_view colour)
{
    std::cout << "  rabbit: " << speed << " and " << colour << ", says " << body << '\n';
}
asio::awaitable<void> lazy_thing(const lv::memory::delivery& delivery, std::string_view rest)
{
    std::cout << "  lazy: " << (rest.empty() ? "nothing else" : rest) << " in " << delivery.exchange() << '\n';
    co_return;
}
void nobody(std::string_view key) { std::cout << "  nobody asked for '" << key << "'\n"; }

using everyone = lv::dispatch_all<lv::on<"*.orange.*", orange_thing>, lv::on<"*.*.rabbit", rabbit>,
                                  lv::on<"lazy.#", lazy_thing>, lv::otherwise<nobody>>;
static_assert(lv::topic_pattern<"*.orange.*">::matches("quick.orange.rabbit"));
static_assert(lv::topic_overlaps("*.orange.*", "lazy.#") && !lv::topic_covers("*.orange.*", "lazy.#"));

asio::awaitable<void> zoo()
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_exchange("animals", lv::exchange_type::topic);
    auto inbox = co_await channel.declare_queue("", {.exclusive = true});
    co_await channel.bind_queue(inbox.name(), "animals", "#");

    for (const auto* speed : {"quick", "lazy"}) // a word with a dot in it would be refused
        co_await channel.publish("animals", lv::key{speed, "orange", speed[0] == 'q' ? "rabbit" : "elephant"},
                                 "hello");
    for (const auto* key : {"quick.orange.fox", "lazy.brown.fox", "lazy.pink.rabbit", "quick.brown.fox",
                            "orange", "quick.orange.new.rabbit", "lazy.orange.new.rabbit", "lazy"})
        co_await channel.publish("animals", key, "hello");

    const everyone listeners;
    auto animals = co_await channel.consume(inbox.name());
    while (auto animal = animals.try_next()) {
        std::cout << animal->routing_key() << '\n';
        co_await listeners(*animal);
        animal->ack();
    }
    co_await connection.close();
}

} // namespace

int main()
{
    asio::io_context context;
    auto done = asio::co_spawn(context, zoo(), asio::use_future);
    context.run();
    done.get();
}
