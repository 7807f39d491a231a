#pragma once

#include "leveret/broker/broker_core.hpp"
#include "leveret/broker/error.hpp"
#include "leveret/broker/listener.hpp"
#include "leveret/broker/queue.hpp"
#include "leveret/core/pod_vector.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace leveret::broker {

class channel;

/// A connection as the broker sees it. Destroying it ends its channels, whose unacknowledged messages return
/// to their queues, and deletes its exclusive queues.
class session : private exclusive_queues {
public:
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();

    /// Begins a channel; 530 beyond the limit. The listener outlives the channel.
    [[nodiscard]] result<std::unique_ptr<channel>> open_channel(channel_listener& listener);

    [[nodiscard]] const virtual_host& host() const noexcept { return host_; }
    [[nodiscard]] const std::string& user() const noexcept { return user_; }
    /// Whether its listener was told `blocked` and not yet `unblocked`.
    [[nodiscard]] bool is_blocked() const noexcept { return is_blocked_; }
    [[nodiscard]] std::size_t channel_count() const noexcept { return channels_.size(); }

private:
    friend class broker_core;
    friend class channel;

    session(broker_core& core, virtual_host& host, std::string_view user,
            session_listener& listener)
        : core_(core), host_(host), user_(user), listener_(listener)
    {
        core_.sessions_.push_back(this);
        ++host_.sessions_;
    }
    void tell_blocked() noexcept
    {
        if (is_blocked_)
            return;
        is_blocked_ = true;
        listener_.blocked("low on memory");
    }

    broker_core& core_;
    virtual_host& host_;
    std::string user_;
    session_listener& listener_;
    bool is_blocked_ = false;
    pod_vector<channel*> channels_;
};

} // namespace leveret::broker
