// What a call of rpc::client costs, beside the same by hand (reply_to and correlation_id, bodies of bytes). Calls have
// one integer as argument and give it back; so many are in flight at once. tests/bench/rpc builds and runs it.
//
//     rpc-perf memory COUNT IN_FLIGHT        both ends in one thread: `memory NS`, `memory-bare NS`
//     rpc-perf client URI COUNT IN_FLIGHT    the queue `echo` sends back what it gets: `client NS`, `client-bare NS`
//     rpc-perf serve URI                     our server of the topic `calc` in oslo.messaging's format, until it is killed
//     rpc-perf call URI COUNT IN_FLIGHT      its client: `call NS`
//
// NS is processor time of this process for a call, all threads of it.
#include <leveret/amqp.hpp>
#include <leveret/memory.hpp>
#include <leveret/rpc.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

namespace {

namespace lv = leveret;
using asio::awaitable;

double cpu_ns()
{
    timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}
constexpr auto rethrow = [](std::exception_ptr e) {
    if (e)
        std::rethrow_exception(e);
};

/// So many coroutines that each call one after the other; `one(i)` is a call, and `is_right` looks at what it gives.
template <class Call, class Check>
awaitable<double> measure(const char* name, std::uint64_t count, std::uint64_t in_flight, Call one, Check is_right)
{
    std::uint64_t begun = 0;
    std::uint64_t running = in_flight;
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer done(executor, asio::steady_timer::time_point::max());
    const auto caller = [&]() -> awaitable<void> {
        while (begun < count) {
            const std::uint64_t i = begun++;
            const auto got = co_await one(i);
            if (!is_right(got, i))
                std::abort();
        }
        if (--running == 0)
            done.cancel();
    };
    const double begin = cpu_ns();
    for (std::uint64_t i = 0; i < in_flight; ++i)
        asio::co_spawn(executor, caller(), rethrow);
    while (running != 0) {
        try {
            co_await done.async_wait(asio::use_awaitable);
        } catch (const std::system_error&) {
        }
    }
    const double each = (cpu_ns() - begin) / static_cast<double>(count);
    if (name != nullptr)
        std::printf("%s %.1f\n", name, each);
    co_return each;
}

template <class Client, class Result>
awaitable<void> typed(const char* name, Client& client, const char* method, std::uint64_t count, std::uint64_t in_flight, Result)
{
    const auto one = [&client, method](std::uint64_t i) { return client.template call<Result>(method, i); };
    const auto is_right = [](const Result& got, std::uint64_t i) {
        if constexpr (std::is_integral_v<Result>)
            return got == i;
        else
            return got.size() == 1 && got[0] == i;
    };
    co_await measure(nullptr, 1000, in_flight, one, is_right);
    co_await measure(name, count, in_flight, one, is_right);
}

/// By hand, as leveret-perf does it: `in_flight` messages, each answer makes the next.
template <class Channel>
awaitable<void> bare(const char* name, Channel& channel, std::string_view queue, std::uint64_t count, std::uint64_t in_flight)
{
    const auto info = co_await channel.declare_queue("", {.exclusive = true, .auto_delete = true});
    const std::string reply_to = info.name();
    auto replies = co_await channel.consume(reply_to, {.prefetch = 0, .no_ack = true});
    lv::message m;
    m.reply_to(reply_to);
    std::array<char, 24> text{};
    std::uint64_t sent = 0;
    const auto prepare = [&] {
        char* const end = std::to_chars(text.data(), text.data() + text.size(), sent).ptr;
        const std::string_view number(text.data(), static_cast<std::size_t>(end - text.data()));
        m.body(lv::payload(number));
        m.properties().correlation_id(number);
        ++sent;
    };
    for (int round = 0; round < 2; ++round) {
        const std::uint64_t last = sent + (round == 0 ? 1000 : count);
        const double begin = cpu_ns();
        for (std::uint64_t i = 0; i < in_flight; ++i) {
            prepare();
            co_await channel.publish("", queue, m, {});
        }
        for (std::uint64_t got = last - (round == 0 ? 1000 : count); got < last; ++got) {
            const auto reply = co_await replies.next();
            if (!reply || reply->body().empty())
                std::abort();
            if (sent < last) {
                prepare();
                co_await channel.publish("", queue, m, {});
            }
        }
        if (round == 1)
            std::printf("%s %.1f\n", name, (cpu_ns() - begin) / static_cast<double>(count));
    }
    co_await replies.cancel();
}
template <class Channel>
awaitable<void> bare_server(Channel& channel, std::string queue)
{
    auto requests = co_await channel.consume(queue, {.prefetch = 0, .no_ack = true});
    lv::message m;
    while (auto request = co_await requests.next()) {
        m.body(request->payload());
        m.properties().correlation_id(request->properties().correlation_id());
        co_await channel.publish("", request->properties().reply_to(), m, {});
    }
}

awaitable<void> in_memory(std::uint64_t count, std::uint64_t in_flight)
{
    const auto executor = co_await asio::this_coro::executor;
    lv::memory::broker broker;
    auto connection = co_await lv::memory::connect(broker);
    auto server_channel = co_await connection.open_channel();
    auto channel = co_await connection.open_channel();
    {
        lv::rpc::server server{server_channel, {.topic = "calc", .server = "one"}};
        server.add("same", [](std::uint64_t n) { return n; });
        server.add("later", [](std::uint64_t n) -> awaitable<std::uint64_t> { co_return n; });
        co_await server.start();
        asio::co_spawn(executor, server.run(), rethrow);
        lv::rpc::client client{channel, {.topic = "calc"}};
        co_await typed("memory", client, "same", count, in_flight, std::uint64_t());
        co_await typed("memory-coroutine", client, "later", count, in_flight, std::uint64_t());
        server.stop();
    }
    auto serving = co_await connection.open_channel();
    auto calling = co_await connection.open_channel();
    co_await serving.declare_queue("echo", {});
    asio::co_spawn(executor, bare_server(serving, "echo"), [](std::exception_ptr) {});
    co_await bare("memory-bare", calling, "echo", count, in_flight);
    co_await connection.close();
}

awaitable<void> over_amqp(std::string uri, std::uint64_t count, std::uint64_t in_flight)
{
    auto connection = co_await lv::amqp::connect(uri);
    auto channel = co_await connection.open_channel();
    co_await bare("client-bare", channel, "echo", count, in_flight);
    auto calling = co_await connection.open_channel();
    lv::rpc::client client{calling, {.topic = "echo"}, lv::rpc::wire::plain{.direct_reply_to = false}};
    co_await typed("client", client, "same", count, in_flight, std::vector<std::uint64_t>());
    co_await connection.close();
}
awaitable<void> serve(std::string uri)
{
    auto connection = co_await lv::amqp::connect(uri);
    auto channel = co_await connection.open_channel();
    lv::rpc::server server{channel, {.exchange = "bench", .topic = "calc", .server = "one"}, lv::rpc::wire::oslo()};
    server.add<"n">("same", [](std::uint64_t n) { return n; });
    co_await server.start();
    std::puts("READY");
    std::fflush(stdout);
    co_await server.run();
}
awaitable<void> call(std::string uri, std::uint64_t count, std::uint64_t in_flight)
{
    auto connection = co_await lv::amqp::connect(uri);
    auto channel = co_await connection.open_channel();
    lv::rpc::client client{channel, {.exchange = "bench", .topic = "calc"}, lv::rpc::wire::oslo()};
    const auto one = [&client](std::uint64_t i) { return client.call<std::uint64_t>("same", lv::rpc::arg("n", i)); };
    const auto is_right = [](std::uint64_t got, std::uint64_t i) { return got == i; };
    co_await measure(nullptr, std::min<std::uint64_t>(count, 1000), in_flight, one, is_right);
    std::puts("BEGIN"); // the server's time counts from here
    std::fflush(stdout);
    co_await measure("call", count, in_flight, one, is_right);
    co_await connection.close();
}

std::uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }

} // namespace

int main(int argc, char** argv)
{
    const std::vector<std::string> args(argv + 1, argv + argc);
    asio::io_context context(1);
    if (args.size() == 3 && args[0] == "memory")
        asio::co_spawn(context, in_memory(number(argv[2]), number(argv[3])), rethrow);
    else if (args.size() == 4 && args[0] == "client")
        asio::co_spawn(context, over_amqp(args[1], number(argv[3]), number(argv[4])), rethrow);
    else if (args.size() == 2 && args[0] == "serve")
        asio::co_spawn(context, serve(args[1]), rethrow);
    else if (args.size() == 4 && args[0] == "call")
        asio::co_spawn(context, call(args[1], number(argv[3]), number(argv[4])), rethrow);
    else
        return std::fputs("rpc-perf memory COUNT IN_FLIGHT | client URI COUNT IN_FLIGHT | serve URI | call URI COUNT IN_FLIGHT\n", stderr), 2;
    context.run();
}
