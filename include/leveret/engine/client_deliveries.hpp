// The short ways of engine::client for deliveries. Included by client.hpp.
#pragma once

#include "leveret/engine/client.hpp"
#include "leveret/wire/byte_order.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leveret::engine {

/// The shortest way: a delivery that differs from the last one in nothing but its tag, its redelivered
/// bit and its body. Everything else of it was checked then, so it is only compared.
inline bool client::take_same_delivery() noexcept
{
    const std::string_view in = input_.unread();
    if (last_channel_ == nullptr || !shape_.matches(in) ||
        last_channel_->state_ != channel_state::open || !last_channel_->assembly_.is_idle())
        return false;
    const char* p = in.data();
    const delivery_shape::places& at = shape_.at();
    event_.what = event::kind::delivery;
    event_.channel = last_channel_;
    event_.same_consumer = true;
    event_.delivery_tag = wire::load_be<std::uint64_t>(p + at.tag_at);
    event_.envelope = p + at.tag_at;
    event_.message.args = {p + 11, at.args_size};
    event_.message.body = {p + at.body_at, at.body_size}; // properties: none, as in the delivery before
    event_.message.block = input_.block();
    input_.consume(at.whole);
    return true;
}

/// The short way for the most common input: a whole delivery at the front of the buffer, its three frames
/// one behind the other and nothing odd about them. One whose end is not here yet is waited for, unless it
/// is large, so that it is not put together piece by piece. Anything else is left where it is for the long
/// way, which knows all cases and all errors; tests hold the two against each other.
inline client::short_way client::take_delivery()
{
    using enum short_way;
    const std::string_view in = input_.unread();
    const char* p = in.data();
    if (in.size() < 12 || wire::load_be<std::uint32_t>(p + 7) != wire::basic::deliver::id.value())
        return other;
    const auto octet = [p](std::size_t at) { return std::size_t{static_cast<unsigned char>(p[at])}; };
    // Frame type, channel and size, in one look if they are those of the delivery before.
    const std::uint64_t start = wire::load_be<std::uint64_t>(p) >> 8U;
    client_channel* channel = last_channel_;
    if (start != last_start_ || channel == nullptr) {
        const slot* s = slot_of(static_cast<std::uint16_t>(start >> 32U));
        if (octet(0) != 1 || s == nullptr || s->channel == nullptr)
            return other;
        channel = s->channel;
    }
    if (channel->state_ != channel_state::open || !channel->assembly_.is_idle())
        return other;
    const std::size_t method_size = start & 0xffffffffU;
    const std::size_t header_at = method_size + wire::frame_overhead;
    if (method_size < 4 + 12 || in.size() < header_at)
        return other;
    // Arguments: consumer tag, delivery tag, redelivered, exchange, routing key, end of frame.
    const std::size_t tag_at = 12 + octet(11);
    if (tag_at + 11 >= header_at)
        return other;
    const std::size_t key_at = tag_at + 10 + octet(tag_at + 9);
    if (key_at + 1 >= header_at || key_at + 2 + octet(key_at) != header_at ||
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
    if (octet(body_at - 1) != wire::frame_end)
        return other;
    std::uint64_t body_size = wire::load_be<std::uint64_t>(h + 11);
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
    if (end > limits_.frame_max) // so none of the three is above it
        return other;
    last_start_ = start;
    last_channel_ = channel;
    shape_.forget();
    if (header.properties.flags() == 0 && body_size != 0)
        shape_.remember(p, {tag_at, header_at - 12, static_cast<std::size_t>(body_size), end});
    event_.what = event::kind::delivery;
    event_.channel = channel;
    event_.same_consumer = false;
    event_.delivery_tag = wire::load_be<std::uint64_t>(p + tag_at);
    event_.envelope = p + tag_at;
    event_.message.args = {p + 11, header_at - 12};
    event_.message.properties = header.properties;
    event_.message.body = {body, static_cast<std::size_t>(body_size)};
    event_.message.block = input_.block();
    input_.consume(end);
    return taken;
}

/// A delivery of at least `size` bytes has begun. Nothing behind it could be read before it is whole.
inline client::short_way client::wait_for(std::size_t size) noexcept
{
    constexpr std::size_t most = 16 * 1024;
    if (size > most || size > limits_.frame_max)
        return short_way::other;
    needed_ = size;
    return short_way::incomplete;
}

} // namespace leveret::engine
