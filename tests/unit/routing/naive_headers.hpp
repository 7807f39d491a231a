// Whether the arguments of a headers binding match the headers of a message, straight from RabbitMQ's definition.
#pragma once

#include "leveret/core/field_text.hpp"
#include "leveret/core/table.hpp"

#include <string>
#include <string_view>

namespace leveret::test {

/// Numbers and times by their value, texts and bytes too, everything else with its type.
inline bool naive_headers_equal(const field_value& wanted, const field_value& value)
{
    const auto number = [](const field_value& v, double& to) {
        if (const auto* t = v.as<timestamp>())
            to = static_cast<double>(t->seconds);
        else if (const auto* d = v.as<double>())
            to = *d;
        else if (const auto* f = v.as<float>())
            to = static_cast<double>(*f);
        else if (is_integer(v.type()))
            to = static_cast<double>(v.integer());
        else
            return false;
        return true;
    };
    double a = 0;
    double b = 0;
    const bool is_number = number(wanted, a);
    if (is_number != number(value, b))
        return false;
    if (is_number)
        return a == b;
    const auto is_text = [](const field_value& v) { return v.as<std::string>() != nullptr; };
    return is_text(wanted) && is_text(value) ? wanted.text() == value.text() : wanted == value;
}

inline bool naive_headers_matches(const table& arguments, const table& headers)
{
    const auto* how = arguments.find_as<std::string>("x-match");
    const std::string_view kind = how == nullptr ? std::string_view("all") : std::string_view(*how);
    const bool all = kind == "all" || kind == "all-with-x";
    const bool with_x = kind == "all-with-x" || kind == "any-with-x";
    for (const auto& [name, wanted] : arguments) {
        if (name == "x-match" || (!with_x && name.starts_with("x-")))
            continue;
        const field_value* value = headers.find(name);
        const bool hit =
            value != nullptr && (wanted.is_void() || naive_headers_equal(wanted, *value));
        if (hit != all)
            return hit; // any: found one; all: misses one
    }
    return all;
}

} // namespace leveret::test
