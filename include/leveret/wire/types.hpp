#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// Frames, methods, content headers and field tables of AMQP 0-9-1: bytes in, values out, and back.
/// Bytes are `char`s here, so that texts are views into frames and all of it works in constant
/// expressions.
namespace leveret::wire {

/// A text of up to 2^32-1 bytes, as a view; short texts (up to 255 bytes) are plain string_views.
struct long_string {
    constexpr long_string() noexcept = default;
    constexpr long_string(std::string_view t) noexcept : text(t) {} // NOLINT
    constexpr long_string(const char* t) noexcept : text(t) {}      // NOLINT
    std::string_view text;
    friend constexpr bool operator==(const long_string&, const long_string&) noexcept = default;
};

/// A field table as its encoded entries, without the length before them. See table_codec.hpp.
struct table_view {
    std::string_view encoded;
    friend constexpr bool operator==(const table_view&, const table_view&) noexcept = default;
};

/// Class and method number of a method.
struct method_number {
    std::uint16_t class_id = 0;
    std::uint16_t method = 0;
    [[nodiscard]] constexpr std::uint32_t value() const noexcept
    {
        return (std::uint32_t{class_id} << 16U) | method;
    }
    friend constexpr bool operator==(method_number, method_number) noexcept = default;
};

enum class frame_type : std::uint8_t { method = 1, header = 2, body = 3, heartbeat = 8 };

inline constexpr std::size_t frame_header_size = 7;  ///< type, channel, payload size
inline constexpr std::size_t frame_overhead = 8;     ///< and the frame-end octet
inline constexpr unsigned char frame_end = 0xCE;
inline constexpr std::uint32_t frame_min_size = 4096; ///< every peer accepts frames of this size
inline constexpr std::size_t content_header_size = 14; ///< class, weight, body size, property flags
inline constexpr std::uint16_t basic_class = 60;
inline constexpr std::size_t short_string_max = 255;

/// What a client sends first, and what a server answers when it does not speak the client's version.
inline constexpr std::string_view protocol_header{"AMQP\0\0\x09\x01", 8};

/// Bounds on what is decoded. Each is checked before anything is allocated or descended into.
struct limits {
    std::uint32_t frame_max = 131072;           ///< a whole frame, in bytes
    std::uint32_t table_depth = 64;             ///< tables and arrays inside one another
    std::uint64_t message_size = 134217728;     ///< body of one message: 128 MiB, as RabbitMQ 3
    std::uint64_t assembly_bytes = 268435456;   ///< unfinished bodies of all channels together
};

} // namespace leveret::wire
