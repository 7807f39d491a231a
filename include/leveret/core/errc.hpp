#pragma once

#include "leveret/core/reply_code.hpp"

#include <cstdint>
#include <string_view>

namespace leveret {

/// What can be wrong with what a peer sent. The layers without I/O report these by value.
enum class protocol_errc : std::uint8_t {
    none,
    protocol_header,     ///< the peer does not speak AMQP 0-9-1
    frame_end,           ///< a frame does not end with 0xCE
    frame_type,          ///< a frame type that AMQP 0-9-1 does not have
    frame_too_large,     ///< a frame above the negotiated frame_max
    unknown_method,      ///< a class and method id that AMQP 0-9-1 does not have
    malformed_arguments, ///< a method's arguments end too early or hold impossible lengths
    trailing_bytes,      ///< bytes behind a method's last argument or a header's last property
    field_type,          ///< a type octet in a field table that RabbitMQ does not have
    table_depth,         ///< tables nested deeper than the limit
    malformed_table,     ///< a table whose lengths don't add up
    malformed_header,    ///< a content header that is too short or has impossible properties
    header_class,        ///< a content header of another class than its method's
    unexpected_frame,    ///< a frame that the state of its channel does not allow
    unexpected_method,   ///< a method that the state of its channel does not allow
    channel_number,      ///< a frame for a channel that is not open
    body_too_long,       ///< more body than the content header announced
    message_too_large,   ///< a content header announcing more than the message size limit
    assembly_limit,      ///< half-received messages need more memory than the limit
    frame_max_too_small, ///< the peer offers a frame_max below 4096
    no_mechanism,        ///< no authentication mechanism in common
    too_many_challenges, ///< an authentication exchange without end
    heartbeat_timeout,   ///< nothing arrived for two heartbeat intervals
    handshake_size,      ///< more bytes before the connection is open than the limit
};

/// A sentence for each error, without the details of the case.
[[nodiscard]] constexpr std::string_view describe(protocol_errc e) noexcept
{
    switch (e) {
    case protocol_errc::none: return "no error";
    case protocol_errc::protocol_header: return "the peer does not speak AMQP 0-9-1";
    case protocol_errc::frame_end: return "a frame does not end with the frame-end octet 0xCE";
    case protocol_errc::frame_type: return "unknown frame type";
    case protocol_errc::frame_too_large: return "a frame is larger than the negotiated frame_max";
    case protocol_errc::unknown_method: return "unknown class or method";
    case protocol_errc::malformed_arguments: return "the arguments of a method are malformed";
    case protocol_errc::trailing_bytes: return "bytes follow the last argument";
    case protocol_errc::field_type: return "unknown type of a table field";
    case protocol_errc::table_depth: return "a field table is nested too deeply";
    case protocol_errc::malformed_table: return "a field table is malformed";
    case protocol_errc::malformed_header: return "a content header is malformed";
    case protocol_errc::header_class: return "a content header has the wrong class";
    case protocol_errc::unexpected_frame: return "a frame is out of order";
    case protocol_errc::unexpected_method: return "a method is out of order";
    case protocol_errc::channel_number: return "a frame names a channel that is not open";
    case protocol_errc::body_too_long: return "a message body is longer than announced";
    case protocol_errc::message_too_large: return "a message is larger than the limit";
    case protocol_errc::assembly_limit: return "unfinished messages exceed the memory limit";
    case protocol_errc::frame_max_too_small: return "the peer offers a frame_max below 4096";
    case protocol_errc::no_mechanism: return "the peer offers no usable authentication mechanism";
    case protocol_errc::too_many_challenges: return "the authentication exchange does not end";
    case protocol_errc::heartbeat_timeout: return "no heartbeat from the peer";
    case protocol_errc::handshake_size: return "the peer sends too much before the connection is open";
    }
    return "unknown error";
}

/// The reply code with which a connection is closed for this error (specification 1.1; where RabbitMQ
/// is vague, the code that the specification names).
[[nodiscard]] constexpr reply_code reply_code_for(protocol_errc e) noexcept
{
    switch (e) {
    case protocol_errc::none: return reply_code::success;
    case protocol_errc::frame_end:
    case protocol_errc::frame_type:
    case protocol_errc::frame_too_large:
    case protocol_errc::body_too_long:
    case protocol_errc::protocol_header:
    case protocol_errc::handshake_size: return reply_code::frame_error;
    case protocol_errc::malformed_arguments:
    case protocol_errc::trailing_bytes:
    case protocol_errc::field_type:
    case protocol_errc::table_depth:
    case protocol_errc::malformed_table:
    case protocol_errc::malformed_header: return reply_code::syntax_error;
    case protocol_errc::unknown_method:
    case protocol_errc::unexpected_method: return reply_code::command_invalid;
    case protocol_errc::header_class:
    case protocol_errc::unexpected_frame: return reply_code::unexpected_frame;
    case protocol_errc::channel_number: return reply_code::channel_error;
    case protocol_errc::message_too_large: return reply_code::content_too_large;
    case protocol_errc::assembly_limit: return reply_code::resource_error;
    case protocol_errc::frame_max_too_small:
    case protocol_errc::no_mechanism:
    case protocol_errc::too_many_challenges: return reply_code::not_allowed;
    case protocol_errc::heartbeat_timeout: return reply_code::connection_forced;
    }
    return reply_code::internal_error;
}

/// This library's own errors: neither said by the peer nor a violation of the protocol.
enum class errc : std::uint8_t {
    none,
    timed_out,          ///< the operation's deadline passed
    connection_lost,    ///< the peer closed the socket without a close handshake
    connection_closed,  ///< this side closed the connection
    channel_closed,     ///< this side closed the channel
    consumer_cancelled, ///< the broker cancelled the consumer
    no_free_channel,    ///< all channel numbers up to channel_max are in use
    invalid_argument,   ///< an argument that AMQP can't carry or that makes no sense
    not_supported,      ///< something this version does not do
    wrong_state,        ///< the operation does not fit the state of its object
    limit_exceeded,     ///< a limit of this side
    queue_name,         ///< the broker answered with another queue than was asked for
    not_decodable,      ///< a message's body is not what it was to be decoded as
    remote_failure,     ///< what was called answered with an error
    no_server,          ///< a call reached no server's queue
};

[[nodiscard]] constexpr std::string_view describe(errc e) noexcept
{
    switch (e) {
    case errc::none: return "no error";
    case errc::timed_out: return "the deadline passed";
    case errc::connection_lost: return "the connection was lost";
    case errc::connection_closed: return "the connection is closed";
    case errc::channel_closed: return "the channel is closed";
    case errc::consumer_cancelled: return "the broker cancelled the consumer";
    case errc::no_free_channel: return "all channels are in use";
    case errc::invalid_argument: return "invalid argument";
    case errc::not_supported: return "not supported";
    case errc::wrong_state: return "not possible in this state";
    case errc::limit_exceeded: return "a limit is exceeded";
    case errc::queue_name: return "the broker answered for another queue";
    case errc::not_decodable: return "the body can't be decoded";
    case errc::remote_failure: return "the called side answered with an error";
    case errc::no_server: return "no server is there to be called";
    }
    return "unknown error";
}

} // namespace leveret
