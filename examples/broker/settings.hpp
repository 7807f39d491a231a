// What leveret-broker was told to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

struct settings {
    std::string listen = "127.0.0.1:5672";
    std::vector<std::string> users; ///< NAME:PASSWORD
    std::string users_file;
    std::vector<std::string> virtual_hosts;
    std::size_t memory = std::size_t{1} << 30U;
    std::size_t connections = 10'000;
    std::size_t connections_per_address = 10'000;
    double handshake = 10; ///< seconds
    double sending = 60;
    std::uint16_t heartbeat = 60;
    double patience = 5; ///< seconds
    std::string port_file;

    std::string tls_listen; ///< empty: none
    std::string tls_certificate;
    std::string tls_key;
    std::string tls_client_ca;
    bool tls_requires_certificate = false;
    std::string tls_port_file;
};

/// Ends the program where there is nothing else to do: for --help, --hash-password, and what can't be.
[[nodiscard]] settings parse(int argc, char** argv);

/// Splits ADDRESS:PORT at the last colon. Throws std::invalid_argument.
[[nodiscard]] std::pair<std::string, std::uint16_t> split_address(const std::string& text);
