// Messages on their way into engine::server_connection. Included by server.hpp.
#pragma once

#include "leveret/core/utf8.hpp"
#include "leveret/engine/server.hpp"
#include "leveret/wire/byte_order.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leveret::engine {

/// The shortest way: a message that differs from the last one in nothing but its body. Everything else of it was
/// checked then, so it is only compared.
inline bool server_connection::take_same_publish() noexcept
{
    const std::string_view in = input_.unread();
    if (shape_of_ == nullptr || !shape_.matches(in) || !shape_of_->assembly_.is_idle())
        return false;
    const publish_shape::places& at = shape_.at();
    event_.what = server_event::kind::publish;
    event_.channel = shape_of_;
    event_.exchange = in.substr(at.exchange_at, at.exchange_size);
    event_.routing_key = in.substr(at.key_at, at.key_size);
    event_.mandatory = at.mandatory;
    event_.immediate = at.immediate;
    event_.properties =
        wire::properties_view(at.flags, in.substr(at.properties_at, at.properties_size));
    event_.body = in.substr(at.body_at, at.whole - at.body_at - 1);
    input_.consume(at.whole);
    return true;
}

/// The short way for the most common input: a whole message at the front of the buffer, its three frames one
/// behind the other and nothing odd about them. One whose end is not here yet is waited for, unless it is large,
/// so that it is not put together piece by piece. Anything else is left where it is for the long way, which
/// knows all cases and all errors; tests hold the two against each other.
inline server_connection::short_way server_connection::take_publish()
{
    using enum short_way;
    const std::string_view in = input_.unread();
    const char* p = in.data();
    if (in.size() < 12 || wire::load_be<std::uint32_t>(p + 7) != wire::basic::publish::id.value())
        return other;
    const auto octet = [p](std::size_t at) {
        return std::size_t{static_cast<unsigned char>(p[at])};
    };
    const std::uint64_t start = wire::load_be<std::uint64_t>(p) >> 8U; // type, channel, size
    const slot* s = slot_of(static_cast<std::uint16_t>(start >> 32U));
    if (octet(0) != 1 || s == nullptr || s->channel == nullptr || !s->channel->assembly_.is_idle())
        return other;
    server_channel* channel = s->channel;
    const std::size_t method_size = start & 0xffffffffU;
    const std::size_t header_at = method_size + wire::frame_overhead;
    if (method_size < 4 + 5 || in.size() < header_at)
        return other;
    // Arguments: ticket, exchange, routing key, bits, end of frame.
    const std::size_t key_at = 14 + octet(13);
    if (key_at + 2 >= header_at || key_at + 3 + octet(key_at) != header_at ||
        octet(header_at - 1) != wire::frame_end)
        return other;
    if (in.size() < header_at + 8)
        return wait_for(header_at + wire::frame_overhead + wire::content_header_size);
    const char* h = p + header_at;
    const std::uint64_t same_channel = start & 0xffff00000000U;
    const std::uint64_t header_start = wire::load_be<std::uint64_t>(h) >> 8U;
    const std::size_t header_size = header_start & 0xffffffffU;
    const std::size_t body_at = header_at + header_size + wire::frame_overhead;
    if ((header_start ^ header_size) != (same_channel | (std::uint64_t{2} << 48U)) ||
        header_size < wire::content_header_size)
        return other;
    if (in.size() < body_at)
        return wait_for(body_at);
    if (octet(body_at - 1) != wire::frame_end || h[9] != 0 || h[10] != 0) // the weight
        return other;
    const std::uint64_t body_size = wire::load_be<std::uint64_t>(h + 11);
    wire::content_header header;
    if ((header_size != wire::content_header_size || h[19] != 0 || h[20] != 0 ||
         wire::load_be<std::uint16_t>(h + 7) != wire::basic_class) &&
        wire::parse_content_header({h + wire::frame_header_size, header_size}, limits_.table_depth,
                                   header) != protocol_errc::none)
        return other;
    std::size_t end = body_at;
    const char* body = p + body_at;
    if (body_size != 0) {
        if (body_size > limits_.message_size || body_size > limits_.frame_max)
            return other;
        end += static_cast<std::size_t>(body_size) + wire::frame_overhead;
        if (in.size() < body_at + 8)
            return wait_for(end);
        if (wire::load_be<std::uint64_t>(body) >> 8U !=
            (body_size | same_channel | (std::uint64_t{3} << 48U)))
            return other;
        if (in.size() < end)
            return wait_for(end);
        if (octet(end - 1) != wire::frame_end)
            return other;
        body += wire::frame_header_size;
    }
    const std::string_view exchange(p + 14, key_at - 14);
    const std::string_view key(p + key_at + 1, octet(key_at));
    if (end > limits_.frame_max || !is_utf8(exchange) || !is_utf8(key))
        return other;
    event_.what = server_event::kind::publish;
    event_.channel = channel;
    event_.exchange = exchange;
    event_.routing_key = key;
    event_.mandatory = (octet(header_at - 2) & 1U) != 0;
    event_.immediate = (octet(header_at - 2) & 2U) != 0;
    event_.properties = header.properties;
    event_.body = {body, static_cast<std::size_t>(body_size)};
    needed_ = wire::frame_header_size;
    shape_of_ = nullptr;
    if (body_size != 0) {
        const std::string_view encoded = header.properties.encoded();
        shape_.remember(p, {14, exchange.size(), key_at + 1, key.size(), header_at + 21,
                            encoded.size(), header.properties.flags(), event_.mandatory,
                            event_.immediate, static_cast<std::size_t>(body - p), end});
        shape_of_ = channel;
    }
    input_.consume(end);
    return taken;
}

/// A message of at least `size` bytes has begun. Nothing behind it could be read before it is whole.
inline server_connection::short_way server_connection::wait_for(std::size_t size) noexcept
{
    constexpr std::size_t most = 16 * 1024;
    if (size > most || size > limits_.frame_max)
        return short_way::other;
    needed_ = size;
    return short_way::incomplete;
}

inline bool server_connection::start_content(server_channel& channel, wire::reader& in)
{
    wire::basic::publish m;
    const std::string_view arguments(in.position(), in.remaining());
    if (!is_well_formed(in, m))
        return false;
    channel.assembly_.start(m.id, arguments);
    in_place_.push_back(&channel);
    return false;
}

inline bool server_connection::handle_content(server_channel& channel,
                                              const wire::frame_view& frame)
{
    content_assembly& assembly = channel.assembly_;
    if (assembly.is_idle())
        return violation(reply_code::unexpected_frame,
                         "expected method frame, got non method frame instead");
    if (frame.type == wire::frame_type::header && assembly.expects_header()) {
        if (frame.payload.size() >= 4 &&
            wire::load_be<std::uint16_t>(frame.payload.data() + 2) != 0)
            return bad_content(channel, {}); // the weight: as RabbitMQ, which then sees no header
        if (frame.payload.size() >= 2 &&
            wire::load_be<std::uint16_t>(frame.payload.data()) != wire::basic_class)
            return bad_content(
                channel, "got one for class " +
                             std::to_string(wire::load_be<std::uint16_t>(frame.payload.data())) +
                             " instead");
    } else if (assembly.expects_header() || frame.type != wire::frame_type::body) {
        return bad_content(channel, {});
    }
    const bool was_in_place = assembly.is_in_place();
    const auto step = frame.type == wire::frame_type::header
                          ? assembly.header(frame.payload, limits_)
                          : assembly.body(frame.payload);
    if (was_in_place && !assembly.is_in_place())
        in_place_.erase(&channel);
    count_held(channel);
    if (held_bytes_ > limits_.assembly_bytes)
        return violation(reply_code::resource_error,
                         "unfinished messages take more than " +
                             std::to_string(limits_.assembly_bytes) + " bytes",
                         assembly.method());
    if (step == content_assembly::step::more)
        return false;
    if (step == content_assembly::step::complete)
        return complete_content(channel);
    switch (assembly.error()) {
    case protocol_errc::message_too_large: // RabbitMQ says so too, when it has read it all
        event_.size = wire::load_be<std::uint64_t>(frame.payload.data() + 4);
        return emit(server_event::kind::too_large, &channel);
    case protocol_errc::body_too_long:
        return violation(reply_code::frame_error,
                         "message body is longer than its header announced", assembly.method());
    default:
        return violation(reply_code::frame_error,
                         "cannot decode content header " + octets_text(frame.payload),
                         assembly.method());
    }
}

/// Content that is out of order, in RabbitMQ's words.
inline bool server_connection::bad_content(server_channel& channel, std::string_view why)
{
    const bool header = channel.assembly_.expects_header();
    std::string text =
        header ? "expected content header for class 60, " : "expected content body, ";
    if (!why.empty())
        text += why;
    else
        text +=
            header ? "got non content header frame instead" : "got non content body frame instead";
    return violation(reply_code::unexpected_frame, text, channel.assembly_.method());
}

inline bool server_connection::complete_content(server_channel& channel)
{
    in_place_.erase(&channel);
    const content c = channel.assembly_.take(nullptr);
    count_held(channel);
    if (c.block != nullptr) {
        event_.whole = payload::share(*c.block, c.body);
        c.block->drop_reference();
    }
    event_.properties = c.properties;
    event_.body = c.body;
    wire::reader in(c.args);
    const auto m = wire::decode<wire::basic::publish>(in);
    event_.exchange = m.exchange;
    event_.routing_key = m.routing_key;
    event_.mandatory = m.mandatory;
    event_.immediate = m.immediate;
    return emit(server_event::kind::publish, &channel);
}

/// Keeps the sum of what unfinished messages hold outside the read block.
inline void server_connection::count_held(server_channel& channel) noexcept
{
    held_bytes_ += channel.assembly_.held() - channel.held_bytes_;
    channel.held_bytes_ = channel.assembly_.held();
}

} // namespace leveret::engine
