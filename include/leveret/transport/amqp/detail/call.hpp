#pragma once

#include "leveret/engine/operation.hpp"
#include "leveret/io/doorbell.hpp"
#include "leveret/transport/amqp/detail/received_message.hpp"

namespace leveret::amqp::detail {

/// A request in flight that wakes its coroutine when it is over.
class call final : public engine::operation {
public:
    explicit call(io::wait_list& waits) noexcept : bell(waits) {}
    io::doorbell bell;
    received_message message; ///< the answer to basic.get, if there was one
    bool needs_ack = false;   ///< and whether it is to be settled

private:
    void finished() noexcept override { bell.ring(); }
};

} // namespace leveret::amqp::detail
