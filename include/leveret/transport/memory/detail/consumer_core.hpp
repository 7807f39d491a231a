#pragma once

#include "leveret/core/linked_queue.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/transport/detail/waiting.hpp"
#include "leveret/transport/memory/detail/far_end.hpp"
#include "leveret/transport/memory/detail/record.hpp"

#include <cstdint>
#include <string>

namespace leveret::memory::detail {

using namespace leveret::transport_detail; // what all transports share

class channel_core;

/// A consumer's end of its channel: the deliveries that wait for `next`.
class consumer_core final : public local_counted {
public:
    enum class status : std::uint8_t { starting, active, cancelled, cancelled_by_broker };

    consumer_core(local_ptr<channel_core> owner, std::string name, bool without_ack);
    ~consumer_core();

    local_ptr<channel_core> channel;
    std::string tag;
    bool no_ack;
    status state = status::starting;
    bool has_tag = true; ///< no other consumer of the channel may have its tag
    bool is_numbered = true; ///< false for direct reply-to: see delivery_window::reply
    linked_queue<record> waiting; ///< owned: see pop
    wait_queue readers;
    far_stream* stream = nullptr; ///< its name for a broker on another executor, until that has said its last
    bool is_cancel_told = false;  ///< to that broker

    /// The first that waits. It belongs to the caller.
    [[nodiscard]] record* pop();
    /// What the broker knows it by in `consumption::context`.
    [[nodiscard]] void* context() noexcept
    {
        return stream != nullptr ? static_cast<void*>(stream) : static_cast<void*>(this);
    }
    void cancelled_by_broker() noexcept
    {
        state = status::cancelled_by_broker;
        has_tag = false;
        readers.ring_all();
    }
    /// Tells the broker that it ends. A broker on another executor has said its last of it when `stream` is null.
    void cancel();
};

} // namespace leveret::memory::detail
