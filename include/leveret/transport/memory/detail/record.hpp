#pragma once

#include "leveret/broker/stored_message.hpp"
#include "leveret/core/local_ptr.hpp"

#include <cstdint>
#include <utility>

namespace leveret::memory::detail {

class channel_core;
class connection_core;
struct far_stream;

/// A delivery: the broker's message, which is shared and not copied, and what is this delivery's own. The message
/// is counted by the broker's executor alone: from another one it is only looked at.
struct record {
    leveret::broker::message_ptr message;
    std::uint64_t tag = 0;
    bool redelivered = false;
    far_stream* stream = nullptr;          ///< of one for a consumer on another executor than the broker's
    channel_core* channel = nullptr;       ///< of one that is to be settled: a reference on its channel
    connection_core* connection = nullptr; ///< a reference, so that the broker and this pool live
    record* next = nullptr;
};

/// Records that are used again.
class record_pool {
public:
    record_pool() = default;
    record_pool(const record_pool&) = delete;
    record_pool& operator=(const record_pool&) = delete;
    ~record_pool()
    {
        while (free_ != nullptr)
            delete std::exchange(free_, free_->next);
    }
    [[nodiscard]] record* make(leveret::broker::message_ptr m, std::uint64_t tag, bool redelivered)
    {
        record* r = free_ != nullptr ? std::exchange(free_, free_->next) : new record;
        r->message = std::move(m);
        r->tag = tag;
        r->redelivered = redelivered;
        r->channel = nullptr;
        return r;
    }
    void give_back(record* r) noexcept
    {
        r->message.reset();
        r->next = free_;
        free_ = r;
    }

private:
    record* free_ = nullptr;
};

} // namespace leveret::memory::detail
