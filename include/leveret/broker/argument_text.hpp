#pragma once

#include "leveret/core/field_text.hpp"
#include "leveret/core/table.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace leveret::broker::detail {

using leveret::is_integer;
using leveret::type_name;
using leveret::value_text;

[[nodiscard]] inline std::string in_quotes(std::string_view text)
{
    std::string q = "'";
    q += text;
    q += '\'';
    return q;
}

/// Equal, where integers of any width are one class and so are reals, as RabbitMQ compares arguments.
[[nodiscard]] inline bool is_same_argument(const field_value& a, const field_value& b) noexcept
{
    if (is_integer(a.type()) && is_integer(b.type()))
        return a.integer() == b.integer();
    return a == b;
}

/// The same names with the same values, in whatever order: what makes two bindings one.
[[nodiscard]] inline bool is_same_table(const table& a, const table& b) noexcept
{
    if (a.size() != b.size())
        return false;
    for (const auto& [name, value] : a) {
        const field_value* other = b.find(name);
        if (other == nullptr || !(*other == value))
            return false;
    }
    return true;
}

/// `inequivalent arg 'durable' for queue 'q' in vhost '/': received 'true' but current is 'false'`
[[nodiscard]] inline std::string inequivalent(std::string_view argument, std::string_view what,
                                              std::string_view received, std::string_view current)
{
    std::string text = "inequivalent arg ";
    text += in_quotes(argument);
    text += " for ";
    text += what;
    text += ": received ";
    text += received;
    text += " but current is ";
    text += current;
    return text;
}
[[nodiscard]] inline std::string inequivalent(std::string_view argument, std::string_view what,
                                              bool received, bool current)
{
    return inequivalent(argument, what, in_quotes(received ? "true" : "false"),
                        in_quotes(current ? "true" : "false"));
}

/// How an argument that both or one of two tables have differs; empty if it does not.
[[nodiscard]] inline std::string argument_difference(std::string_view argument,
                                                     std::string_view what, const table& received,
                                                     const table& current)
{
    const field_value* now = current.find(argument);
    const field_value* wanted = received.find(argument);
    if (now == nullptr && wanted == nullptr)
        return {};
    if (now != nullptr && wanted != nullptr) {
        if (is_same_argument(*now, *wanted))
            return {};
        return inequivalent(argument, what, in_quotes(value_text(*wanted)), in_quotes(value_text(*now)));
    }
    const auto described = [](const field_value* v) -> std::string {
        if (v == nullptr)
            return "none";
        return "the value " + in_quotes(value_text(*v)) + " of type " + in_quotes(type_name(v->type()));
    };
    return inequivalent(argument, what, described(wanted), described(now));
}

} // namespace leveret::broker::detail
