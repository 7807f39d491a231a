#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/json/value.hpp"
#include "leveret/rpc/wire/format.hpp"

#include <string>
#include <utility>

namespace leveret::rpc {

/// What a handler may want to know of the request that it serves, if `const lv::rpc::request&` is its first parameter.
/// Lives until the handler has returned.
class request {
public:
    request() = default;
    /// `read` gives the parts. Waits for a deadline that starts now.
    template <class Read>
    request(Read&& read, instant (*now)(const void*), const void* clock, bool redelivered)
        : parts_(std::forward<Read>(read)()), now_(now), clock_(clock), redelivered_(redelivered)
    {
        if (!parts_.timeout.is_never())
            deadline_ = now(clock) + parts_.timeout;
    }

    [[nodiscard]] const std::string& method() const noexcept { return parts_.method; }
    [[nodiscard]] const std::string& name_space() const noexcept { return parts_.name_space; }
    /// As the caller asked for it; empty is 1.0.
    [[nodiscard]] const std::string& version() const noexcept { return parts_.version; }
    /// What the caller said of itself: an object.
    [[nodiscard]] const json& context() const
    {
        static const json none = json::object();
        return parts_.context.is_object() ? parts_.context : none;
    }
    /// Somebody waits for the answer; nobody does for that of a cast.
    [[nodiscard]] bool is_call() const noexcept { return !parts_.id.empty() && !parts_.reply_to.empty(); }
    /// The request had been given to a server before, which may have done it.
    [[nodiscard]] bool redelivered() const noexcept { return redelivered_; }
    /// How long the caller still waits; `never` if it did not say. A handler that is a coroutine is cancelled then.
    [[nodiscard]] duration remaining() const
    {
        return deadline_ == instant::never() ? duration::never() : deadline_ - now_(clock_);
    }

    [[nodiscard]] instant deadline() const noexcept { return deadline_; }
    [[nodiscard]] const wire::incoming_request& parts() const noexcept { return parts_; }

private:
    wire::incoming_request parts_;
    instant deadline_ = instant::never();
    instant (*now_)(const void*) = nullptr;
    const void* clock_ = nullptr;
    bool redelivered_ = false;
};

} // namespace leveret::rpc
