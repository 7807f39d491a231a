// leveret-broker: an AMQP 0-9-1 broker that keeps its messages in memory. What it is lies in <leveret/server.hpp>;
// here are its options, its log and its signals.
#include "process.hpp"

#include <leveret/core/escape.hpp>
#include <leveret/server.hpp>

#include <CLI/CLI.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lv = leveret;

namespace {

struct settings {
    std::string listen = "127.0.0.1:5672";
    std::vector<std::string> users;
    std::vector<std::string> virtual_hosts;
    std::size_t memory = std::size_t{1} << 30U;
    std::size_t connections = 10'000;
    std::size_t connections_per_address = 10'000;
    double handshake = 10; ///< seconds
    double sending = 60;
    std::uint16_t heartbeat = 60;
    double patience = 5; ///< seconds
    std::string port_file;
};

/// One line an event. Passwords don't come here.
class log final : public lv::broker::server_observer {
public:
    void connected(std::uint64_t n, std::string_view address, std::uint16_t port) override
    {
        spdlog::info("connection {} from {} port {}", n, address, port);
    }
    void login_refused(std::uint64_t n, std::string_view user) override
    {
        spdlog::warn("connection {}: login of '{}' refused", n, lv::escaped(user));
    }
    void opened(std::uint64_t n, std::string_view user, std::string_view virtual_host) override
    {
        spdlog::info("connection {}: user '{}' in virtual host '{}'", n, lv::escaped(user), lv::escaped(virtual_host));
    }
    void disconnected(std::uint64_t n, std::string_view why) override
    {
        spdlog::info("connection {} ended{}{}", n, why.empty() ? "" : ": ", lv::escaped(why));
    }
    void turned_away(std::string_view address) override
    {
        spdlog::warn("a connection from {} turned away: the limit is reached", address);
    }
};

/// Splits at the last separator; throws where there is none.
[[nodiscard]] std::pair<std::string, std::string> split(const std::string& text, char at, const char* form)
{
    const auto i = text.rfind(at);
    if (i == std::string::npos || i == 0)
        throw std::invalid_argument("expected " + std::string(form));
    return {text.substr(0, i), text.substr(i + 1)};
}

[[nodiscard]] settings parse(int argc, char** argv)
{
    settings s;
    CLI::App app("An AMQP 0-9-1 broker that keeps its messages in memory.", "leveret-broker");
    app.add_option("--listen", s.listen, "address and port; port 0 is any that is free")->capture_default_str();
    app.add_option("--user", s.users, "NAME:PASSWORD, who may do everything; without any, guest from this machine");
    app.add_option("--vhost", s.virtual_hosts, "a virtual host beside /");
    app.add_option("--memory-limit", s.memory, "bytes of messages, such as 512MiB, above which publishers wait")
        ->transform(CLI::AsSizeValue(false))
        ->capture_default_str();
    app.add_option("--max-connections", s.connections, "connections at once")->capture_default_str();
    app.add_option("--max-connections-per-address", s.connections_per_address,
                   "of these, from one address")
        ->capture_default_str();
    app.add_option("--handshake-timeout", s.handshake,
                   "seconds from connecting to an open connection")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--send-timeout", s.sending,
                   "seconds for a client to take any of its output; 0: no limit")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--heartbeat", s.heartbeat, "seconds that are offered to clients; 0: none")->capture_default_str();
    app.add_option("--shutdown-timeout", s.patience, "seconds for clients to answer that the broker ends")
        ->capture_default_str();
    app.add_option("--port-file", s.port_file, "writes the port here once it listens");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        std::exit(app.exit(e));
    }
    return s;
}

[[nodiscard]] lv::duration seconds(double n) { return std::chrono::duration<double>(n); }

/// Every two seconds, until the context ends.
void look_after_memory(memory_keeper& memory, asio::steady_timer& timer)
{
    timer.expires_after(std::chrono::seconds(2));
    timer.async_wait([&](std::error_code ec) {
        if (ec)
            return;
        memory.look();
        look_after_memory(memory, timer);
    });
}

/// Runs until SIGTERM or SIGINT.
[[nodiscard]] asio::awaitable<void> run(const settings& s)
{
    const auto [host, port] = split(s.listen, ':', "--listen ADDRESS:PORT");
    lv::broker::users users;
    for (const auto& user : s.users) {
        const auto colon = user.find(':'); // a password may have more
        if (colon == std::string::npos || colon == 0)
            throw std::invalid_argument("expected --user NAME:PASSWORD");
        const std::string name = user.substr(0, colon);
        users.add(name, std::string_view(user).substr(colon + 1)).permit(name, "/", ".*", ".*", ".*");
        for (const auto& v : s.virtual_hosts)
            users.permit(name, v, ".*", ".*", ".*");
    }
    log events;
    lv::broker::server_options o{.host = host};
    o.port = static_cast<std::uint16_t>(std::stoul(port));
    o.access = s.users.empty() ? nullptr : &users;
    o.observer = &events;
    o.connections.connections = s.connections;
    o.connections.connections_per_address = s.connections_per_address;
    o.connections.handshake_timeout = seconds(s.handshake);
    o.connections.send_timeout = s.sending == 0 ? lv::duration::never() : seconds(s.sending);
    o.connections.heartbeat = s.heartbeat;
    o.limits.memory_high = s.memory;
    o.limits.memory_low = s.memory - s.memory / 5;
    if (const std::size_t files = raise_descriptor_limit(); files < s.connections + 32)
        spdlog::warn("at most {} files may be open: that is too few for {} connections (ulimit -n)",
                     files, s.connections);
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer memory_timer(executor);
    memory_keeper memory;
    look_after_memory(memory, memory_timer);
    asio::signal_set signals(executor, SIGTERM, SIGINT);
    lv::broker::server server(executor, o);
    for (const auto& v : s.virtual_hosts)
        server.add_virtual_host(v);
    spdlog::info("listening on {} port {}", host, server.port());
    if (!s.port_file.empty())
        std::ofstream(s.port_file) << server.port() << '\n';
    const int signal = co_await signals.async_wait(asio::use_awaitable);
    spdlog::info("signal {}: closing {} connections", signal, server.connection_count());
    co_await server.stop(seconds(s.patience));
}

} // namespace

int main(int argc, char** argv)
try {
    const settings s = parse(argc, argv);
    asio::io_context context(1);
    std::exception_ptr failure;
    asio::co_spawn(context, run(s), [&](std::exception_ptr e) {
        failure = e;
        context.stop();
    });
    context.run();
    if (failure)
        std::rethrow_exception(failure);
    spdlog::info("ended");
    return 0;
} catch (const std::exception& e) {
    spdlog::error("{}", e.what());
    return 1;
}
