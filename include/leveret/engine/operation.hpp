#pragma once

#include "leveret/core/payload.hpp"
#include "leveret/core/deadlines.hpp"
#include "leveret/engine/failure.hpp"
#include "leveret/wire/content_header.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leveret::engine {

/// A message as it arrived: views into `block`, valid until more bytes are received unless a lease or a
/// reference on the block is taken.
struct content {
    std::string_view args; ///< arguments of the method that carried it
    wire::properties_view properties;
    std::string_view body;
    shared_block* block = nullptr;
};

/// What the broker's answer said, for those answers that say something.
struct reply {
    reply() = default;
    std::string name;                 ///< queue name or consumer tag
    std::uint32_t message_count = 0;
    std::uint32_t consumer_count = 0;
};

/// One request that waits for its answer. Lives in the coroutine that asked; the engine holds its
/// address until it is finished or abandoned.
class operation : public deadline_node {
public:
    enum class status : std::uint8_t { idle, waiting, done, failed, timed_out };

    operation() noexcept = default;

    [[nodiscard]] status state() const noexcept { return state_; }
    [[nodiscard]] bool is_waiting() const noexcept { return state_ == status::waiting; }
    [[nodiscard]] reply& result() noexcept { return result_; }
    [[nodiscard]] const failure& reason() const noexcept { return reason_; }

    /// Ends the operation well.
    void succeed() noexcept { end(status::done); }
    void fail(const failure& f)
    {
        reason_ = f;
        end(status::failed);
    }
    void start() noexcept { state_ = status::waiting; }
    void expired() noexcept final { end(status::timed_out); }

protected:
    ~operation() = default;

    /// The state is final now: wake who waits. Must not call back into the engine.
    virtual void finished() noexcept = 0;

private:
    void end(status s) noexcept
    {
        if (state_ != status::waiting)
            return;
        state_ = s;
        finished();
    }

    status state_ = status::idle;
    reply result_;
    failure reason_;
};

} // namespace leveret::engine
