#pragma once

#include "leveret/core/payload.hpp"
#include "leveret/core/properties.hpp"
#include "leveret/engine/output_buffer.hpp"
#include "leveret/wire/byte_order.hpp"
#include "leveret/wire/content_header.hpp"
#include "leveret/wire/frame.hpp"
#include "leveret/wire/method.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leveret::engine {

/// Bodies from this size on are referred to by the output, smaller ones copied into it, and so is what is left of one for
/// its last frame if it is less than the smallest frame_max has.
inline constexpr std::size_t shared_body_size = 16 * 1024;
inline constexpr std::size_t shared_piece_size = wire::frame_min_size - wire::frame_overhead;

/// Puts the body frames of a message into the output, behind its method and content header.
inline void append_body(output_buffer& out, std::uint16_t channel, const payload& body,
                        std::uint32_t frame_max)
{
    const std::size_t most = frame_max - wire::frame_overhead;
    for (std::size_t at = 0; at < body.size(); at += most) {
        const std::size_t n = body.size() - at < most ? body.size() - at : most;
        const bool is_shared = body.size() >= shared_body_size && n >= shared_piece_size;
        const std::size_t size = wire::frame_header_size + (is_shared ? 0 : n + 1);
        wire::writer w(out.append(size), size);
        wire::write_frame_header(w, wire::frame_type::body, channel, n);
        if (is_shared) {
            out.append_shared(body.slice(at, n));
            *out.append(1) = static_cast<char>(wire::frame_end);
        } else {
            w.bytes(body.view().substr(at, n));
            w.u8(wire::frame_end);
        }
    }
}

/// Puts a whole message into the output: method, content header, body frames.
template <wire::method Method>
void append_content(output_buffer& out, std::uint16_t channel, const Method& m, const properties& p,
                    const payload& body, std::uint32_t frame_max)
{
    const std::size_t header = wire::content_header_size + wire::encoded_size(p);
    const std::size_t size = wire::frame_size(m) + wire::frame_overhead + header;
    wire::writer w(out.append(size), size);
    wire::encode_frame(w, channel, m);
    wire::write_frame_header(w, wire::frame_type::header, channel, header);
    wire::encode_content_header(w, body.size(), p);
    w.u8(wire::frame_end);
    LEVERET_ASSERT(w.ok() && w.size() == size);
    append_body(out, channel, body, frame_max);
}

/// The method and content header of basic.deliver, kept for deliveries that differ in nothing but their tag,
/// their redelivered bit and their body: each is then a copy with three numbers put in.
class delivery_head {
public:
    void assign(std::uint16_t channel, std::string_view consumer_tag, std::string_view exchange,
                std::string_view routing_key, const properties& p)
    {
        wire::basic::deliver m;
        m.consumer_tag = consumer_tag;
        m.exchange = exchange;
        m.routing_key = routing_key;
        const std::size_t method = wire::frame_size(m);
        const std::size_t header = wire::content_header_size + wire::encoded_size(p);
        bytes_.resize(method + wire::frame_overhead + header);
        wire::writer w(bytes_.data(), bytes_.size());
        wire::encode_frame(w, channel, m);
        wire::write_frame_header(w, wire::frame_type::header, channel, header);
        wire::encode_content_header(w, 0, p);
        w.u8(wire::frame_end);
        LEVERET_ASSERT(w.ok() && w.size() == bytes_.size());
        channel_ = channel;
        tag_at_ = wire::frame_header_size + 4 + 1 + consumer_tag.size();
        size_at_ = method + wire::frame_header_size + 4;
    }

    /// Puts a delivery into the output.
    void append(output_buffer& out, std::uint64_t tag, bool redelivered, const payload& body,
                std::uint32_t frame_max) const
    {
        const std::size_t n = body.size();
        const bool is_small = n < shared_body_size && n + wire::frame_overhead <= frame_max;
        const std::size_t frame = is_small && n != 0 ? n + wire::frame_overhead : 0;
        char* p = out.append(bytes_.size() + frame);
        wire::copy_bytes(p, bytes_.data(), bytes_.size());
        wire::store_be<std::uint64_t>(p + tag_at_, tag);
        p[tag_at_ + 8] = redelivered ? 1 : 0;
        wire::store_be<std::uint64_t>(p + size_at_, n);
        if (frame != 0) {
            p += bytes_.size();
            *p = static_cast<char>(wire::frame_type::body);
            wire::store_be<std::uint16_t>(p + 1, channel_);
            wire::store_be<std::uint32_t>(p + 3, static_cast<std::uint32_t>(n));
            p = wire::copy_bytes(p + wire::frame_header_size, body.data(), n);
            *p = static_cast<char>(wire::frame_end);
        } else if (n != 0) {
            append_body(out, channel_, body, frame_max);
        }
    }

private:
    std::string bytes_;
    std::uint16_t channel_ = 0;
    std::size_t tag_at_ = 0;  // the redelivered bit follows it
    std::size_t size_at_ = 0; // of the body, in the content header
};

} // namespace leveret::engine
