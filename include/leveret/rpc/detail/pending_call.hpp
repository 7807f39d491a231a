#pragma once

#include "leveret/core/deadlines.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/io/doorbell.hpp"
#include "leveret/json/value.hpp"
#include "leveret/rpc/failure.hpp"

#include <asio/any_io_executor.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
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
    /// The first end is the end. Who says so, on `executor`, holds on to nothing of the call: it may go on at once.
    void finish(const asio::any_io_executor& executor) noexcept
    {
        is_done = true;
        bell.ring_here(executor);
    }
    /// It reached nobody, and may be sent again.
    void refuse(std::exception_ptr e) noexcept
    {
        if (!is_done)
            is_refused = true;
        fail(std::move(e));
    }
    void start_again() noexcept
    {
        error = nullptr;
        is_done = is_refused = false;
    }
    void fail(std::exception_ptr e) noexcept
    {
        if (is_done)
            return;
        error = std::move(e);
        is_done = true;
        bell.ring();
    }

    io::doorbell bell;
    const std::uint64_t number;
    std::optional<std::string> text; ///< the result as JSON, if it is not in `result`
    std::optional<json> result;      ///< null if it is neither here nor there
    std::optional<rpc::failure> failure;
    std::exception_ptr error;
    instant last = instant::never();      ///< the call's deadline
    duration monitor = duration::never(); ///< how long the server may be silent
    bool is_done = false;
    bool is_refused = false;
    bool is_late = false;
};

/// The pause of a call before it is sent again. Its owner disarms it.
class retry_pause final : public deadline_node {
public:
    explicit retry_pause(pending_call& c) noexcept : call_(c) {}
    void expired() noexcept override
    {
        has_passed = true;
        call_.bell.ring();
    }

    bool has_passed = false;

private:
    pending_call& call_;
};

} // namespace leveret::rpc::detail
