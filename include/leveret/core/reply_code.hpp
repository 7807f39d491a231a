#pragma once

#include <cstdint>
#include <string_view>

namespace leveret {

/// The reply codes of AMQP 0-9-1 (specification, section 1.1 "Constants"), as peers send them.
enum class reply_code : std::uint16_t {
    success = 200,
    content_too_large = 311,
    no_route = 312,
    no_consumers = 313,
    connection_forced = 320,
    invalid_path = 402,
    access_refused = 403,
    not_found = 404,
    resource_locked = 405,
    precondition_failed = 406,
    frame_error = 501,
    syntax_error = 502,
    command_invalid = 503,
    channel_error = 504,
    unexpected_frame = 505,
    resource_error = 506,
    not_allowed = 530,
    not_implemented = 540,
    internal_error = 541,
};

/// The name as brokers print it, such as `NOT_FOUND`; `UNKNOWN` for a code that the specification
/// does not have.
[[nodiscard]] constexpr std::string_view name(reply_code code) noexcept
{
    switch (code) {
    case reply_code::success: return "REPLY_SUCCESS";
    case reply_code::content_too_large: return "CONTENT_TOO_LARGE";
    case reply_code::no_route: return "NO_ROUTE";
    case reply_code::no_consumers: return "NO_CONSUMERS";
    case reply_code::connection_forced: return "CONNECTION_FORCED";
    case reply_code::invalid_path: return "INVALID_PATH";
    case reply_code::access_refused: return "ACCESS_REFUSED";
    case reply_code::not_found: return "NOT_FOUND";
    case reply_code::resource_locked: return "RESOURCE_LOCKED";
    case reply_code::precondition_failed: return "PRECONDITION_FAILED";
    case reply_code::frame_error: return "FRAME_ERROR";
    case reply_code::syntax_error: return "SYNTAX_ERROR";
    case reply_code::command_invalid: return "COMMAND_INVALID";
    case reply_code::channel_error: return "CHANNEL_ERROR";
    case reply_code::unexpected_frame: return "UNEXPECTED_FRAME";
    case reply_code::resource_error: return "RESOURCE_ERROR";
    case reply_code::not_allowed: return "NOT_ALLOWED";
    case reply_code::not_implemented: return "NOT_IMPLEMENTED";
    case reply_code::internal_error: return "INTERNAL_ERROR";
    }
    return "UNKNOWN";
}

/// Whether the code ends the whole connection (a "hard error") and not just one channel.
[[nodiscard]] constexpr bool is_hard(reply_code code) noexcept
{
    switch (code) {
    case reply_code::content_too_large:
    case reply_code::no_route:
    case reply_code::no_consumers:
    case reply_code::access_refused:
    case reply_code::not_found:
    case reply_code::resource_locked:
    case reply_code::precondition_failed:
    case reply_code::success: return false;
    default: return true;
    }
}

} // namespace leveret
