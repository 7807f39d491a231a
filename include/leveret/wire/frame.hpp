#pragma once

#include "leveret/core/errc.hpp"
#include "leveret/wire/types.hpp"
#include "leveret/wire/writer.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leveret::wire {

/// What lies at the front of some bytes.
struct frame_view {
    /// Bytes of the whole frame; 0 while it is not complete or when there is an error.
    std::size_t size = 0;
    /// Bytes that are needed at least to go on, counted from the front, when `size` is 0.
    std::size_t needed = 0;
    protocol_errc error = protocol_errc::none;
    frame_type type = frame_type::method;
    std::uint16_t channel = 0;
    std::string_view payload;
};

/// Looks at the frame at the front of `input`, which may end anywhere. Every error is found as soon as
/// the bytes that show it are there: a type or a size is judged before the payload arrives, so nobody
/// waits for, or makes room for, a frame that can't be right (specification 2.3.5).
[[nodiscard]] constexpr frame_view parse_frame(std::string_view input,
                                               std::uint32_t frame_max) noexcept
{
    const auto octet = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(input[i]));
    };
    frame_view frame;
    if (input.empty()) {
        frame.needed = frame_header_size;
        return frame;
    }
    const std::uint32_t type = octet(0);
    if ((type < 1 || type > 3) && type != 8) {
        // A server that does not speak 0-9-1 answers with the protocol header it prefers.
        frame.error = type == 'A' ? protocol_errc::protocol_header : protocol_errc::frame_type;
        return frame;
    }
    if (input.size() < frame_header_size) {
        frame.needed = frame_header_size;
        return frame;
    }
    frame.type = static_cast<frame_type>(type);
    frame.channel = static_cast<std::uint16_t>((octet(1) << 8U) | octet(2));
    const std::uint32_t size = (octet(3) << 24U) | (octet(4) << 16U) | (octet(5) << 8U) | octet(6);
    if (std::uint64_t{size} + frame_overhead > frame_max) {
        frame.error = protocol_errc::frame_too_large;
        return frame;
    }
    if (input.size() < std::size_t{size} + frame_overhead) {
        frame.needed = std::size_t{size} + frame_overhead;
        return frame;
    }
    if (octet(frame_header_size + size) != frame_end) {
        frame.error = protocol_errc::frame_end;
        return frame;
    }
    frame.payload = input.substr(frame_header_size, size);
    frame.size = std::size_t{size} + frame_overhead;
    return frame;
}

/// The eight bytes of a heartbeat.
inline constexpr std::string_view heartbeat_frame{"\x08\0\0\0\0\0\0\xCE", 8};

/// Writes the seven bytes before a payload.
constexpr void write_frame_header(writer& out, frame_type type, std::uint16_t channel,
                                  std::size_t payload_size) noexcept
{
    out.u8(static_cast<std::uint8_t>(type));
    out.u16(channel);
    out.u32(static_cast<std::uint32_t>(payload_size));
}

} // namespace leveret::wire
