#pragma once

#include <cstddef>
#include <cstdint>

namespace leveret::broker {

/// What a broker lets its clients take. The defaults leave a machine with 4 GiB of memory room.
struct limits {
    /// One message's body. RabbitMQ 3.10 has 128 MiB, 4.0 has 16 MiB. More is refused with 406.
    std::size_t message_bytes = std::size_t{128} << 20U;
    /// Messages and bytes of bodies that wait in one queue. A message that would exceed them is refused
    /// as by x-overflow=reject-publish.
    std::size_t queue_messages = 4'000'000;
    std::size_t queue_bytes = std::size_t{1536} << 20U;
    /// Memory of all messages in queues, unacknowledged or in transactions, each counted once with its body,
    /// its properties (where messages share them, once), its further keys (CC, BCC) and `message_overhead`, and with
    /// `holder_overhead` for each queue but the first: above `memory_high` publishing sessions are told that they are
    /// blocked, and from `memory_low` on that they no longer are.
    std::size_t memory_high = std::size_t{1536} << 20U;
    std::size_t memory_low = std::size_t{1280} << 20U;
    std::size_t queues = 100'000;     ///< in one virtual host
    std::size_t exchanges = 10'000;   ///< in one virtual host, predeclared ones included
    std::size_t bindings = 1'000'000; ///< in one virtual host
    std::size_t virtual_hosts = 1'000;
    std::size_t sessions = 10'000;
    std::size_t channels = 2'047;   ///< of one session
    std::size_t consumers = 10'000; ///< of one channel
    /// Deliveries of one channel that wait for acknowledgement: its consumers get no more above that, and basic.get is
    /// refused with 406.
    std::uint32_t unacknowledged = 1'000'000;
    std::size_t name_bytes = 255;   ///< of queues, exchanges, keys and tags: AMQP's short string
    std::size_t routing_keys = 255; ///< of one message, CC and BCC included
    /// Messages of a transaction that wait for tx.commit.
    std::size_t transaction_messages = 100'000;
};

/// What a stored message costs beside its body, about.
inline constexpr std::size_t message_overhead = 128;
/// What each further queue or delivery that holds it costs: its entry, in a ring that may be half empty.
inline constexpr std::size_t holder_overhead = 64;

/// How a broker is made. memory::broker and broker::server take all but the limits from their environment.
struct options {
    broker::limits limits = {};
    /// From a source of randomness: names that the broker makes up (amq.gen-..., reply addresses) follow from
    /// it. Two brokers with one seed make up the same names, which a simulation wants and nobody else.
    std::uint64_t seed = 0x6c6576657265740aU;
    /// Seconds since 1970 at the origin of the instants that `tick` is told, for the times in x-death.
    std::int64_t unix_time_at_origin = 0;
};

} // namespace leveret::broker
