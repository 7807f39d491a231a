#pragma once

#include "leveret/core/deadlines.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/io/doorbell.hpp"
#include "leveret/json/value.hpp"
#include "leveret/rpc/failure.hpp"

#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

namespace leveret::rpc::detail {

/// A call that waits for its answer, in the frame of the coroutine that waits.
class pending_call final : public deadline_node {
public:
    pending_call(io::wait_list& waits, std::uint64_t n) noexcept : bell(waits), number(n) {}

    void expired() noexcept override
    {
        is_late = true;
        bell.ring(io::wake::timed_out);
    }
    /// The first end is the end.
    void finish() noexcept
    {
        is_done = true;
        bell.ring();
    }
    void fail(std::exception_ptr e) noexcept
    {
        if (is_done)
            return;
        error = std::move(e);
        finish();
    }

    io::doorbell bell;
    const std::uint64_t number;
    json result;
    std::optional<rpc::failure> failure;
    std::exception_ptr error;
    instant last = instant::never();      ///< the call's deadline
    duration monitor = duration::never(); ///< how long the server may be silent
    bool is_done = false;
    bool is_late = false;
};

} // namespace leveret::rpc::detail
