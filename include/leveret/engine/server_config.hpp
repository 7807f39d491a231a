#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/table.hpp"
#include "leveret/wire/table_codec.hpp"
#include "leveret/wire/types.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::engine {

/// What a server offers in the handshake, and its patience. All connections of a server share one, which
/// outlives them.
struct server_config {
    server_config() = default;

    std::string properties; ///< server-properties, encoded: see server_properties()
    std::string mechanisms = "PLAIN AMQPLAIN"; ///< separated by spaces
    std::uint16_t channel_max = 2047;          ///< a client may ask for less
    std::uint32_t frame_max = 131072;          ///< likewise; 4096 at least
    std::uint16_t heartbeat = 60;              ///< seconds, which a client may change; 0: none
    duration handshake_timeout =
        duration::seconds(10);          ///< from accept on, for the whole handshake
    std::size_t handshake_bytes = 8192; ///< from a client before it has logged in
    duration refusal_delay =
        duration::seconds(1); ///< a login that failed is answered after this time
    duration close_timeout = duration::seconds(5); ///< for the client's answer to connection.close
    /// `table_depth`, `message_size` and `assembly_bytes` are used; frame_max is negotiated.
    wire::limits limits = {};
};

/// The table of connection.start, as clients of RabbitMQ look for it: some parse the version as three numbers.
[[nodiscard]] inline std::string
server_properties(std::string_view product, std::string_view version, std::string_view cluster_name)
{
    table capabilities;
    for (const char* name : {"publisher_confirms", "exchange_exchange_bindings", "basic.nack",
                             "consumer_cancel_notify", "connection.blocked", "consumer_priorities",
                             "authentication_failure_close", "per_consumer_qos", "direct_reply_to"})
        capabilities.append(name, true);
    table t;
    t.append("capabilities", std::move(capabilities));
    t.append("cluster_name", cluster_name);
    t.append("copyright", "Boost Software License 1.0");
    t.append("information", "An AMQP 0-9-1 server for teaching, tests and edge machines.");
    t.append("platform", "C++20");
    t.append("product", product);
    t.append("version", version);
    return wire::encode_table(t);
}

} // namespace leveret::engine
