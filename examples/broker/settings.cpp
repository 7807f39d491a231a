#include "settings.hpp"

#include <leveret/tls/password_hash.hpp>

#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace {

/// --hash-password: a line of standard input becomes what --users-file takes.
[[noreturn]] void hash_password()
{
    std::string password;
    if (!std::getline(std::cin, password))
        std::exit(1);
    std::cout << leveret::broker::hash_password(password) << '\n' << std::flush;
    std::exit(0);
}

} // namespace

settings parse(int argc, char** argv)
{
    settings s;
    CLI::App app("An AMQP 0-9-1 broker that keeps its messages in memory.", "leveret-broker");
    app.add_option("--listen", s.listen, "address and port; port 0 is any that is free")->capture_default_str();
    app.add_option("--user", s.users,
                   "NAME:PASSWORD, who may do everything; without any user, guest from this machine; guest comes from nowhere else");
    app.add_option("--users-file", s.users_file,
                   "a file with a line NAME:HASH for each user, who may do everything; hashes as --hash-password makes "
                   "them, or RabbitMQ's (rabbit_password_hashing_sha256)")
        ->check(CLI::ExistingFile);
    app.add_option("--vhost", s.virtual_hosts, "a virtual host beside /");
    app.add_option("--memory-limit", s.memory, "bytes of messages, such as 512MiB, above which publishers wait")
        ->transform(CLI::AsSizeValue(false))
        ->capture_default_str();
    app.add_option("--max-connections", s.connections, "connections at once")->capture_default_str();
    app.add_option("--max-connections-per-address", s.connections_per_address, "of these, from one address")
        ->capture_default_str();
    app.add_option("--handshake-timeout", s.handshake, "seconds from connecting to an open connection")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--send-timeout", s.sending, "seconds for a client to take any of its output; 0: no limit")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--heartbeat", s.heartbeat, "seconds that are offered to clients; 0: none")->capture_default_str();
    app.add_option("--shutdown-timeout", s.patience, "seconds for clients to answer that the broker ends")
        ->capture_default_str();
    app.add_option("--port-file", s.port_file, "writes the port here once it listens");
    auto* tls = app.add_option("--tls-listen", s.tls_listen, "address and port for TLS, beside the other");
    auto* certificate = app.add_option("--tls-certificate", s.tls_certificate,
                                       "the server's certificate and its chain, PEM; read again at SIGHUP, as is the key");
    auto* key = app.add_option("--tls-key", s.tls_key, "its key, PEM");
    auto* authorities = app.add_option("--tls-client-ca", s.tls_client_ca,
                                       "who vouches for clients, PEM: these may log in by their certificate's CN (EXTERNAL)");
    app.add_flag("--tls-require-certificate", s.tls_requires_certificate, "no client without a certificate")
        ->needs(authorities);
    auto* port_file = app.add_option("--tls-port-file", s.tls_port_file, "writes TLS's port here");
    tls->needs(certificate)->needs(key);
    for (auto* o : {certificate, key, authorities, port_file})
        o->needs(tls);
    app.add_flag_callback("--hash-password", hash_password, "reads a password, a line, and prints a hash of it");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        std::exit(app.exit(e));
    }
    return s;
}

std::pair<std::string, std::uint16_t> split_address(const std::string& text)
{
    const auto colon = text.rfind(':');
    std::uint16_t port = 0;
    if (colon == std::string::npos || colon == 0)
        throw std::invalid_argument("'" + text + "': expected ADDRESS:PORT");
    const char* const end = text.data() + text.size();
    const auto number = std::from_chars(text.data() + colon + 1, end, port);
    if (number.ec != std::errc() || number.ptr != end)
        throw std::invalid_argument("'" + text + "': expected ADDRESS:PORT, with a port from 0 to 65535");
    std::string address = text.substr(0, colon);
    if (address.size() > 2 && address.front() == '[' && address.back() == ']') // IPv6
        address = address.substr(1, address.size() - 2);
    return {std::move(address), port};
}
