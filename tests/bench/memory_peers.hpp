#pragma once

// What the in-memory transport is measured beside, and the clocks that all of them are measured with. Every
// function passes `n` messages of 16 bytes from one end to another and gives the nanoseconds a message.

#include <leveret/io/config.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <zmq.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>

namespace bench {

using body = std::array<char, 16>;
inline constexpr body sixteen{'s', 'i', 'x', 't', 'e', 'e', 'n', ' ', 'b', 'y', 't', 'e', 's', ' ', 'o', 'k'};
/// Most messages between a sender and its receiver, wherever the peer lets one choose.
inline constexpr int window = 1024;

/// Processor time of this thread: what runs in one thread is measured without what others did meanwhile.
inline double thread_ns()
{
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}
inline double wall_ns()
{
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
inline void require(bool ok, const char* what)
{
    if (!ok) {
        std::fprintf(stderr, "memory-perf: %s\n", what);
        std::exit(1);
    }
}
/// For co_spawn: a benchmark has no errors.
inline void rethrow(std::exception_ptr error)
{
    if (error)
        std::rethrow_exception(error);
}

/// How often a sender lets its receiver run. Asio's channel and the in-memory transport do that by themselves
/// (the one at each message, the other at every 256th operation and when its window is full): `natural` adds
/// nothing. Any other number: the sender posts itself to the end of the queue after so many messages.
enum class rhythm : std::uint64_t { natural = 0, one = 1, batch = 256 };

class beat {
public:
    explicit beat(rhythm r) : every_(static_cast<std::uint64_t>(r)) {}
    [[nodiscard]] bool is_due() { return every_ != 0 && ++count_ % every_ == 0; }

private:
    std::uint64_t every_;
    std::uint64_t count_ = 0;
};

using asio_channel = asio::experimental::channel<void(std::error_code, body)>;

inline asio::awaitable<void> send_all(asio_channel& out, std::uint64_t n, rhythm r)
{
    for (beat b(r); n > 0; --n) {
        co_await out.async_send(std::error_code(), sixteen, asio::use_awaitable);
        if (b.is_due())
            co_await asio::post(asio::use_awaitable);
    }
}
inline asio::awaitable<void> receive_all(asio_channel& in, std::uint64_t n)
{
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
        const body got = co_await in.async_receive(asio::use_awaitable);
        bytes += got[0] == 's' ? got.size() : 0;
    }
    require(bytes == n * 16, "asio::experimental::channel lost something");
}
/// Two coroutines of one io_context, one awaits every send and the other every receive. A program that has a
/// timer or a socket, as one with a broker in it has, pays for the reactor as well: `with_timer`.
inline double asio_channel_ns(std::uint64_t n, rhythm r, bool with_timer = false)
{
    asio::io_context context{1};
    asio_channel channel(context, window);
    std::optional<asio::steady_timer> timer; // making one is enough to have a reactor
    if (with_timer) {
        timer.emplace(context, std::chrono::hours(1));
        timer->async_wait([](std::error_code) {});
    }
    std::uint64_t at_work = 0;
    const auto done = [&](std::exception_ptr error) {
        rethrow(error);
        if (--at_work == 0)
            context.stop();
    };
    double begin = 0;
    for (const std::uint64_t count : {n / 10, n}) { // the first is for the caches
        at_work = 2;
        asio::co_spawn(context, receive_all(channel, count), done);
        asio::co_spawn(context, send_all(channel, count, r), done);
        begin = thread_ns();
        context.restart();
        context.run();
    }
    return (thread_ns() - begin) / static_cast<double>(n);
}

/// Filled and emptied by the batch, as nothing else can be done in one thread.
inline double deque_ns(std::uint64_t n)
{
    std::deque<body> queue;
    std::uint64_t bytes = 0;
    const double begin = thread_ns();
    for (std::uint64_t done = 0; done < n; done += 256) {
        for (int i = 0; i < 256; ++i)
            queue.push_back(sixteen);
        for (int i = 0; i < 256; ++i) {
            bytes += queue.front()[0] == 's' ? 16U : 0U;
            queue.pop_front();
        }
    }
    const double took = thread_ns() - begin;
    require(bytes >= n * 16, "std::deque lost something");
    return took / static_cast<double>(n);
}

/// A PUSH and a PULL socket over inproc.
class zmq_pair {
public:
    zmq_pair() : context_(zmq_ctx_new()), push(zmq_socket(context_, ZMQ_PUSH)), pull(zmq_socket(context_, ZMQ_PULL))
    {
        const int most = window / 2; // of each end: inproc adds them up
        require(zmq_setsockopt(push, ZMQ_SNDHWM, &most, sizeof most) == 0, "ZMQ_SNDHWM");
        require(zmq_setsockopt(pull, ZMQ_RCVHWM, &most, sizeof most) == 0, "ZMQ_RCVHWM");
        require(zmq_bind(pull, "inproc://bench") == 0, "zmq_bind");
        require(zmq_connect(push, "inproc://bench") == 0, "zmq_connect");
    }
    zmq_pair(const zmq_pair&) = delete;
    zmq_pair& operator=(const zmq_pair&) = delete;
    ~zmq_pair()
    {
        zmq_close(push);
        zmq_close(pull);
        zmq_ctx_term(context_);
    }
    void send() { require(zmq_send(push, sixteen.data(), sixteen.size(), 0) == 16, "zmq_send"); }
    void receive()
    {
        body got{};
        require(zmq_recv(pull, got.data(), got.size(), 0) == 16 && got[0] == 's', "zmq_recv");
    }

private:
    void* context_;

public:
    void* push;
    void* pull;
};

/// By the batch, as a sender that blocks and its receiver in one thread must.
inline double zmq_one_thread_ns(std::uint64_t n)
{
    zmq_pair sockets;
    const double begin = thread_ns();
    for (std::uint64_t done = 0; done < n; done += 256) {
        for (int i = 0; i < 256; ++i)
            sockets.send();
        for (int i = 0; i < 256; ++i)
            sockets.receive();
    }
    return (thread_ns() - begin) / static_cast<double>(n);
}

/// From the first send to the last receive; each thread blocks where it must wait.
inline double zmq_two_threads_ns(std::uint64_t n)
{
    zmq_pair sockets;
    const double begin = wall_ns();
    std::thread sender([&] {
        for (std::uint64_t i = 0; i < n; ++i)
            sockets.send();
    });
    for (std::uint64_t i = 0; i < n; ++i)
        sockets.receive();
    const double took = wall_ns() - begin;
    sender.join();
    return took / static_cast<double>(n);
}

} // namespace bench
