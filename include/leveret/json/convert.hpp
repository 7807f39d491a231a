#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/json/members.hpp"
#include "leveret/json/plain_text.hpp"
#include "leveret/json/value.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace leveret {

namespace detail {

// What of the standard library is taken apart here, so that what is inside is checked as strictly; in JSON it
// looks as nlohmann-json writes it.
template <class T>
inline constexpr bool is_json_optional = false;
template <class T>
inline constexpr bool is_json_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_json_list = false;
template <class T, class A>
inline constexpr bool is_json_list<std::vector<T, A>> = true;
template <class T>
inline constexpr bool is_json_map = false;
template <class T, class C, class A>
inline constexpr bool is_json_map<std::map<std::string, T, C, A>> = true;
template <class T, class H, class E, class A>
inline constexpr bool is_json_map<std::unordered_map<std::string, T, H, E, A>> = true;
template <class T>
inline constexpr bool is_json_tuple = false;
template <class... T>
inline constexpr bool is_json_tuple<std::tuple<T...>> = true;
template <class A, class B>
inline constexpr bool is_json_tuple<std::pair<A, B>> = true;
template <class T, std::size_t N>
inline constexpr bool is_json_tuple<std::array<T, N>> = true;

/// By the functions to_json and from_json of the type, or nlohmann-json's own.
template <class T>
concept nlohmann_readable = requires(const json& j, T& value) { nlohmann::adl_serializer<T>::from_json(j, value); } ||
                            requires(const json& j) { nlohmann::adl_serializer<T>::from_json(j); };
template <class T>
concept nlohmann_writable = requires(json& j, const T& value) { nlohmann::adl_serializer<T>::to_json(j, value); };

template <class T>
struct json_parts; // the types inside
template <class T>
inline constexpr bool is_json_value = false;
template <class... T>
inline constexpr bool are_json_values = (is_json_value<std::remove_cvref_t<T>> && ...);

template <class T>
[[nodiscard]] consteval bool can_be_json() noexcept
{
    if constexpr (std::same_as<T, json> || std::same_as<T, std::nullptr_t> || std::same_as<T, bool> ||
                  std::same_as<T, std::string> || has_json_members<T>)
        return true;
    else if constexpr (std::integral<T>)
        return !std::same_as<T, char> && !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
               !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;
    else if constexpr (std::floating_point<T>)
        return true;
    else if constexpr (is_json_optional<T>)
        return is_json_value<typename T::value_type>;
    else if constexpr (is_json_list<T>)
        return is_json_value<typename T::value_type> && !std::same_as<typename T::value_type, std::byte>;
    else if constexpr (is_json_map<T>)
        return is_json_value<typename T::mapped_type>;
    else if constexpr (is_json_tuple<T>)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return are_json_values<std::tuple_element_t<I, T>...>;
        }(std::make_index_sequence<std::tuple_size_v<T>>());
    else
        return nlohmann_readable<T> && nlohmann_writable<T>;
}
template <class T>
requires std::is_object_v<T>
inline constexpr bool is_json_value<T> = can_be_json<T>();

[[noreturn]] inline void throw_other_json(const json& found, std::string_view wanted)
{
    throw_decode_error(std::string(wanted) + " is wanted and not " + std::string(kind_of(found)));
}
/// Says where it was, of an error inside.
template <class F>
decltype(auto) at_json(std::string_view where, F&& convert)
{
    try {
        return std::forward<F>(convert)();
    } catch (const decode_error& e) {
        throw_decode_error(escaped(where, 64) + ": " + e.what());
    }
}

} // namespace detail

/// A type that JSON can be made of and into: json itself, numbers, bool, std::string, std::optional (null), vectors,
/// maps by text, tuples, pairs and arrays of such; classes with json_members; and all that nlohmann-json knows by the
/// functions to_json and from_json.
template <class T>
concept json_value = detail::is_json_value<T>;

/// The value of a JSON value, which must be of its kind: a number is no text, a fraction no integer, and what does not
/// fit is not cut. Throws decode_error, which says what was wanted and where.
template <json_value T>
[[nodiscard]] T json_to(const json& j)
{
    if constexpr (std::same_as<T, json>) {
        return j;
    } else if constexpr (std::same_as<T, std::nullptr_t>) {
        if (!j.is_null())
            detail::throw_other_json(j, "null");
        return nullptr;
    } else if constexpr (std::same_as<T, bool>) {
        if (!j.is_boolean())
            detail::throw_other_json(j, "a boolean");
        return *j.get_ptr<const json::boolean_t*>();
    } else if constexpr (std::integral<T>) {
        if (const auto* u = j.get_ptr<const json::number_unsigned_t*>()) {
            if (!std::in_range<T>(*u))
                throw_decode_error("the integer is too large");
            return static_cast<T>(*u);
        }
        const auto* i = j.get_ptr<const json::number_integer_t*>();
        if (i == nullptr)
            detail::throw_other_json(j, "an integer");
        if (!std::in_range<T>(*i))
            throw_decode_error("the integer is out of range");
        return static_cast<T>(*i);
    } else if constexpr (std::floating_point<T>) {
        if (!j.is_number())
            detail::throw_other_json(j, "a number");
        return j.get<T>();
    } else if constexpr (std::same_as<T, std::string>) {
        if (!j.is_string())
            detail::throw_other_json(j, "a text");
        return j.get_ref<const std::string&>();
    } else if constexpr (detail::is_json_optional<T>) {
        if (j.is_null())
            return std::nullopt;
        return T(json_to<typename T::value_type>(j));
    } else if constexpr (detail::is_json_list<T>) {
        if (!j.is_array())
            detail::throw_other_json(j, "an array");
        T list;
        list.reserve(j.size());
        for (std::size_t i = 0; i < j.size(); ++i)
            detail::at_json(std::to_string(i), [&] { list.push_back(json_to<typename T::value_type>(j[i])); });
        return list;
    } else if constexpr (detail::is_json_map<T>) {
        if (!j.is_object())
            detail::throw_other_json(j, "an object");
        T map;
        for (const auto& [key, value] : j.items())
            detail::at_json(key, [&] { map.emplace(key, json_to<typename T::mapped_type>(value)); });
        return map;
    } else if constexpr (detail::is_json_tuple<T>) {
        if (!j.is_array() || j.size() != std::tuple_size_v<T>)
            throw_decode_error("an array of " + std::to_string(std::tuple_size_v<T>) + " is wanted");
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return T{detail::at_json(std::to_string(I), [&] { return json_to<std::tuple_element_t<I, T>>(j[I]); })...};
        }(std::make_index_sequence<std::tuple_size_v<T>>());
    } else if constexpr (has_json_members<T>) {
        if (!j.is_object())
            detail::throw_other_json(j, "an object");
        T object{};
        const auto read = [&]<class C, class V>(const json_member<C, V>& m) {
            detail::at_json(m.name, [&] {
                const auto found = j.find(std::string(m.name));
                if (found != j.end())
                    object.*m.pointer = json_to<V>(*found);
                else if constexpr (!detail::is_json_optional<V>)
                    throw_decode_error("is missing");
            });
        };
        std::apply([&](const auto&... m) { (read(m), ...); }, json_members(json_type<T>{}));
        return object;
    } else {
        try {
            return j.get<T>();
        } catch (const json::exception& e) {
            throw_decode_error(escaped(e.what(), 200));
        }
    }
}

namespace detail {

/// What is read without a tree of JSON in between: an integer or an array of such, without spaces; false for all else.
template <class T>
[[nodiscard]] bool read_simple(std::string_view text, T& value)
{
    if constexpr (std::integral<T> && !std::same_as<T, bool>) {
        return take_integer(text, value) && text.empty();
    } else if constexpr (is_json_list<T>) {
        using element = typename T::value_type;
        if constexpr (std::integral<element> && !std::same_as<element, bool>)
            return read_list(text, [&value](std::string_view& rest) { return take_integer(rest, value.emplace_back()); });
    }
    return false;
}

} // namespace detail

/// The value of JSON as text: json_to and parse_json. Throws decode_error.
template <json_value T>
[[nodiscard]] T from_json_text(std::string_view text)
{
    if constexpr (std::integral<T> || detail::is_json_list<T>) {
        T value{};
        if (detail::read_simple(text, value))
            return value;
    }
    return json_to<T>(parse_json(text));
}

/// The JSON of a value. A std::optional that has none is null.
template <class T>
requires json_value<T> || std::convertible_to<const T&, std::string_view>
[[nodiscard]] json json_of(const T& value)
{
    if constexpr (std::same_as<T, json>) {
        return value;
    } else if constexpr (std::same_as<T, std::nullptr_t>) { // which C++20 makes a std::string_view of
        return nullptr;
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
        return json(std::string(std::string_view(value)));
    } else if constexpr (detail::is_json_optional<T>) {
        return value ? json_of(*value) : json();
    } else if constexpr (detail::is_json_list<T>) {
        json list = json::array();
        for (const typename T::value_type& v : value) // not a reference to a bit
            list.push_back(json_of<typename T::value_type>(v));
        return list;
    } else if constexpr (detail::is_json_map<T>) {
        json map = json::object();
        for (const auto& [key, v] : value)
            map.emplace(key, json_of(v));
        return map;
    } else if constexpr (detail::is_json_tuple<T>) {
        json list = json::array();
        std::apply([&](const auto&... v) { (list.push_back(json_of(v)), ...); }, value);
        return list;
    } else if constexpr (has_json_members<T>) {
        json object = json::object();
        std::apply([&](const auto&... m) { (object.emplace(std::string(m.name), json_of(value.*m.pointer)), ...); },
                   json_members(json_type<T>{}));
        return object;
    } else {
        return json(value);
    }
}

} // namespace leveret

/// Classes with json_members are known to nlohmann-json as well.
template <leveret::has_json_members T>
struct nlohmann::adl_serializer<T, void> {
    static void to_json(leveret::json& j, const T& value) { j = leveret::json_of(value); }
    static void from_json(const leveret::json& j, T& value) { value = leveret::json_to<T>(j); }
};
