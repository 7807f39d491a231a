#pragma once

#include "leveret/core/errc.hpp"
#include "leveret/core/table.hpp"
#include "leveret/wire/reader.hpp"
#include "leveret/wire/types.hpp"
#include "leveret/wire/writer.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// Field tables on the wire (specification 4.2.5.5 with the errata that RabbitMQ follows):
// table = u32 length, then entries of short string and value; value = type octet and data.
namespace leveret::wire {

namespace detail {

/// Bytes of a fixed-size field type, or -1 for those with a length of their own, -2 for unknown ones.
[[nodiscard]] constexpr int fixed_field_size(std::uint8_t type) noexcept
{
    switch (type) {
    case 'V': return 0;
    case 't':
    case 'b':
    case 'B': return 1;
    case 's':
    case 'u': return 2;
    case 'I':
    case 'i':
    case 'f': return 4;
    case 'D': return 5;
    case 'l':
    case 'L':
    case 'd':
    case 'T': return 8;
    case 'S':
    case 'x':
    case 'A':
    case 'F': return -1;
    default: return -2;
    }
}

constexpr protocol_errc check_entries(std::string_view encoded, std::uint32_t depth, bool named) noexcept;

constexpr void check_value(reader& in, std::uint32_t depth) noexcept
{
    const std::uint8_t type = in.u8();
    if (!in.ok())
        return;
    const int fixed = fixed_field_size(type);
    if (fixed == -2)
        return in.fail(protocol_errc::field_type);
    if (fixed >= 0) {
        static_cast<void>(in.bytes(static_cast<std::size_t>(fixed)));
        return;
    }
    const std::string_view inner = in.bytes(in.u32());
    if (!in.ok() || (type != 'A' && type != 'F'))
        return;
    if (depth == 0)
        return in.fail(protocol_errc::table_depth);
    if (const protocol_errc e = check_entries(inner, depth - 1, type == 'F'); e != protocol_errc::none)
        in.fail(e);
}

constexpr protocol_errc check_entries(std::string_view encoded, std::uint32_t depth,
                                      bool named) noexcept
{
    reader in(encoded, protocol_errc::malformed_table);
    while (in.remaining() != 0) {
        if (named)
            static_cast<void>(in.short_string());
        check_value(in, depth);
    }
    return in.error();
}

[[nodiscard]] field_value read_value(reader& in);

[[nodiscard]] inline table read_table(std::string_view encoded)
{
    table result;
    reader in(encoded, protocol_errc::malformed_table);
    while (in.remaining() != 0) {
        std::string key(in.short_string());
        field_value value = read_value(in);
        if (!in.ok())
            break;
        result.append(std::move(key), std::move(value));
    }
    return result;
}

[[nodiscard]] inline field_array read_array(std::string_view encoded)
{
    field_array result;
    reader in(encoded, protocol_errc::malformed_table);
    while (in.remaining() != 0)
        result.push_back(read_value(in));
    return result;
}

[[nodiscard]] inline field_value read_value(reader& in)
{
    switch (in.u8()) {
    case 't': return in.u8() != 0;
    case 'b': return static_cast<std::int8_t>(in.u8());
    case 'B': return in.u8();
    case 's': return static_cast<std::int16_t>(in.u16());
    case 'u': return in.u16();
    case 'I': return static_cast<std::int32_t>(in.u32());
    case 'i': return in.u32();
    case 'l':
    case 'L': return static_cast<std::int64_t>(in.u64()); // py-amqp's letter, the same to RabbitMQ
    case 'f': return std::bit_cast<float>(in.u32());
    case 'd': return std::bit_cast<double>(in.u64());
    case 'D': {
        const std::uint8_t scale = in.u8();
        return decimal{scale, static_cast<std::int32_t>(in.u32())};
    }
    case 'S': return in.bytes(in.u32());
    case 'x': return byte_array(std::string(in.bytes(in.u32())));
    case 'T': return timestamp{in.u64()};
    case 'A': return read_array(in.bytes(in.u32()));
    case 'F': return read_table(in.bytes(in.u32()));
    default: return {};
    }
}

[[nodiscard]] std::size_t encoded_entries_size(const table& t) noexcept;

[[nodiscard]] inline std::size_t encoded_value_size(const field_value& v) noexcept
{
    const int fixed = fixed_field_size(static_cast<std::uint8_t>(v.type()));
    if (fixed >= 0)
        return 1 + static_cast<std::size_t>(fixed);
    if (const auto* array = v.as<field_array>()) {
        std::size_t size = 5;
        for (const field_value& item : *array)
            size += encoded_value_size(item);
        return size;
    }
    if (const auto* inner = v.as<table>())
        return 5 + encoded_entries_size(*inner);
    return 5 + v.text().size();
}

[[nodiscard]] inline std::size_t encoded_entries_size(const table& t) noexcept
{
    std::size_t size = 0;
    for (const auto& [key, value] : t)
        size += 1 + key.size() + encoded_value_size(value);
    return size;
}

void write_entries(writer& out, const table& t) noexcept;

inline void write_value(writer& out, const field_value& v) noexcept
{
    out.u8(static_cast<std::uint8_t>(v.type()));
    switch (v.type()) {
    case field_type::none: return;
    case field_type::boolean: return out.u8(*v.as<bool>() ? 1 : 0);
    case field_type::int8:
    case field_type::uint8: return out.u8(static_cast<std::uint8_t>(v.integer()));
    case field_type::int16:
    case field_type::uint16: return out.u16(static_cast<std::uint16_t>(v.integer()));
    case field_type::int32:
    case field_type::uint32: return out.u32(static_cast<std::uint32_t>(v.integer()));
    case field_type::int64: return out.u64(static_cast<std::uint64_t>(v.integer()));
    case field_type::float32: return out.u32(std::bit_cast<std::uint32_t>(*v.as<float>()));
    case field_type::float64: return out.u64(std::bit_cast<std::uint64_t>(*v.as<double>()));
    case field_type::decimal:
        out.u8(v.as<decimal>()->scale);
        return out.u32(static_cast<std::uint32_t>(v.as<decimal>()->value));
    case field_type::timestamp: return out.u64(v.as<timestamp>()->seconds);
    case field_type::string:
    case field_type::bytes: return out.put(long_string(v.text()));
    case field_type::array:
        out.u32(static_cast<std::uint32_t>(encoded_value_size(v) - 5));
        for (const field_value& item : *v.as<field_array>())
            write_value(out, item);
        return;
    case field_type::table:
        out.u32(static_cast<std::uint32_t>(encoded_value_size(v) - 5));
        return write_entries(out, *v.as<table>());
    }
}

inline void write_entries(writer& out, const table& t) noexcept
{
    for (const auto& [key, value] : t) {
        out.short_string(key);
        write_value(out, value);
    }
}

[[nodiscard]] inline bool is_encodable(const table& t, std::uint32_t depth) noexcept;

[[nodiscard]] inline bool is_encodable(const field_value& v, std::uint32_t depth) noexcept
{
    if (const auto* inner = v.as<table>())
        return depth > 0 && is_encodable(*inner, depth - 1);
    if (const auto* array = v.as<field_array>()) {
        if (depth == 0)
            return false;
        for (const field_value& item : *array)
            if (!is_encodable(item, depth - 1))
                return false;
    }
    return true;
}

[[nodiscard]] inline bool is_encodable(const table& t, std::uint32_t depth) noexcept
{
    for (const auto& [key, value] : t)
        if (key.size() > short_string_max || !is_encodable(value, depth))
            return false;
    return true;
}

} // namespace detail

/// Whether the entries of a table are well formed and nested no deeper than `max_depth` tables and
/// arrays below the table itself. Allocates nothing.
[[nodiscard]] constexpr protocol_errc check_table(table_view t, std::uint32_t max_depth) noexcept
{
    return detail::check_entries(t.encoded, max_depth, true);
}

/// The table as values. Needs `check_table` to have found no error; allocates no more than a small
/// multiple of the encoded bytes.
[[nodiscard]] inline table decode_table(table_view t) { return detail::read_table(t.encoded); }

/// Bytes of the encoded entries, without the length before them.
[[nodiscard]] inline std::size_t encoded_size(const table& t) noexcept
{
    return detail::encoded_entries_size(t);
}

/// The encoded entries. The result is empty for an empty table.
[[nodiscard]] inline std::string encode_table(const table& t)
{
    std::string bytes(encoded_size(t), '\0');
    writer out(bytes.data(), bytes.size());
    detail::write_entries(out, t);
    return bytes;
}

/// Whether a table can be sent: names of at most 255 bytes, nested no deeper than `max_depth` tables and
/// arrays below the table itself.
[[nodiscard]] inline bool is_encodable(const table& t,
                                       std::uint32_t max_depth = limits{}.table_depth) noexcept
{
    return detail::is_encodable(t, max_depth);
}

} // namespace leveret::wire
