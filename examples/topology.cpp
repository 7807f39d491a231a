// A topology as a type: a mistake in it does not compile. It declares itself, and draws itself.
#include <leveret/memory.hpp>
#include <leveret/topology.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>
#include <string_view>

namespace lv = leveret;

namespace {

using orders = lv::exchange<"orders", lv::topic, lv::durable, lv::alternate_exchange<"unrouted">>;
using unrouted = lv::exchange<"unrouted", lv::fanout, lv::durable>;
using events = lv::exchange<"events", lv::fanout, lv::durable>;

using billing = lv::queue<"billing", lv::durable, lv::quorum, lv::delivery_limit<5>,
                          lv::dead_letter_exchange<"">, lv::dead_letter_routing_key<"failed">>;
using shipping = lv::queue<"shipping", lv::durable, lv::max_priority<3>>;
using failed = lv::queue<"failed", lv::durable>;
using audit = lv::queue<"audit", lv::durable, lv::max_length<100'000>>;

struct shop : lv::topology<orders, unrouted, events, billing, shipping, failed, audit,
                           lv::bound_queue<billing, orders, "order.*.paid">,
                           lv::bound_queue<shipping, orders, "order.eu.#">,
                           lv::bound_exchange<events, orders, "order.#">,
                           lv::bound_queue<audit, events>, lv::bound_queue<failed, unrouted>> {};

asio::awaitable<void> sell()
{
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto channel = co_await connection.open_channel();

    co_await lv::declare<shop>(channel); // one pipeline: exchanges, queues, bindings
    co_await lv::publish<shop, orders, "order.eu.paid">(channel, "a hare, sitting");
    const std::string_view region = "us";
    co_await lv::publish<shop, orders>(channel, lv::key{"order", region, "new"}, "a hare, running");
    // co_await lv::publish<shop, lv::default_exchange, "biling">(channel, "a mouse"); does not compile

    for (const std::string_view queue : {billing::name, shipping::name, audit::name}) {
        auto state = co_await channel.declare_queue(queue, {.passive = true});
        std::cerr << queue << " has " << state.message_count() << '\n';
    }
    const auto differences = co_await lv::verify<shop>(connection);
    for (const auto& difference : differences)
        std::cerr << difference << '\n'; // none
    co_await connection.close();
}

} // namespace

int main(int, char** arguments)
{
    asio::io_context context;
    auto done = asio::co_spawn(context, sell(), asio::use_future);
    context.run();
    done.get();
    const bool dot = arguments[1] != nullptr && std::string_view(arguments[1]) == "--graphviz";
    std::cout << (dot ? lv::draw<shop>::graphviz() : lv::draw<shop>::mermaid());
}
