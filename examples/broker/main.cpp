// leveret-broker: an AMQP 0-9-1 broker that keeps its messages in memory. What it is lies in <leveret/server.hpp>;
// here are its users, its listeners and its signals.
#include "log.hpp"
#include "process.hpp"
#include "settings.hpp"

#include <leveret/server.hpp>
#include <leveret/tls/environment.hpp>
#include <leveret/tls/password_hash.hpp>

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
#include <cstddef>
#include <exception>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace lv = leveret;

namespace {

using server = lv::broker::basic_server<lv::tls::environment>;

[[nodiscard]] lv::duration seconds(double n) { return std::chrono::duration<double>(n); }

/// `NAME:SECRET` becomes a user who may do everything. What is wrong is told without the secret.
void add_user(lv::broker::users& users, std::string_view line, const settings& s, bool is_hash, const std::string& where)
{
    const auto colon = line.find(':'); // a password may have more
    if (colon == std::string_view::npos || colon == 0)
        throw std::invalid_argument(where + ": expected NAME:" + (is_hash ? "HASH" : "PASSWORD"));
    const std::string name(line.substr(0, colon));
    const std::string secret(line.substr(colon + 1));
    if (secret.empty())
        throw std::invalid_argument(where + ": the user '" + name + "' has no password");
    if (is_hash && !lv::broker::is_password_hash(secret))
        throw std::invalid_argument(where + ": what stands behind the name '" + name +
                                    "' is no hash; --hash-password makes one of a password");
    // What stands on the command line is no secret here: its logins cost little, unless they would be told from others'.
    const unsigned iterations = s.users_file.empty() ? 1 : lv::broker::password_iterations;
    users.add(name, is_hash ? secret : lv::broker::hash_password(secret, iterations)).permit(name, "/", ".*", ".*", ".*");
    for (const auto& v : s.virtual_hosts)
        users.permit(name, v, ".*", ".*", ".*");
    if (name == "guest") // as in RabbitMQ, whatever its password is
        users.loopback_only(name);
}
void add_users(lv::broker::users& users, const settings& s)
{
    for (const auto& user : s.users)
        add_user(users, user, s, false, "--user");
    std::ifstream file(s.users_file);
    std::string line;
    for (int n = 1; std::getline(file, line); ++n) {
        if (line.ends_with('\r'))
            line.pop_back();
        if (!line.empty() && !line.starts_with('#'))
            add_user(users, line, s, true, s.users_file + ", line " + std::to_string(n));
    }
}

[[nodiscard]] lv::broker::server_options options_of(const settings& s)
{
    lv::broker::server_options o;
    o.connections.connections = s.connections;
    o.connections.connections_per_address = s.connections_per_address;
    o.connections.handshake_timeout = seconds(s.handshake);
    o.connections.send_timeout = s.sending == 0 ? lv::duration::never() : seconds(s.sending);
    o.connections.heartbeat = s.heartbeat;
    o.limits.memory_high = s.memory;
    o.limits.memory_low = s.memory - s.memory / 5;
    return o;
}

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

void listen_with_tls(server& to, const lv::tls::server_credentials& credentials, const settings& s)
{
    const auto [host, port] = split_address(s.tls_listen);
    const auto bound = to.listen(host, port, lv::tls::environment(credentials));
    spdlog::info("listening on {} port {}, TLS", host, bound);
    if (!s.tls_port_file.empty())
        std::ofstream(s.tls_port_file) << bound << '\n';
}

/// Reads the certificates again at SIGHUP, until the context ends.
void reload_at(asio::signal_set& hup, std::optional<lv::tls::server_credentials>& credentials)
{
    hup.async_wait([&](std::error_code ec, int) {
        if (ec)
            return;
        try {
            if (credentials)
                credentials->reload();
            spdlog::info("SIGHUP: {}", credentials ? "certificates read again" : "nothing to read again");
        } catch (const std::exception& e) {
            spdlog::error("SIGHUP: {}; those from before stay", e.what());
        }
        reload_at(hup, credentials);
    });
}

/// Runs until SIGTERM or SIGINT.
[[nodiscard]] asio::awaitable<void> run(const settings& s)
{
    const auto [host, port] = split_address(s.listen);
    lv::broker::users users(&lv::broker::verify_password);
    add_users(users, s);
    event_log events;
    lv::broker::server_options o = options_of(s);
    o.host = host;
    o.port = port;
    o.access = s.users.empty() && s.users_file.empty() ? nullptr : &users;
    o.observer = &events;
    std::optional<lv::tls::server_credentials> credentials;
    if (!s.tls_listen.empty()) {
        const lv::tls::credentials_options from{.certificate_file = s.tls_certificate,
                                                .key_file = s.tls_key,
                                                .client_ca_file = s.tls_client_ca,
                                                .client_certificate_required = s.tls_requires_certificate};
        credentials.emplace(from);
    }
    if (const std::size_t files = raise_descriptor_limit(); files < s.connections + 32)
        spdlog::warn("at most {} files may be open: that is too few for {} connections (ulimit -n)", files, s.connections);
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer memory_timer(executor);
    memory_keeper memory;
    look_after_memory(memory, memory_timer);
    asio::signal_set signals(executor, SIGTERM, SIGINT);
    asio::signal_set hup(executor, SIGHUP);
    reload_at(hup, credentials);
    server listening(executor, o);
    for (const auto& v : s.virtual_hosts)
        listening.add_virtual_host(v);
    if (credentials)
        listen_with_tls(listening, *credentials, s);
    spdlog::info("listening on {} port {}", host, listening.port());
    if (!s.port_file.empty())
        std::ofstream(s.port_file) << listening.port() << '\n';
    const int signal = co_await signals.async_wait(asio::use_awaitable);
    spdlog::info("signal {}: closing {} connections", signal, listening.connection_count());
    co_await listening.stop(seconds(s.patience));
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
