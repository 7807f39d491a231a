#pragma once

#include <string_view>
#include <tuple>
#include <type_traits>

namespace leveret {

/// Stands for `T` where json_members is looked up.
template <class T>
struct json_type {
};

/// A member of a class and its name in JSON.
template <class Class, class Value>
struct json_member {
    std::string_view name;
    Value Class::*pointer;
};
template <class Class, class Value>
json_member(const char*, Value Class::*) -> json_member<Class, Value>;

namespace detail {

template <class T>
inline constexpr bool is_tuple_of_members = false;
template <class... C, class... V>
inline constexpr bool is_tuple_of_members<std::tuple<json_member<C, V>...>> = true;

} // namespace detail

/// A class that says which of its members are written to JSON, in a function beside it:
///
///     struct quote {
///         std::string symbol;
///         double price = 0;
///         std::optional<int> size;
///     };
///     constexpr auto json_members(lv::json_type<quote>)
///     {
///         return std::tuple(lv::json_member{"symbol", &quote::symbol}, lv::json_member{"price", &quote::price},
///                           lv::json_member{"size", &quote::size});
///     }
///
/// It is then an object of these names. Read, a name that it does not have is passed over, and one that is missing is
/// an error, unless the member is a std::optional.
template <class T>
concept has_json_members = requires {
    json_members(json_type<T>{});
    requires detail::is_tuple_of_members<std::remove_cvref_t<decltype(json_members(json_type<T>{}))>>;
};

} // namespace leveret
