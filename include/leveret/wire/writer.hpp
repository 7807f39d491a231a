#pragma once

#include "leveret/wire/byte_order.hpp"
#include "leveret/wire/types.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace leveret::wire {

/// Puts values behind one another into memory of a fixed size. A value that does not fit sets a sticky
/// failure and writes nothing; callers size their memory first (see method.hpp), so that this only
/// happens when they are wrong.
class writer {
    // First, for clang wants these before a constant expression uses them.
    [[nodiscard]] constexpr bool room(std::size_t n) noexcept
    {
        if (static_cast<std::size_t>(end_ - at_) < n)
            ok_ = false;
        return ok_;
    }
    template <class T>
    constexpr void integer(T v) noexcept
    {
        octet_ = nullptr;
        if (!room(sizeof(T)))
            return;
        store_be(at_, v);
        at_ += sizeof(T);
    }
    constexpr void copy(std::string_view v) noexcept
    {
        if (std::is_constant_evaluated())
            std::string_view::traits_type::copy(at_, v.data(), v.size());
        else
            copy_bytes(at_, v.data(), v.size());
        at_ += v.size();
    }

    char* begin_;
    char* at_;
    char* end_;
    char* octet_ = nullptr; // where the current run of bits is collected
    unsigned bit_ = 0;
    bool ok_ = true;

public:
    constexpr writer(char* memory, std::size_t size) noexcept
        : begin_(memory), at_(memory), end_(memory + size)
    {
    }

    [[nodiscard]] constexpr bool ok() const noexcept { return ok_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept
    {
        return static_cast<std::size_t>(at_ - begin_);
    }
    [[nodiscard]] constexpr char* position() const noexcept { return at_; }

    constexpr void u8(std::uint8_t v) noexcept { integer(v); }
    constexpr void u16(std::uint16_t v) noexcept { integer(v); }
    constexpr void u32(std::uint32_t v) noexcept { integer(v); }
    constexpr void u64(std::uint64_t v) noexcept { integer(v); }
    constexpr void bytes(std::string_view v) noexcept
    {
        octet_ = nullptr;
        if (room(v.size()))
            copy(v);
    }
    constexpr void short_string(std::string_view v) noexcept
    {
        octet_ = nullptr;
        if (v.size() > short_string_max || !room(1 + v.size())) {
            ok_ = false;
            return;
        }
        *at_++ = static_cast<char>(static_cast<unsigned char>(v.size()));
        copy(v);
    }

    // One overload for each kind of method argument.
    constexpr void put(std::uint8_t v) noexcept { u8(v); }
    constexpr void put(std::uint16_t v) noexcept { u16(v); }
    constexpr void put(std::uint32_t v) noexcept { u32(v); }
    constexpr void put(std::uint64_t v) noexcept { u64(v); }
    constexpr void put(std::string_view v) noexcept { short_string(v); }
    constexpr void put(const long_string& v) noexcept
    {
        u32(static_cast<std::uint32_t>(v.text.size()));
        bytes(v.text);
    }
    constexpr void put(const table_view& v) noexcept
    {
        u32(static_cast<std::uint32_t>(v.encoded.size()));
        bytes(v.encoded);
    }
    constexpr void put(bool v) noexcept
    {
        if (octet_ == nullptr || bit_ == 8) {
            if (!room(1))
                return;
            octet_ = at_++;
            *octet_ = 0;
            bit_ = 0;
        }
        const unsigned octet = static_cast<unsigned char>(*octet_) | ((v ? 1U : 0U) << bit_);
        *octet_ = static_cast<char>(octet);
        ++bit_;
    }

};

} // namespace leveret::wire
