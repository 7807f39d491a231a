#pragma once

#include "leveret/broker/stored_message.hpp"
#include "leveret/core/local_ptr.hpp"

#include <cstdint>
#include <utility>

namespace leveret::memory::detail {

class channel_core;
class connection_core;

/// A delivery: the broker's message, which is shared and not copied, and what is this delivery's own.
struct record {
    leveret::broker::message_ptr message;
    std::uint64_t tag = 0;
    bool redelivered = false;
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
    [[nodiscard]] record* take()
    {
        if (free_ == nullptr)
            return new record;
        return std::exchange(free_, free_->next);
    }
    void give_back(record* r) noexcept
    {
        r->next = free_;
        free_ = r;
    }

private:
    record* free_ = nullptr;
};

} // namespace leveret::memory::detail
