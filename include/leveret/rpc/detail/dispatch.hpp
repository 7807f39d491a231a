// Which handler a request is for, and what its caller is told if there is none.
#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/rpc/detail/handler.hpp"
#include "leveret/rpc/endpoint.hpp"
#include "leveret/rpc/failure.hpp"
#include "leveret/rpc/version.hpp"
#include "leveret/rpc/wire/format.hpp"

#include <span>

namespace leveret::rpc::detail {

/// The handler of the first endpoint that serves the request's namespace and version and has its method, or nullptr.
/// `is_served`: one serves them, whether it has the method or not.
[[nodiscard]] inline handler* find_handler(std::span<const endpoint> endpoints, const wire::incoming_request& in, bool& is_served)
{
    const auto wanted = version::parse(in.version);
    for (const endpoint& e : endpoints) {
        if (!wanted || e.name_space() != in.name_space || !is_compatible(e.version(), *wanted))
            continue;
        is_served = true;
        if (handler* const h = e.find(in.method))
            return h;
    }
    return nullptr;
}

[[nodiscard]] inline failure refusal(const wire::incoming_request& in, bool is_served)
{
    return is_served ? failure(failure_kind::no_such_method, "no_such_method",
                               "Endpoint does not support RPC method " + escaped(in.method, 128))
                     : failure(failure_kind::unsupported_version, "unsupported_version",
                               "Endpoint does not support RPC version " +
                                   (in.version.empty() ? "1.0" : escaped(in.version, 64)) +
                                   ". Attempted method: " + escaped(in.method, 128));
}

/// How often a server says that it is at work. As oslo.messaging's servers do it: twice in the time that the client
/// waits for, and not below one second.
[[nodiscard]] inline duration beat_interval(const wire::incoming_request& in) noexcept
{
    if (in.monitor.is_never() || in.monitor < duration::seconds(2) || in.monitor > duration::seconds(86'400))
        return duration::never();
    return duration::nanoseconds(duration::seconds(in.monitor.count_ms() / 1000).count_ns() / 2);
}

} // namespace leveret::rpc::detail
