#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/engine/failure.hpp"
#include "leveret/io/config.hpp"

#include <asio/error.hpp>

#include <string>
#include <string_view>

namespace leveret::transport_detail {

/// Throws the exception for the end of a connection (channel 0) or of a channel. `operation` is what was
/// asked for, such as `queue.declare`.
[[noreturn]] inline void throw_failure(const engine::failure& why, std::string_view operation,
                                       fate what = fate::unknown)
{
    std::string sentence = why.sentence();
    const bool of_library = why.code.category() == library_category();
    if (!operation.empty() && wire::all_methods::name(why.cause) != operation)
        sentence += "; " + std::string(operation) + " was not completed";
    leveret::diagnostics d = why.diagnostics(operation, what);
    if (of_library && why.code == errc::timed_out)
        throw timeout_error(why.code, std::move(sentence), std::move(d));
    const bool of_channel = why.channel != 0 && why.code.category() == amqp_category();
    if (of_channel || (of_library && (why.code == errc::channel_closed ||
                                      why.code == errc::no_free_channel ||
                                      why.code == errc::queue_name)))
        throw channel_error(why.code, std::move(sentence), std::move(d));
    throw connection_error(why.code, std::move(sentence), std::move(d));
}

/// Throws timeout_error for an operation whose deadline passed.
[[noreturn]] inline void throw_timeout(std::string_view operation, std::string_view waited_for,
                                       fate what, std::uint16_t channel = 0)
{
    leveret::diagnostics d;
    d.operation = operation;
    d.operation_fate = what;
    d.channel = channel;
    throw timeout_error(make_error_code(errc::timed_out),
                        std::string(operation) + ": the deadline passed while waiting for " +
                            std::string(waited_for),
                        std::move(d));
}

[[noreturn]] inline void throw_cancelled(std::string_view operation, fate what,
                                         std::uint16_t channel = 0)
{
    leveret::diagnostics d;
    d.operation = operation;
    d.operation_fate = what;
    d.channel = channel;
    throw operation_cancelled(asio::error::operation_aborted, std::string(operation) + " was cancelled",
                              std::move(d));
}

/// Throws consumer_cancelled for a consumer that the broker ended.
[[noreturn]] inline void throw_cancelled_by_broker(std::string_view tag, std::uint16_t channel)
{
    leveret::diagnostics d;
    d.channel = channel;
    d.operation = "consumer.next";
    d.class_id = wire::basic::cancel::id.class_id;
    d.method_id = wire::basic::cancel::id.method;
    d.operation_fate = fate::never_sent;
    throw consumer_cancelled(make_error_code(errc::consumer_cancelled),
                             "the broker cancelled the consumer '" + escaped(tag) +
                                 "': its queue was deleted or is not available any more",
                             std::move(d));
}

} // namespace leveret::transport_detail
