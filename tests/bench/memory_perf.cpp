// What the in-memory transport costs, beside what programs use for the same today, in one run: for each round
// a line `KEY NANOSECONDS` of every case. tests/bench/memory builds and runs it and prints the table.
//
//     memory-perf [ROUNDS [MESSAGES [KEY...]]]
//
// A message of ours is published to a direct exchange with a body that is copied from the caller's 16 bytes,
// routed to a queue, delivered to a consumer and awaited with next(). Publisher and consumer are two coroutines
// on one io_context with a channel each, as the two ends of Asio's channel are.
#include "memory_peers.hpp"

#include <leveret/memory.hpp>

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>

#include <cstring>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

namespace lv = leveret;
using namespace bench;
using asio::awaitable;

constexpr std::string_view sixteen_text(sixteen.data(), sixteen.size());

struct client {
    client() = default;
    lv::memory::connection connection;
    lv::memory::channel out, in;
};
awaitable<client> connect(lv::memory::broker& broker)
{
    client c;
    c.connection = co_await lv::memory::connect(broker);
    c.out = co_await c.connection.open_channel();
    c.in = co_await c.connection.open_channel();
    co_return std::move(c);
}
/// Runs `work(client)` on an io_context of its own with a broker of its own.
template <class Work>
void with_client(Work work)
{
    asio::io_context context{1};
    lv::memory::broker broker;
    const auto run = [&]() -> awaitable<void> {
        client c = co_await connect(broker);
        co_await work(c);
        co_await c.connection.close();
    };
    asio::co_spawn(context, run(), rethrow);
    context.run();
}

awaitable<void> publish_all(lv::memory::channel out, std::string_view exchange, std::uint64_t n, rhythm r)
{
    for (beat b(r); n > 0; --n) {
        co_await out.publish(exchange, "key", sixteen_text);
        if (b.is_due())
            co_await asio::post(asio::use_awaitable);
    }
}
awaitable<void> publish_shared(lv::memory::channel out, std::uint64_t n)
{
    const lv::message m(sixteen_text);
    for (; n > 0; --n)
        co_await out.publish("amq.direct", "key", m);
}
awaitable<void> consume_all(lv::memory::consumer& tasks, std::uint64_t n, bool ack)
{
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
        auto task = co_await tasks.next();
        bytes += task->body().size();
        if (ack)
            task->ack();
    }
    require(bytes == n * 16, "the in-memory transport lost something");
}

enum class kind { plain, acknowledged, shared_body };

double stream_ns(std::uint64_t n, rhythm r, kind k)
{
    double took = 0;
    with_client([&](client& c) -> awaitable<void> {
        co_await c.in.declare_queue("q");
        co_await c.in.bind_queue("q", "amq.direct", "key");
        const bool ack = k == kind::acknowledged;
        auto tasks = co_await c.in.consume("q", {.prefetch = std::uint16_t{window}, .no_ack = !ack});
        const auto executor = co_await asio::this_coro::executor;
        for (const std::uint64_t count : {n / 10, n}) { // the first is for the caches and pools
            const double begin = thread_ns();
            if (k == kind::shared_body)
                asio::co_spawn(executor, publish_shared(c.out, count), rethrow);
            else
                asio::co_spawn(executor, publish_all(c.out, "amq.direct", count, r), rethrow);
            co_await consume_all(tasks, count, ack);
            took = thread_ns() - begin;
        }
    });
    return took / static_cast<double>(n);
}

// Fanout to 100 queues.

constexpr std::uint64_t fans = 100;

awaitable<void> declare_fans(lv::memory::channel& c)
{
    for (std::uint64_t i = 0; i < fans; ++i) {
        const std::string name = "q" + std::to_string(i);
        co_await c.declare_queue(name);
        co_await c.bind_queue(name, "amq.fanout");
    }
}
/// Nanoseconds a queue, in turns of `depth` messages: to queue one, and to queue it and drop it by a purge.
std::pair<double, double> fanout_queued_ns(std::uint64_t n, std::uint64_t depth)
{
    double queued = 0, both = 0;
    const std::uint64_t turns = n / fans / depth;
    with_client([&](client& c) -> awaitable<void> {
        co_await declare_fans(c.in);
        for (std::uint64_t turn = 0; turn <= turns; ++turn) {
            const double begin = thread_ns();
            co_await publish_all(c.out, "amq.fanout", depth, rhythm::natural);
            const double end = thread_ns();
            for (std::uint64_t i = 0; i < fans; ++i)
                static_cast<void>(co_await c.in.purge_queue("q" + std::to_string(i)));
            if (turn > 0) { // the first is for the pools
                queued += end - begin;
                both += thread_ns() - begin;
            }
        }
    });
    const double entries = static_cast<double>(turns * depth * fans);
    return {queued / entries, both / entries};
}
/// To 100 coroutines, each of which awaits each message.
double fanout_consumed_ns(std::uint64_t n)
{
    double took = 0;
    with_client([&](client& c) -> awaitable<void> {
        co_await declare_fans(c.in);
        const auto executor = co_await asio::this_coro::executor;
        std::uint64_t reading = fans;
        asio::steady_timer all_read(executor, asio::steady_timer::time_point::max());
        const auto read = [&](std::uint64_t i) -> awaitable<void> {
            auto tasks = co_await c.in.consume("q" + std::to_string(i), {.no_ack = true});
            co_await consume_all(tasks, n / fans, false);
            if (--reading == 0)
                all_read.cancel();
        };
        for (std::uint64_t i = 0; i < fans; ++i)
            asio::co_spawn(executor, read(i), rethrow);
        co_await asio::post(asio::use_awaitable); // all of them wait now
        const double begin = thread_ns();
        co_await publish_all(c.out, "amq.fanout", n / fans, rhythm::natural);
        while (reading != 0) {
            std::error_code ignored;
            co_await all_read.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        took = thread_ns() - begin;
    });
    return took / static_cast<double>(n);
}

// A queue with much in it and one with little.

struct costs {
    double enqueue = 0, dequeue = 0, ack = 0;
};
/// Turns of 256 messages that are published, then fetched with get, then acknowledged.
costs queue_costs_ns(std::uint64_t depth, std::uint64_t n)
{
    costs sum;
    with_client([&](client& c) -> awaitable<void> {
        co_await c.in.declare_queue("q");
        for (std::uint64_t i = 0; i < depth; ++i)
            co_await c.out.publish("", "q", sixteen_text);
        std::vector<lv::memory::delivery> held;
        held.reserve(256);
        for (std::uint64_t turn = 0; turn < n / 256; ++turn) {
            const double begin = thread_ns();
            for (int i = 0; i < 256; ++i)
                co_await c.out.publish("", "q", sixteen_text);
            const double published = thread_ns();
            for (int i = 0; i < 256; ++i) {
                auto got = co_await c.in.get("q");
                held.push_back(std::move(*got));
            }
            const double fetched = thread_ns();
            for (lv::memory::delivery& d : held)
                d.ack();
            sum.ack += thread_ns() - fetched;
            sum.dequeue += fetched - published;
            sum.enqueue += published - begin;
            held.clear();
        }
    });
    const double all = static_cast<double>(n / 256 * 256);
    return {sum.enqueue / all, sum.dequeue / all, sum.ack / all};
}

double peak_gib()
{
    long peak = 0;
    char line[256];
    std::FILE* status = std::fopen("/proc/self/status", "r");
    while (status != nullptr && std::fgets(line, sizeof line, status) != nullptr)
        std::sscanf(line, "VmHWM: %ld", &peak);
    if (status != nullptr)
        std::fclose(status);
    return static_cast<double>(peak) / 1048576;
}
/// In a process of its own, whose memory nothing else has used: by how much its peak grows.
double million_kibibytes_gib()
{
    int ends[2] = {};
    require(::pipe(ends) == 0, "pipe");
    const pid_t child = ::fork();
    require(child >= 0, "fork");
    if (child == 0) {
        double grown = 0;
        with_client([&](client& c) -> awaitable<void> {
            const double before = peak_gib();
            const std::string kibibyte(1024, 'x');
            co_await c.in.declare_queue("q");
            for (int i = 0; i < 1'000'000; ++i)
                co_await c.out.publish("", "q", kibibyte);
            grown = peak_gib() - before;
        });
        require(::write(ends[1], &grown, sizeof grown) == sizeof grown, "write");
        std::_Exit(0);
    }
    double grown = 0;
    require(::read(ends[0], &grown, sizeof grown) == sizeof grown, "the child that measures memory died");
    ::waitpid(child, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
    return grown;
}

// Two threads with an io_context each, one broker.

/// A coroutine in a thread of its own; why it ended, if it threw.
template <class Work>
std::thread in_thread(asio::io_context& context, Work& work, std::exception_ptr& error)
{
    asio::co_spawn(context, work(), [&error](std::exception_ptr e) { error = e; });
    return std::thread([&context] { context.run(); });
}
/// Empty, and why in `reason`, where a broker belongs to one executor.
std::optional<double> two_threads_ns(std::uint64_t n, std::string& reason)
{
    lv::memory::broker broker;
    asio::io_context reading{1}, writing{1};
    double begin = 0, end = 0;
    std::promise<void> is_ready;
    std::exception_ptr read_error, write_error;
    const auto read = [&]() -> awaitable<void> {
        client c = co_await connect(broker);
        co_await c.in.declare_queue("q");
        co_await c.in.bind_queue("q", "amq.direct", "key");
        auto tasks = co_await c.in.consume("q", {.no_ack = true});
        is_ready.set_value();
        co_await consume_all(tasks, n, false);
        end = wall_ns();
        co_await c.connection.close();
    };
    const auto write = [&]() -> awaitable<void> {
        client c = co_await connect(broker);
        begin = wall_ns();
        co_await publish_all(c.out, "amq.direct", n, rhythm::natural);
        co_await c.connection.close();
    };
    std::thread reader = in_thread(reading, read, read_error);
    is_ready.get_future().wait();
    std::thread writer = in_thread(writing, write, write_error);
    writer.join();
    if (write_error)
        reading.stop();
    reader.join();
    try {
        rethrow(write_error);
    } catch (const lv::usage_error& e) {
        reason = e.what();
        return std::nullopt;
    }
    rethrow(read_error);
    return (end - begin) / static_cast<double>(n);
}

void tell(const char* key, double value)
{
    std::printf("%s %.3f\n", key, value);
    std::fflush(stdout);
}

struct measurement {
    const char* key;
    std::function<void(const char*, std::uint64_t)> run;
};

std::vector<measurement> all_measurements()
{
    using n_t = std::uint64_t;
    return {
        {"asio", [](auto k, n_t n) { tell(k, asio_channel_ns(n, rhythm::natural)); }},
        {"stream", [](auto k, n_t n) { tell(k, stream_ns(n, rhythm::natural, kind::plain)); }},
        {"stream-ack", [](auto k, n_t n) { tell(k, stream_ns(n, rhythm::natural, kind::acknowledged)); }},
        {"stream-shared", [](auto k, n_t n) { tell(k, stream_ns(n, rhythm::natural, kind::shared_body)); }},
        {"asio-256", [](auto k, n_t n) { tell(k, asio_channel_ns(n, rhythm::batch)); }},
        {"stream-256", [](auto k, n_t n) { tell(k, stream_ns(n, rhythm::batch, kind::plain)); }},
        {"asio-1", [](auto k, n_t n) { tell(k, asio_channel_ns(n / 4, rhythm::one)); }},
        {"asio-timer", [](auto k, n_t n) { tell(k, asio_channel_ns(n / 4, rhythm::natural, true)); }},
        {"asio-timer-1", [](auto k, n_t n) { tell(k, asio_channel_ns(n / 4, rhythm::one, true)); }},
        {"stream-1", [](auto k, n_t n) { tell(k, stream_ns(n / 4, rhythm::one, kind::plain)); }},
        {"zmq", [](auto k, n_t n) { tell(k, zmq_one_thread_ns(n)); }},
        {"deque", [](auto k, n_t n) { tell(k, deque_ns(n)); }},
        {"fanout",
         [](auto k, n_t n) {
             const auto ns = fanout_queued_ns(n, 1'000);
             tell(k, ns.first);
             tell("fanout-purge", ns.second);
         }},
        {"fanout-deep", [](auto k, n_t n) { tell(k, fanout_queued_ns(n, 10'000).first); }},
        {"fanout-next", [](auto k, n_t n) { tell(k, fanout_consumed_ns(n)); }},
        {"depth",
         [](auto, n_t n) {
             const costs few = queue_costs_ns(10, n / 2);
             const costs many = queue_costs_ns(1'000'000, n / 2);
             tell("enqueue-10", few.enqueue);
             tell("enqueue-1m", many.enqueue);
             tell("dequeue-10", few.dequeue);
             tell("dequeue-1m", many.dequeue);
             tell("ack-10", few.ack);
             tell("ack-1m", many.ack);
         }},
        {"memory", [](auto k, n_t) { tell(k, million_kibibytes_gib()); }},
        {"zmq-threads", [](auto k, n_t n) { tell(k, zmq_two_threads_ns(n)); }},
        {"threads",
         [](auto k, n_t n) {
             std::string reason;
             if (const auto ns = two_threads_ns(n, reason))
                 tell(k, *ns);
             else
                 std::printf("skipped %s: %s\n", k, reason.c_str());
         }},
    };
}

} // namespace

int main(int argc, char** argv)
{
    const std::uint64_t rounds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 5;
    const std::uint64_t n = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
    require(rounds > 0 && n >= 1'000'000, "usage: memory-perf [ROUNDS [MESSAGES [KEY...]]], messages from a million on");
    const auto measurements = all_measurements();
    const auto is_wanted = [&](const char* key) {
        for (int i = 3; i < argc; ++i)
            if (std::strcmp(argv[i], key) == 0)
                return true;
        return argc <= 3;
    };
    for (std::uint64_t round = 0; round < rounds; ++round)
        for (const measurement& m : measurements)
            if (is_wanted(m.key))
                m.run(m.key, n);
}
