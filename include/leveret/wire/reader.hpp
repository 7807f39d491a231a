#pragma once

#include "leveret/core/errc.hpp"
#include "leveret/wire/byte_order.hpp"
#include "leveret/wire/types.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leveret::wire {

/// Takes values off the front of bytes. The first failure sticks: from then on every take gives zero or
/// empty and nothing is read, so a caller checks once, at the end. Never throws, never reads past the
/// end, allocates nothing.
class reader {
    // First, for clang wants these before a constant expression uses them.
    template <class T>
    constexpr T unsigned_integer() noexcept
    {
        bits_ = 0;
        if (remaining() < sizeof(T)) {
            fail(when_short_);
            return 0;
        }
        const T value = load_be<T>(at_);
        at_ += sizeof(T);
        return value;
    }

    const char* at_;
    const char* end_;
    protocol_errc when_short_;
    protocol_errc error_ = protocol_errc::none;
    unsigned octet_ = 0;
    unsigned bits_ = 0;

public:
    constexpr explicit reader(std::string_view bytes,
                              protocol_errc when_short = protocol_errc::malformed_arguments) noexcept
        : at_(bytes.data()), end_(bytes.data() + bytes.size()), when_short_(when_short)
    {
    }

    [[nodiscard]] constexpr bool ok() const noexcept { return error_ == protocol_errc::none; }
    [[nodiscard]] constexpr protocol_errc error() const noexcept { return error_; }
    [[nodiscard]] constexpr std::size_t remaining() const noexcept
    {
        return static_cast<std::size_t>(end_ - at_);
    }
    [[nodiscard]] constexpr const char* position() const noexcept { return at_; }
    constexpr void fail(protocol_errc e) noexcept
    {
        if (ok())
            error_ = e;
        at_ = end_;
    }

    constexpr std::uint8_t u8() noexcept { return unsigned_integer<std::uint8_t>(); }
    constexpr std::uint16_t u16() noexcept { return unsigned_integer<std::uint16_t>(); }
    constexpr std::uint32_t u32() noexcept { return unsigned_integer<std::uint32_t>(); }
    constexpr std::uint64_t u64() noexcept { return unsigned_integer<std::uint64_t>(); }

    /// Exactly `n` bytes, as a view into the input.
    constexpr std::string_view bytes(std::size_t n) noexcept
    {
        bits_ = 0;
        if (n > remaining()) {
            fail(when_short_);
            return {};
        }
        const std::string_view taken(at_, n);
        at_ += n;
        return taken;
    }
    constexpr std::string_view short_string() noexcept { return bytes(u8()); }

    // One overload for each kind of method argument.
    constexpr void take(std::uint8_t& v) noexcept { v = u8(); }
    constexpr void take(std::uint16_t& v) noexcept { v = u16(); }
    constexpr void take(std::uint32_t& v) noexcept { v = u32(); }
    constexpr void take(std::uint64_t& v) noexcept { v = u64(); }
    constexpr void take(std::string_view& v) noexcept { v = short_string(); }
    constexpr void take(long_string& v) noexcept { v.text = bytes(u32()); }
    constexpr void take(table_view& v) noexcept { v.encoded = bytes(u32()); }
    /// Consecutive bits share octets, the first in the lowest bit (specification 4.2.5.2).
    constexpr void take(bool& v) noexcept
    {
        if (bits_ == 0) {
            octet_ = u8();
            bits_ = 8;
        }
        v = ((octet_ >> (8U - bits_)) & 1U) != 0;
        --bits_;
    }

};

} // namespace leveret::wire
