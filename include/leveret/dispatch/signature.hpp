#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/core/detail/signature.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leveret {

/// The body of a delivery as a `T`, for a handler's parameter. `T` alone does, too, but where it would be taken for
/// something else: `body<std::string_view>` is the text of the body, std::string_view a word of the routing key.
template <decodable T>
class body {
public:
    explicit body(T value) : value_(std::move(value)) {}

    [[nodiscard]] const T& operator*() const& noexcept { return value_; }
    [[nodiscard]] T&& operator*() && noexcept { return std::move(value_); }
    [[nodiscard]] const T* operator->() const noexcept { return &value_; }

private:
    T value_;
};

namespace detail {

template <class T>
inline constexpr bool is_body = false;
template <class T>
inline constexpr bool is_body<body<T>> = true;

enum class parameter_kind { delivery, body, word, unknown };

template <class A>
[[nodiscard]] consteval parameter_kind kind_of_parameter() noexcept
{
    using plain = std::remove_cvref_t<A>;
    if constexpr (std::same_as<plain, std::string_view>)
        return parameter_kind::word;
    else if constexpr (is_body<plain> || decodable<plain>)
        return parameter_kind::body;
    else if constexpr (readable_delivery<plain>)
        return parameter_kind::delivery;
    else
        return parameter_kind::unknown;
}

/// A handler's parameters: the delivery, the body, and the words, each if it wants them, in this order.
template <class... A>
struct handler_parameters {
    static constexpr std::size_t words =
        (std::size_t{0} + ... + (kind_of_parameter<A>() == parameter_kind::word));
    static constexpr std::size_t bodies =
        (std::size_t{0} + ... + (kind_of_parameter<A>() == parameter_kind::body));
    static constexpr std::size_t deliveries =
        (std::size_t{0} + ... + (kind_of_parameter<A>() == parameter_kind::delivery));
    static constexpr bool are_known = words + bodies + deliveries == sizeof...(A);

    [[nodiscard]] static consteval bool are_in_order() noexcept
    {
        [[maybe_unused]] parameter_kind last = parameter_kind::delivery;
        bool in_order = true;
        ((in_order = in_order && kind_of_parameter<A>() >= last, last = kind_of_parameter<A>()), ...);
        return in_order && bodies <= 1 && deliveries <= 1;
    }
};

template <class R>
inline constexpr bool is_handler_result = std::is_void_v<R> || std::same_as<R, asio::awaitable<void>>;

/// The rules that a handler of a pattern with so many wildcards keeps, where its signature can be seen. Each
/// that it breaks is an error with a sentence.
template <class F, std::size_t Wildcards>
[[nodiscard]] consteval bool check_handler() noexcept
{
    using signature = typename signature_of<F>::type;
    if constexpr (!std::is_void_v<signature>) {
        using parameters = typename signature::template parameters<handler_parameters>;
        static_assert(
            parameters::are_known,
            "leveret: a handler's parameter is neither a delivery, nor a type that lv::codec knows, nor "
            "std::string_view for a word");
        static_assert(
            !parameters::are_known || parameters::are_in_order(),
            "leveret: a handler takes the delivery first, then the body, then the words, and each once");
        static_assert(
            parameters::words == 0 || parameters::words == Wildcards,
            "leveret: a handler takes a std::string_view for each wildcard of its pattern, or none; for "
            "the body as text it takes lv::body<std::string_view> or std::string");
        static_assert(is_handler_result<typename signature::result>,
                      "leveret: a handler returns void or asio::awaitable<void>");
    }
    return true;
}

/// Whether it is known to be a coroutine.
template <class F>
[[nodiscard]] consteval bool is_coroutine() noexcept
{
    using signature = typename signature_of<F>::type;
    if constexpr (std::is_void_v<signature>)
        return false;
    else
        return std::same_as<typename signature::result, asio::awaitable<void>>;
}

} // namespace detail

} // namespace leveret
