#pragma once

#include "leveret/core/properties.hpp"
#include "leveret/core/table.hpp"

#include <cstddef>
#include <string>

namespace leveret::broker {

[[nodiscard]] std::size_t size_of(const table& t) noexcept;

/// Bytes of memory that a value takes, about: what the texts have, not what was reserved for them.
[[nodiscard]] inline std::size_t size_of(const field_value& v) noexcept
{
    std::size_t size = sizeof(field_value) + v.text().size();
    if (const auto* list = v.as<field_array>())
        for (const field_value& each : *list)
            size += size_of(each);
    else if (const auto* fields = v.as<table>())
        size += size_of(*fields);
    return size;
}

// Nested no deeper than a table may be, which the codec limits.
inline std::size_t size_of(const table& t) noexcept
{
    std::size_t size = 0;
    for (const auto& [name, value] : t)
        size += sizeof(std::string) + name.size() + size_of(value);
    return size;
}

/// Bytes of memory that properties take, about. Never 0.
[[nodiscard]] inline std::size_t size_of(const properties& p) noexcept
{
    return sizeof(properties) + size_of(p.headers()) + p.content_type().size() + p.content_encoding().size() +
           p.correlation_id().size() + p.reply_to().size() + p.expiration().size() + p.message_id().size() +
           p.type().size() + p.user_id().size() + p.app_id().size();
}

/// Properties above this size are not kept for the next message, which may have the same.
inline constexpr std::size_t max_remembered_properties = 4096;

} // namespace leveret::broker
