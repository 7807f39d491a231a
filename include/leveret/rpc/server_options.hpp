#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/options.hpp"
#include "leveret/rpc/wire/format.hpp"

#include <cstddef>
#include <cstdint>

namespace leveret::rpc {

/// Options of a server.
struct server_options {
    std::size_t concurrency = 64; ///< handlers that run at once, 1 to 4096; those that are no coroutines run one by one
    std::uint16_t prefetch = 0;   ///< requests that wait here, of each of its queues; 0: as many as run at once
    rpc::acknowledge acknowledge = rpc::acknowledge::by_format;
    duration timeout = default_timeout; ///< for starting and stopping to consume
};
static_assert(safe_options<server_options>);

} // namespace leveret::rpc
