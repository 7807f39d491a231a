// What any_connection costs over the transport's own types, in memory, where everything else is cheapest: nanoseconds
// a message of 16 bytes, and allocations. Cases run in turns and the best of each is told, since other programs share
// the machine. Publishing a body copies it, once: that is the allocation of the rows that publish one.
//
//     g++ -std=c++20 -O2 -DNDEBUG -Iinclude -Itests -o any-bench tests/bench/any_bench.cpp
//         tests/transport/counted_malloc.cpp && ./any-bench
#include "transport/counted_malloc.hpp"

#include <leveret/memory.hpp>
#include <leveret/transport/any/connection.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace lv = leveret;

namespace {

constexpr int messages = 100'000;
constexpr int rounds = 15;
constexpr std::string_view body = "sixteen bytes...";

struct best {
    double ns = 1e9;
    double allocations = 1e9;
    void take(double took, std::uint64_t allocated)
    {
        ns = std::min(ns, took / messages);
        allocations = std::min(allocations, static_cast<double>(allocated) / messages);
    }
};

template <class Work>
asio::awaitable<void> timed(best& b, Work work)
{
    const std::uint64_t allocated = lv::test::allocations_of_this_thread();
    const auto start = std::chrono::steady_clock::now();
    co_await work();
    const auto took = std::chrono::steady_clock::now() - start;
    b.take(std::chrono::duration<double, std::nano>(took).count(),
           lv::test::allocations_of_this_thread() - allocated);
}

struct results {
    best publish, consume, both, with_properties;
};

template <class Connection>
asio::awaitable<void> run(Connection connection, results& r)
{
    auto channel = co_await connection.open_channel();
    const auto info = co_await channel.declare_queue("", {.exclusive = true});
    const std::string queue = info.name();

    const auto publish = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < messages; ++i)
            co_await channel.publish("", queue, body);
    };
    co_await timed(r.publish, publish);

    auto consumer = co_await channel.consume(queue);
    const auto consume = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < messages; ++i) {
            auto d = co_await consumer.next();
            d->ack();
        }
    };
    co_await timed(r.consume, consume);

    const auto both = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < messages; ++i) {
            co_await channel.publish("", queue, body);
            auto d = co_await consumer.next();
            d->ack();
        }
    };
    co_await timed(r.both, both);

    std::size_t seen = 0;
    const lv::message message = lv::message(body).correlation_id("7").reply_to("me");
    const auto with_properties = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < messages; ++i) {
            co_await channel.publish("", queue, message);
            auto d = co_await consumer.next();
            seen += d->body().size() + d->routing_key().size() + d->properties().correlation_id().size() +
                    d->properties().reply_to().size();
            d->ack();
        }
    };
    co_await timed(r.with_properties, with_properties);
    if (seen == 0)
        std::puts("nothing was seen");
    co_await connection.close();
}

asio::awaitable<void> all(results& direct, results& any)
{
    lv::memory::broker broker;
    for (int i = 0; i < rounds; ++i) {
        auto one = co_await lv::memory::connect(broker);
        co_await run(std::move(one), direct);
        auto two = co_await lv::memory::connect(broker);
        co_await run(lv::any_connection(std::move(two)), any);
    }
}

void row(const char* what, const best& direct, const best& any)
{
    std::printf("%-36s %8.1f %8.1f %+8.1f   %10.3f %10.3f\n", what, direct.ns, any.ns, any.ns - direct.ns,
                direct.allocations, any.allocations);
}

} // namespace

int main()
{
    results direct, any;
    asio::io_context context(1);
    asio::co_spawn(context, all(direct, any), [](std::exception_ptr e) {
        if (e)
            std::rethrow_exception(e);
    });
    context.run();
    std::printf("%-36s %8s %8s %8s   %10s %10s\n", "ns a message", "direct", "any", "more", "allocations", "any");
    row("publish", direct.publish, any.publish);
    row("next and ack of what is there", direct.consume, any.consume);
    row("publish, next, ack", direct.both, any.both);
    row("the same, looking at properties", direct.with_properties, any.with_properties);
}
