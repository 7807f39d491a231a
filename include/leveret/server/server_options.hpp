#pragma once

#include "leveret/broker/limits.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/server/access.hpp"
#include "leveret/server/observer.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace leveret::broker {

/// What a server lets connections take, beside the limits of the broker behind it.
struct connection_limits {
    std::size_t connections = 16'384; ///< in all; one more is closed at once
    std::size_t connections_per_address = 16'384;
    duration handshake_timeout = duration::seconds(10); ///< from accept to connection.open-ok
    std::size_t handshake_bytes = 8'192;                ///< before the login; RabbitMQ has the same
    std::uint16_t channel_max = 2'047;
    std::uint32_t frame_max = 131'072; ///< 4096 at least
    std::uint16_t heartbeat = 60;      ///< seconds, which is offered to clients; 0 for none
    /// Of a connection, in messages that are not complete: above that it is closed with 506. A single message
    /// is limited by the broker's `message_bytes`.
    std::size_t unfinished_bytes = std::size_t{256} << 20U;
    /// Output that waits to be read: above that its consumers get no more, and twice that nothing is read.
    std::size_t output_bytes = std::size_t{1} << 20U;
    /// For a client to take something of the output that waits for it: one that does not is cut. Or never.
    duration send_timeout = duration::seconds(60);
    /// After this time in which nothing is sent nor received, a connection gives back its buffers.
    duration buffers_kept = duration::milliseconds(250);
    std::uint32_t table_depth = 64;                ///< tables and arrays inside one another: 501
    duration refusal_delay = duration::seconds(1); ///< before a failed login is answered
    duration close_timeout = duration::seconds(5); ///< for a client to answer connection.close
};

/// How a server is made.
struct server_options {
    std::string_view host = "127.0.0.1"; ///< an address as numbers
    std::uint16_t port = 0;              ///< 0: any that is free, see server::port()
    /// Null: user guest with password guest, who may do everything and comes from loopback only.
    access_control* access = nullptr;
    server_observer* observer = nullptr; ///< null: nobody
    connection_limits connections = {};
    leveret::broker::limits limits =
        {}; ///< of the broker; `sessions` and `channels` follow from the above
    std::string_view cluster_name = "leveret";
    /// In server-properties. Clients choose by it what they expect: it is the version of RabbitMQ that is
    /// followed, and not leveret's.
    std::string_view version = "3.10.0";
};
static_assert(std::is_trivially_destructible_v<server_options>);

} // namespace leveret::broker
