#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/table.hpp"
#include "leveret/engine/sasl.hpp"
#include "leveret/wire/types.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace leveret::engine {

/// What a client brings to the handshake. Zeros in the tuning values accept what the server offers.
struct client_config {
    client_config() = default;

    std::string user = "guest";
    std::string password = "guest";
    std::string vhost = "/";
    std::string locale = "en_US";
    /// Tried in this order against the server's list; PLAIN, AMQPLAIN and EXTERNAL are known.
    std::vector<std::string> mechanisms = {"PLAIN", "AMQPLAIN"};
    sasl_mechanism* custom_mechanism = nullptr; ///< used instead of the list if set
    table client_properties;                    ///< added to and winning over the library's own

    std::uint16_t channel_max = 2047;
    std::uint32_t frame_max = 131072;
    /// Seconds; `heartbeat_from_server` takes the server's.
    std::uint32_t heartbeat = heartbeat_from_server;
    duration handshake_timeout = duration::seconds(10);
    wire::limits limits; ///< frame_max in it is set by the handshake

    static constexpr std::uint32_t heartbeat_from_server = 0xffffffffU;
    /// Challenges of connection.secure that are answered before the server is given up.
    static constexpr int max_challenges = 16;
    /// Bytes a server may send before the connection is open.
    static constexpr std::size_t max_handshake_bytes = 256 * 1024;
};

/// The table that connection.start-ok carries.
[[nodiscard]] inline table client_properties(const client_config& config)
{
    table capabilities;
    for (const char* name :
         {"publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify",
          "connection.blocked", "authentication_failure_close"})
        capabilities.append(name, true);
    table t;
    t.append("product", "leveret");
    t.append("version", "0.1.0");
    t.append("platform", "C++20");
    t.append("capabilities", std::move(capabilities));
    for (const auto& [key, value] : config.client_properties)
        t.set(key, value);
    return t;
}

} // namespace leveret::engine
