// What the broker core costs: nanoseconds a message, without any front end. Each case runs several times and
// the best is told, since other programs share the machine. Bodies are copied payloads, whose two atomic
// instructions are in the numbers (the first line tells what they cost).
//
//     g++ -std=c++20 -O2 -DNDEBUG -Iinclude tests/bench/broker_core.cpp -o broker-core && ./broker-core
#include "leveret/broker/broker.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace {

namespace lb = leveret::broker;
using leveret::payload;
using leveret::properties;

struct sink final : lb::channel_listener, lb::session_listener {
    lb::flow deliver(lb::consumer&, const lb::delivery& d) noexcept override
    {
        bytes += d.message.body().size();
        last_tag = d.tag;
        return lb::flow::more;
    }
    void returned(lb::stored_message&, leveret::reply_code, std::string_view) noexcept override {}
    void confirmed(std::uint64_t, bool, bool) noexcept override {}
    void consumer_cancelled(lb::consumer&) noexcept override {}
    void blocked(std::string_view) noexcept override {}
    void unblocked() noexcept override {}
    std::uint64_t bytes = 0;
    std::uint64_t last_tag = 0;
};

struct setup {
    sink heard;
    lb::broker broker;
    std::unique_ptr<lb::session> session = std::move(*broker.open_session("/", "guest", heard));
    std::unique_ptr<lb::channel> channel = std::move(*session->open_channel(heard));

    void declare(const std::string& name) { check(channel->declare_queue({.name = name})); }
    void bind(const char* exchange, const std::string& name, const char* key)
    {
        check(channel->bind_queue({.source = exchange, .destination = name, .routing_key = key}));
    }
    void consume(const std::string& name, bool no_ack)
    {
        check(channel->consume({.queue = name, .no_ack = no_ack}));
    }
    static void check(const lb::status& s)
    {
        if (!s) {
            std::fprintf(stderr, "%s\n", s.error().text.c_str());
            std::exit(1);
        }
    }
};

template <class Work>
void measure(const char* what, std::uint64_t n, Work&& work)
{
    double best = 1e9;
    for (int round = 0; round < 7; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double, std::nano> took =
            std::chrono::steady_clock::now() - begin;
        best = std::min(best, took.count() / static_cast<double>(n));
    }
    std::printf("%-58s %8.1f ns\n", what, best);
}

std::size_t resident_bytes()
{
    std::size_t pages = 0;
    if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(f, "%*s %zu", &pages) != 1)
            pages = 0;
        std::fclose(f);
    }
    return pages * 4096;
}

} // namespace

int main()
{
    constexpr std::uint64_t n = 1'000'000;
    const payload body("sixteen bytes ok");
    std::size_t copied = 0;
    measure("copying a payload and dropping the copy", n, [&] {
        for (std::uint64_t i = 0; i < n; ++i) {
            const payload copy(body);
            asm volatile("" : : "r"(&copy) : "memory");
            copied += copy.size();
        }
    });
    {
        setup s;
        s.declare("q");
        s.bind("amq.direct", "q", "key");
        s.consume("q", true);
        measure("direct exchange to a no-ack consumer", n, [&] {
            for (std::uint64_t i = 0; i < n; ++i)
                s.check(s.channel->publish({.exchange = "amq.direct", .routing_key = "key"}, body));
        });
        const properties p = properties().content_type("text/plain").delivery_mode(2);
        measure("  with two properties, the same each time", n, [&] {
            for (std::uint64_t i = 0; i < n; ++i)
                s.check(
                    s.channel->publish({.exchange = "amq.direct", .routing_key = "key"}, body, p));
        });
        measure("default exchange to a no-ack consumer", n, [&] {
            for (std::uint64_t i = 0; i < n; ++i)
                s.check(s.channel->publish({.routing_key = "q"}, body));
        });
    }
    {
        setup s;
        s.declare("q");
        s.bind("amq.direct", "q", "key");
        s.consume("q", false);
        measure("direct exchange to a consumer that acknowledges each", n, [&] {
            for (std::uint64_t i = 0; i < n; ++i) {
                s.check(s.channel->publish({.exchange = "amq.direct", .routing_key = "key"}, body));
                s.check(s.channel->ack(s.heard.last_tag));
            }
        });
        measure("  100 with one acknowledgement", n, [&] {
            for (std::uint64_t i = 0; i < n; ++i) {
                s.check(s.channel->publish({.exchange = "amq.direct", .routing_key = "key"}, body));
                if (i % 100 == 99)
                    s.check(s.channel->ack(s.heard.last_tag, true));
            }
        });
    }
    {
        setup s;
        for (int q = 0; q < 100; ++q) {
            s.declare("q" + std::to_string(q));
            s.bind("amq.fanout", "q" + std::to_string(q), "");
        }
        constexpr std::uint64_t messages = n / 100;
        measure("fanout to 100 queues that store, for each queue", n, [&] {
            for (std::uint64_t i = 0; i < messages; ++i)
                s.check(s.channel->publish({.exchange = "amq.fanout"}, body));
            for (int q = 0; q < 100; ++q)
                s.check(s.channel->purge("q" + std::to_string(q)));
        });
        for (int q = 0; q < 100; ++q)
            s.consume("q" + std::to_string(q), true);
        measure("fanout to 100 no-ack consumers, for each queue", n, [&] {
            for (std::uint64_t i = 0; i < messages; ++i)
                s.check(s.channel->publish({.exchange = "amq.fanout"}, body));
        });
    }
    for (const std::uint64_t depth : {std::uint64_t{10}, std::uint64_t{1'000'000}}) {
        setup s;
        s.declare("q");
        for (std::uint64_t i = 0; i < depth; ++i)
            s.check(s.channel->publish({.routing_key = "q"}, body));
        const std::string what =
            "publish, get, ack with " + std::to_string(depth) + " messages queued";
        measure(what.c_str(), n / 4, [&] {
            for (std::uint64_t i = 0; i < n / 4; ++i) {
                s.check(s.channel->publish({.routing_key = "q"}, body));
                const auto got = s.channel->get("q", false);
                s.check(s.channel->ack((*got)->tag));
            }
        });
    }
    {
        setup s;
        for (int i = 0; i < 1000; ++i) {
            s.declare("q" + std::to_string(i));
            s.bind("amq.topic", "q" + std::to_string(i),
                   ("a." + std::to_string(i) + ".*.#").c_str());
        }
        s.consume("q500", true);
        measure("topic with 1000 bindings to a no-ack consumer", n / 4, [&] {
            for (std::uint64_t i = 0; i < n / 4; ++i)
                s.check(s.channel->publish({.exchange = "amq.topic", .routing_key = "a.500.x.y"},
                                           body));
        });
    }
    if (copied == 0)
        return 1;
    {
        const std::size_t before = resident_bytes();
        setup s;
        s.declare("q");
        const std::string kilobyte(1024, 'x');
        for (std::uint64_t i = 0; i < n; ++i)
            s.check(s.channel->publish({.routing_key = "q"}, payload(kilobyte)));
        const double bytes = static_cast<double>(resident_bytes() - before);
        std::printf(
            "a million queued messages of 1 KiB: %.3f GiB, %.0f bytes each beside the body\n",
            bytes / 1073741824.0, bytes / static_cast<double>(n) - 1024);
    }
}
