// What a wire format is, and what client and server exchange with it: neutral values in, messages out, and back.
#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/table.hpp"
#include "leveret/json/value.hpp"
#include "leveret/rpc/failure.hpp"
#include "leveret/rpc/target.hpp"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leveret::rpc {

/// When a server acknowledges a request.
enum class acknowledge : std::uint8_t {
    by_format, ///< as the wire format has it
    before,    ///< before the handler runs: one whose server dies is lost, and never done twice
    after,     ///< when it was answered: one whose server dies is done again by another
};

namespace wire {

/// A request as a client makes it.
struct outgoing_request {
    std::string_view method;
    const target* to = nullptr;
    std::string_view arguments;    ///< JSON: an array, or an object if they have names
    const json* context = nullptr; ///< an object
    std::string_view id;           ///< of a call; empty for a cast
    std::string_view unique_id;
    std::string_view reply_to;
    duration timeout = duration::never();
    duration monitor = duration::never(); ///< how often a server says that it is at work
};

/// What was received, where it lies.
struct received_message {
    std::string_view body, content_type, content_encoding, correlation_id, reply_to, expiration, message_id, type;
    table headers; ///< if the format reads them
};

/// A request as a server reads it.
struct incoming_request {
    std::string method, name_space, version;
    json arguments;
    json context;   ///< an object, or null for none
    std::string id; ///< of a call; empty for a cast
    std::string unique_id;
    std::string reply_to;
    std::string wrong; ///< why it can't be served, if its caller is known and is to be told; else empty
    duration timeout = duration::never();
    duration monitor = duration::never();
};

/// An answer as a client reads it. One that is not the end only says that the server is at work.
struct incoming_reply {
    std::string id;
    std::optional<std::string> text; ///< the result as JSON, if it is not in `result`
    std::optional<json> result;
    std::optional<rpc::failure> failure;
    bool is_end = true;
};

/// How requests and answers look, and how exchanges and queues are called. encode_* write into a message that may be of
/// another use before: its properties are none, its body is. decode_* throw decode_error for messages that are none. A format
/// may have encode_next, for calls that differ in arguments and ids alone.
template <class W>
concept format =
    std::copyable<W> && requires(const W& w, const target& t, std::string_view id, const outgoing_request& out,
                                 const received_message& in, const incoming_request& asked, const failure& f,
                                 const json& result, message& into) {
        { W::arguments_by_name } -> std::convertible_to<bool>; ///< has no arguments by position
        { W::reads_headers } -> std::convertible_to<bool>;
        { W::remembers_requests } -> std::convertible_to<bool>; ///< drops one whose unique_id it has just seen
        { W::says_at_work } -> std::convertible_to<bool>; ///< encode_at_work says something
        w.encode_request(out, into);
        { w.decode_request(in) } -> std::same_as<incoming_request>;
        w.encode_result(asked, id, result, into);
        w.encode_failure(asked, id, f, into);
        w.encode_at_work(asked, id, into);
        { w.decode_reply(in) } -> std::same_as<incoming_reply>;
        { w.exchange(t) } -> std::same_as<std::string>; ///< of requests; "" is AMQP's default exchange
        { w.fanout_exchange(t) } -> std::same_as<std::string>;
        { w.fanout_queue(t, id) } -> std::same_as<std::string>;
        { w.reply_queue(id) } -> std::same_as<std::string>;
        { w.declares_reply_queue() } -> std::same_as<bool>;
        { w.exchange_settings() } -> std::same_as<exchange_options>;
        { w.fanout_exchange_settings() } -> std::same_as<exchange_options>;
        { w.queue_settings() } -> std::same_as<queue_options>;
        { w.fanout_queue_settings() } -> std::same_as<queue_options>;
        { w.reply_queue_settings() } -> std::same_as<queue_options>;
        { W::acknowledgement } -> std::convertible_to<acknowledge>;
    };

} // namespace wire

} // namespace leveret::rpc
