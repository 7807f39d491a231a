#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace perf {

/// What the command line asks for, checked, with every default filled in.
struct options {
    std::string uri = "amqp://guest:guest@localhost:5672/";
    std::uint32_t producers = 1; ///< clients, if `rpc`
    std::uint32_t consumers = 1; ///< servers of the calls, if `rpc`
    std::uint32_t queues = 1;
    std::size_t size = 16;
    std::uint64_t count = 0; ///< 0: no limit
    double seconds = 0;      ///< 0: no limit
    double rate = 0;         ///< messages a second of each producer, 0: as fast as it goes
    std::size_t confirm = 0; ///< window, 0: no confirms
    bool auto_ack = false;
    std::uint32_t ack_every = 1;
    std::uint16_t prefetch = 0; ///< 0: no limit
    bool persistent = false;
    bool durable = false;
    bool rpc = false;
    std::size_t in_flight = 1;
    std::string exchange;    ///< empty: the default exchange
    std::string type = "direct";
    std::string routing_key; ///< empty: the name of the queue
    std::string queue;       ///< empty: queues of this run's own
    bool declare = true;
    bool json = false;
};

/// Reads the command line. Empty when there is nothing to run: then help or an error has been printed, and
/// `exit_code` is 0 or 2.
std::optional<options> parse_options(int argc, char** argv, int& exit_code);

} // namespace perf
