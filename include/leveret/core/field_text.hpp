// Field values in the words of RabbitMQ's error texts.
#pragma once

#include "leveret/core/table.hpp"

#include <string>
#include <string_view>

namespace leveret {

/// What RabbitMQ calls the types of field values in its texts.
[[nodiscard]] constexpr std::string_view type_name(field_type type) noexcept
{
    switch (type) {
    case field_type::none: return "void";
    case field_type::boolean: return "bool";
    case field_type::int8: return "byte";
    case field_type::uint8: return "unsignedbyte";
    case field_type::int16: return "short";
    case field_type::uint16: return "unsignedshort";
    case field_type::int32: return "signedint";
    case field_type::uint32: return "unsignedint";
    case field_type::int64: return "long";
    case field_type::float32: return "float";
    case field_type::float64: return "double";
    case field_type::decimal: return "decimal";
    case field_type::string: return "longstr";
    case field_type::bytes: return "binary";
    case field_type::timestamp: return "timestamp";
    case field_type::array: return "array";
    case field_type::table: return "table";
    }
    return "void";
}

[[nodiscard]] constexpr bool is_integer(field_type type) noexcept
{
    switch (type) {
    case field_type::int8:
    case field_type::uint8:
    case field_type::int16:
    case field_type::uint16:
    case field_type::int32:
    case field_type::uint32:
    case field_type::int64: return true;
    default: return false;
    }
}

/// A value as RabbitMQ prints it between quotes; of what it rarely prints, the type.
[[nodiscard]] inline std::string value_text(const field_value& v)
{
    if (is_integer(v.type()))
        return std::to_string(v.integer());
    if (const auto* b = v.as<bool>())
        return *b ? "true" : "false";
    if (const auto* f = v.as<float>())
        return std::to_string(*f);
    if (const auto* d = v.as<double>())
        return std::to_string(*d);
    if (const auto* s = v.as<std::string>())
        return *s;
    return std::string(type_name(v.type()));
}

} // namespace leveret
