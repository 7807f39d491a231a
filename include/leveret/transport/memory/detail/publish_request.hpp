#pragma once

#include "leveret/broker/stored_message.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/core/payload.hpp"
#include "leveret/core/properties.hpp"
#include "leveret/core/short_text.hpp"

#include <cstddef>
#include <memory>
#include <utility>

namespace leveret::memory::detail {

class channel_core;

/// One publish between the call and its await: nothing of the caller's is needed any more.
struct publish_request {
    publish_request(); // with its destructor, where channel_core is known: channel_core.hpp
    publish_request(const publish_request&) = delete;
    publish_request& operator=(const publish_request&) = delete;
    ~publish_request();

    local_ptr<channel_core> channel;
    short_text exchange;
    short_text routing_key;
    payload body;
    leveret::broker::properties_ptr properties;                       ///< for a broker on this executor
    std::shared_ptr<const leveret::properties> far_properties; ///< for one on another
    bool mandatory = false;
    bool immediate = false;
    bool is_timed = false; ///< has an expiration
    publish_request* next = nullptr;
};

/// Requests that are used again, with the memory of their texts.
class request_pool {
public:
    static constexpr std::size_t kept = 64;

    request_pool() = default;
    request_pool(const request_pool&) = delete;
    request_pool& operator=(const request_pool&) = delete;
    ~request_pool();
    [[nodiscard]] publish_request* take()
    {
        if (free_ == nullptr)
            return new publish_request;
        --count_;
        return std::exchange(free_, free_->next);
    }
    void give_back(publish_request* r) noexcept
    {
        r->body = payload();
        r->properties.reset();
        r->far_properties.reset();
        if (count_ == kept) {
            delete r;
            return;
        }
        r->next = free_;
        free_ = r;
        ++count_;
    }

private:
    publish_request* free_ = nullptr;
    std::size_t count_ = 0;
};

} // namespace leveret::memory::detail
