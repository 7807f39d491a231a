// Handlers behind one interface: signatures taken apart, arguments read and checked, results written.
#pragma once

#include "leveret/io/config.hpp"

#include "leveret/core/codec.hpp"
#include "leveret/core/detail/signature.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/core/fixed_string.hpp"
#include "leveret/json/convert.hpp"
#include "leveret/json/value.hpp"
#include "leveret/rpc/arguments.hpp"
#include "leveret/rpc/failure.hpp"
#include "leveret/rpc/request.hpp"

#include <asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace leveret::rpc::detail {

/// A method as a server sees it. Throws rpc::failure of kind invalid_arguments before the handler runs.
class handler {
public:
    handler(bool is_coroutine, bool needs_positions) noexcept
        : is_coroutine_(is_coroutine), needs_positions_(needs_positions)
    {
    }
    handler(const handler&) = delete;
    handler& operator=(const handler&) = delete;
    virtual ~handler() = default;

    [[nodiscard]] bool is_coroutine() const noexcept { return is_coroutine_; }
    /// Has parameters and no names for them.
    [[nodiscard]] bool needs_positions() const noexcept { return needs_positions_; }
    /// One of the two, as is_coroutine says.
    [[nodiscard]] virtual json call(const request& r, const json& arguments) = 0;
    [[nodiscard]] virtual asio::awaitable<json> run(const request& r, const json& arguments) = 0;

private:
    bool is_coroutine_, needs_positions_;
};

[[noreturn]] inline void throw_arguments(std::string what)
{
    throw failure(failure_kind::invalid_arguments, "invalid_arguments", std::move(what));
}

/// One argument, found and read.
template <class T>
[[nodiscard]] T read_argument(const json* value, std::string_view name, std::size_t index)
{
    const auto whose = [&] {
        return name.empty() ? "argument " + std::to_string(index + 1) : "argument '" + std::string(name) + "'";
    };
    if (value == nullptr) {
        if constexpr (leveret::detail::is_json_optional<T>)
            return std::nullopt;
        else
            throw_arguments(whose() + " is missing");
    }
    try {
        return json_to<T>(*value);
    } catch (const decode_error& e) {
        throw_arguments(whose() + ": " + e.what());
    }
}

template <class T>
inline constexpr bool is_awaitable = false;
template <class T>
inline constexpr bool is_awaitable<asio::awaitable<T>> = true;
template <class T>
struct result_of {
    using type = T;
};
template <class T>
struct result_of<asio::awaitable<T>> {
    using type = T;
};

template <class R>
concept handler_result = std::is_void_v<typename result_of<R>::type> ||
                         json_value<std::remove_cvref_t<typename result_of<R>::type>> ||
                         std::convertible_to<typename result_of<R>::type, std::string_view>;

/// What is known of parameters when compiled.
template <class... P>
struct parameter_list;
template <>
struct parameter_list<> {
    static constexpr bool takes_request = false;
    using values = std::tuple<>;
};
template <class First, class... P>
struct parameter_list<First, P...> {
    static constexpr bool takes_request = std::same_as<std::remove_cvref_t<First>, request>;
    using values = std::conditional_t<takes_request, std::tuple<std::remove_cvref_t<P>...>,
                                      std::tuple<std::remove_cvref_t<First>, std::remove_cvref_t<P>...>>;
};

template <class Values>
inline constexpr bool ends_with_keywords = false;
template <class... V>
requires(sizeof...(V) != 0)
inline constexpr bool ends_with_keywords<std::tuple<V...>> =
    std::same_as<std::tuple_element_t<sizeof...(V) - 1, std::tuple<V...>>, keywords>;

template <class Values, std::size_t Count>
[[nodiscard]] consteval bool are_readable() noexcept
{
    return []<std::size_t... I>(std::index_sequence<I...>) {
        return (json_value<std::tuple_element_t<I, Values>> && ...);
    }(std::make_index_sequence<Count>());
}

/// The arguments as a tuple of `Values`, of which the last may be keywords. `names` has as many as there are others, or
/// none.
template <class Values, bool HasKeywords>
[[nodiscard]] Values read_arguments(const json& arguments, const std::string_view* names)
{
    constexpr std::size_t count = std::tuple_size_v<Values> - (HasKeywords ? 1 : 0);
    const bool by_name = arguments.is_object();
    const json* found[count + 1] = {};
    std::size_t taken = 0;
    if (by_name) {
        for (std::size_t i = 0; i < count && names != nullptr; ++i) {
            const auto at = arguments.find(std::string(names[i]));
            if (at != arguments.end()) {
                found[i] = &*at;
                ++taken;
            }
        }
    } else {
        for (; taken < count && taken < arguments.size(); ++taken)
            found[taken] = &arguments[taken];
    }
    json rest;
    if constexpr (HasKeywords)
        rest = json::object();
    if (taken < arguments.size()) {
        if (!by_name)
            throw_arguments("at most " + std::to_string(count) + " arguments are wanted and not " +
                            std::to_string(arguments.size()));
        for (const auto& [key, value] : arguments.items()) {
            bool is_known = false;
            for (std::size_t i = 0; i < count && names != nullptr; ++i)
                is_known = is_known || names[i] == key;
            if (is_known)
                continue;
            if (!HasKeywords)
                throw_arguments("unexpected argument '" + escaped(key, 64) + "'");
            rest[key] = value;
        }
    }
    const auto one = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        using type = std::tuple_element_t<I, Values>;
        if constexpr (I == count)
            return keywords(std::move(rest));
        else
            return read_argument<type>(found[I], names == nullptr ? std::string_view() : names[I], I);
    };
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return Values{one(std::integral_constant<std::size_t, I>())...};
    }(std::make_index_sequence<std::tuple_size_v<Values>>());
}

template <class F, class Signature, fixed_string... Names>
class handler_of;
template <class F, class R, class... P, fixed_string... Names>
class handler_of<F, leveret::detail::handler_signature<R, P...>, Names...> final : public handler {
    using list = parameter_list<P...>;
    using values = typename list::values;
    static constexpr bool has_keywords = ends_with_keywords<values>;
    static constexpr std::size_t count = std::tuple_size_v<values> - (has_keywords ? 1 : 0);
    static constexpr bool has_names = sizeof...(Names) != 0;
    static constexpr bool awaits = is_awaitable<R>;

    static_assert(are_readable<values, count>(),
                  "leveret: a handler's parameter is neither const lv::rpc::request& (the first), nor a type that JSON "
                  "is read to, nor lv::rpc::keywords (the last)");
    static_assert(!has_names || sizeof...(Names) == count, "leveret: a handler has as many names as parameters");
    static_assert(handler_result<R>, "leveret: a handler returns a type that JSON is made of, or nothing, or an "
                                     "asio::awaitable of such");

public:
    explicit handler_of(F f) : handler(awaits, count != 0 && !has_names), function_(std::move(f)) {}

    json call(const request& r, const json& arguments) override
    {
        if constexpr (!awaits) {
            values v = read(arguments);
            if constexpr (std::is_void_v<R>) {
                apply(r, v);
                return nullptr;
            } else {
                return json_of(apply(r, v));
            }
        } else {
            return nullptr;
        }
    }
    asio::awaitable<json> run(const request& r, const json& arguments) override
    {
        if constexpr (awaits) {
            values v = read(arguments);
            if constexpr (std::is_void_v<typename result_of<R>::type>) {
                co_await apply(r, v);
                co_return json(nullptr);
            } else {
                auto result = co_await apply(r, v);
                co_return json_of(result);
            }
        } else {
            co_return json(nullptr);
        }
    }

private:
    static values read(const json& arguments)
    {
        if constexpr (has_names) {
            constexpr std::string_view names[] = {Names.view()...};
            return read_arguments<values, has_keywords>(arguments, names);
        } else {
            return read_arguments<values, has_keywords>(arguments, nullptr);
        }
    }
    R apply(const request& r, values& v)
    {
        return std::apply(
            [&](auto&... value) -> R {
                if constexpr (list::takes_request)
                    return std::invoke(function_, r, std::move(value)...);
                else
                    return std::invoke(function_, std::move(value)...);
            },
            v);
    }

    F function_;
};

} // namespace leveret::rpc::detail
