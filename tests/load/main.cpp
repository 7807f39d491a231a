// Load on a broker, for tests/load/test_load: `leveret-load MODE --port N [--NAME NUMBER ...]`. It says what it
// measured in lines of JSON, and goes by lines of its standard input.
//
//   idle      connections that finish the handshake, open a channel, and then only say heartbeats
//   churn     connections that open and close, so many a second
//   slow      half handshakes, a byte now and then, until the broker ends them
//   latency   round trips of one connection; statistics for each line of input
//   deaf      a consumer that never reads, and a publisher for it
//   returns   a publisher of what can't be routed, that never reads
#include "load/peer.hpp"

#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/this_coro.hpp>

#include <cstdio>
#include <exception>
#include <sys/resource.h>
#include <unistd.h>

namespace leveret::load {

asio::awaitable<bool> wait_for_line()
{
    static asio::posix::stream_descriptor input(co_await asio::this_coro::executor,
                                                ::dup(STDIN_FILENO));
    static std::string read;
    bool more = true;
    try {
        const std::size_t n = co_await asio::async_read_until(input, asio::dynamic_buffer(read),
                                                              '\n', asio::use_awaitable);
        read.erase(0, n);
    } catch (const std::system_error&) {
        more = false;
    }
    co_return more;
}

} // namespace leveret::load

int main(int argc, char** argv)
try {
    using namespace leveret::load;
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);

    settings s;
    for (int i = 2; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        if (!name.starts_with("--"))
            throw std::invalid_argument("expected --NAME NUMBER");
        s.numbers[std::string(name.substr(2))] = std::stoull(argv[i + 1]);
    }
    s.port = static_cast<std::uint16_t>(s.of("port"));
    if (s.of("connections") + 50 > files.rlim_max)
        throw std::runtime_error("the hard limit of descriptors is too low: " +
                                 std::to_string(files.rlim_max));
    const std::string_view mode = argc > 1 ? argv[1] : "";
    using function = asio::awaitable<void> (*)(settings);
    static constexpr std::pair<std::string_view, function> modes[] = {
        {"idle", &run_idle},       {"churn", &run_churn}, {"slow", &run_slow},
        {"latency", &run_latency}, {"deaf", &run_deaf},   {"returns", &run_returns}};
    for (const auto& [name, run] : modes) {
        if (name != mode)
            continue;
        asio::io_context context(1);
        std::exception_ptr failure;
        asio::co_spawn(context, run(s), [&](std::exception_ptr e) {
            failure = e;
            context.stop();
        });
        context.run();
        if (failure)
            std::rethrow_exception(failure);
        return 0;
    }
    std::fprintf(stderr, "usage: leveret-load MODE --port N [--NAME NUMBER ...]\n");
    return 2;
} catch (const std::exception& e) {
    std::fprintf(stderr, "leveret-load: %s\n", e.what());
    return 1;
}
