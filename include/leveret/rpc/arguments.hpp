#pragma once

#include "leveret/io/config.hpp"

#include "leveret/core/detail/signature.hpp"
#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/core/fixed_string.hpp"
#include "leveret/json/convert.hpp"
#include "leveret/json/value.hpp"

#include <asio/awaitable.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leveret::rpc {

class request;

/// A named argument of a call: see rpc::arg.
template <class T>
class named_argument {
public:
    named_argument(std::string_view name, const T& value) noexcept : name_(name), value_(&value) {}
    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] const T& value() const noexcept { return *value_; }

private:
    std::string_view name_;
    const T* value_;
};

/// `client.call<int>("add", lv::rpc::arg("a", 1), lv::rpc::arg("b", 2))`. Refers to the value: for use in the call alone.
template <class T>
[[nodiscard]] named_argument<T> arg(std::string_view name, const T& value) noexcept
{
    static_assert(json_value<T> || std::convertible_to<const T&, std::string_view>,
                  "leveret: an argument is text or a value that JSON can be made of");
    return {name, value};
}

/// As a handler's last parameter, the named arguments that no other parameter takes; as a call's only argument, all of
/// them, when their names are known at run time alone.
class keywords {
public:
    keywords() = default;
    /// Throws usage_error if it is no object.
    explicit keywords(json values) : values_(std::move(values))
    {
        if (!values_.is_object())
            throw_invalid_argument("rpc: keywords are an object of JSON");
    }
    [[nodiscard]] const json& values() const& noexcept { return values_; }
    [[nodiscard]] json&& values() && noexcept { return std::move(values_); }

private:
    json values_ = json::object();
};

namespace detail {

// Arguments are written as JSON without a tree of it in between.

template <class T>
concept integer = std::integral<T> && json_value<T> && !std::same_as<T, bool>;

/// The most usual arguments, without a std::string that grows.
template <integer... T>
[[nodiscard]] std::string list_of(T... values)
{
    std::array<char, 2 + sizeof...(T) * 21> text{}; // 20 digits, or 19 and a sign, and what stands before them
    char* end = text.data();
    char before = '[';
    ((*end++ = std::exchange(before, ','), end = std::to_chars(end, text.data() + text.size() - 1, values).ptr), ...);
    *end++ = ']';
    return {text.data(), end};
}

template <class T>
void append_value(std::string& out, const T& value)
{
    if constexpr (std::same_as<T, std::nullptr_t>) {
        out += "null";
    } else if constexpr (integer<T>) {
        leveret::detail::append_integer(out, value);
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
        leveret::detail::append_json_text(out, value);
    } else {
        leveret::detail::append_json(out, json_of(value));
    }
}
template <class T>
void append_element(std::string& out, const T& value)
{
    out += out.empty() ? '[' : ',';
    append_value(out, value);
}
template <class T>
void append_member(std::string& out, std::string_view name, const T& value)
{
    out += out.empty() ? '{' : ',';
    leveret::detail::append_json_text(out, name);
    out += ':';
    append_value(out, value);
}
inline void check_names(std::initializer_list<std::string_view> names)
{
    for (auto a = names.begin(); a != names.end(); ++a)
        if (std::find(names.begin(), a, *a) != a)
            throw_invalid_argument("rpc: the argument '" + escaped(*a, 64) + "' is given twice");
}
[[nodiscard]] inline std::string closed(std::string out, bool is_object)
{
    if (out.empty())
        out += is_object ? '{' : '[';
    out += is_object ? '}' : ']';
    return out;
}

/// What is in an optional, or may be.
template <class T>
struct value_in {
    using type = T;
};
template <class T>
struct value_in<std::optional<T>> : value_in<T> {};

template <class From, class To>
concept bent = (std::floating_point<From> && std::integral<To>) ||
               (std::is_arithmetic_v<From> && std::is_arithmetic_v<To> &&
                (std::same_as<From, bool> != std::same_as<To, bool> || std::same_as<From, char>));
template <class From, class To>
concept cut = (std::integral<From> && std::integral<To> && !requires(From f) { To{f}; }) ||
              (std::is_arithmetic_v<From> && std::floating_point<To> &&
               std::numeric_limits<To>::digits < std::numeric_limits<From>::digits);

/// Whether nothing is bent: no fraction is cut, and no number made of a truth.
template <class From, class To>
concept fits = std::convertible_to<const From&, To> && !bent<typename value_in<From>::type, typename value_in<To>::type>;
/// And whether all that there is of `From` can be a `To`.
template <class From, class To>
concept fits_whole = fits<From, To> && !cut<typename value_in<From>::type, typename value_in<To>::type>;

/// Whether a handler's parameter takes all of an interface's `A`. A coroutine must not refer to what is made for the call
/// alone: it begins later.
template <class A, class P, bool Awaits>
inline constexpr bool takes = fits_whole<A, std::remove_cvref_t<P>> &&
                              (!Awaits || !std::is_reference_v<P> || std::same_as<std::remove_cvref_t<P>, A>);

/// Whether the parameters of a handler, which may have an rpc::request before, take those of an interface; true where nobody
/// can tell.
template <class Signature, bool Awaits, class... A>
inline constexpr bool take_all = true;
template <class R, class... P, bool Awaits, class... A>
requires(sizeof...(P) == sizeof...(A))
inline constexpr bool take_all<leveret::detail::handler_signature<R, P...>, Awaits, A...> = (takes<A, P, Awaits> && ...);
template <class R, class First, class... P, bool Awaits, class... A>
requires(sizeof...(P) == sizeof...(A))
inline constexpr bool take_all<leveret::detail::handler_signature<R, First, P...>, Awaits, A...> =
    (takes<A, P, Awaits> && ...);

template <class To, class From>
[[nodiscard]] To convert(const From& value)
{
    if constexpr (std::same_as<From, To>) {
        return value;
    } else if constexpr (leveret::detail::is_json_optional<To> && !std::same_as<From, std::nullopt_t>) {
        using inner = typename To::value_type;
        if constexpr (leveret::detail::is_json_optional<From>)
            return value ? To(convert<inner>(*value)) : To();
        else
            return To(convert<inner>(value));
    } else if constexpr (std::integral<From> && std::integral<To> && fits<From, To> && !std::same_as<From, bool>) {
        if (!std::in_range<To>(value))
            throw_invalid_argument("rpc: a value is out of the range that the interface has for it");
        return static_cast<To>(value);
    } else if constexpr (std::floating_point<From> && std::floating_point<To>) {
        if (std::isfinite(value) && !std::isfinite(static_cast<To>(value)))
            throw_invalid_argument("rpc: a value is out of the range that the interface has for it");
        return static_cast<To>(value);
    } else if constexpr (std::convertible_to<const From&, To>) {
        return static_cast<To>(value);
    } else {
        return To(); // it does not compile anyway, and says why elsewhere
    }
}

} // namespace detail

/// A method of an interface that client and server share: name, signature, and names of the parameters if they have
/// any. Calls and handlers that do not fit don't compile.
///
///     struct calc {
///         using add = lv::rpc::method<"add", int(int, int), "a", "b">;
///     };
///     node.add<calc::add>([](int a, int b) { return a + b; });
///     int sum = co_await client.call<calc::add>(1, 2);
template <fixed_string Name, class Signature, fixed_string... Names>
struct method;

namespace detail {

template <fixed_string... Names>
struct names {
};

} // namespace detail

template <fixed_string Name, class R, class... A, fixed_string... Names>
requires(sizeof...(Names) == 0 || sizeof...(Names) == sizeof...(A))
struct method<Name, R(A...), Names...> {
    using result = R;
    static constexpr std::string_view name = Name.view();
    static constexpr bool has_names = sizeof...(Names) != 0;
    static constexpr std::size_t arity = sizeof...(A);
    static_assert(((json_value<std::remove_cvref_t<A>>) && ...), "leveret: a parameter of rpc::method is not known to JSON");

    /// What is there of a handler: it is called with the parameters of the interface, whatever its own are, and with the
    /// request before them if it wants it. Throws usage_error for an integer that is no `R`.
    template <class F>
    requires std::invocable<F&, std::remove_cvref_t<A>...> || std::invocable<F&, const request&, std::remove_cvref_t<A>...>
    class handler {
        static constexpr bool takes_request = !std::invocable<F&, std::remove_cvref_t<A>...>;
        using given = typename std::conditional_t<takes_request, std::invoke_result<F&, const request&, std::remove_cvref_t<A>...>,
                                                  std::invoke_result<F&, std::remove_cvref_t<A>...>>::type;
        static constexpr bool awaits = std::same_as<given, asio::awaitable<R>>;
        static_assert(awaits || std::same_as<given, R> || detail::fits<std::remove_cvref_t<given>, R>,
                      "leveret: the handler returns something else than the method of the interface");
        static_assert(detail::take_all<typename leveret::detail::signature_of<F>::type, awaits, std::remove_cvref_t<A>...>,
                      "leveret: a parameter of the handler does not hold all values of that of the interface, or is a "
                      "coroutine's reference to another type");

    public:
        using result = std::conditional_t<awaits, asio::awaitable<R>, R>;
        explicit handler(F f) : function_(std::move(f)) {}
        /// The arguments outlive a coroutine's end.
        result operator()(const request& r, std::remove_cvref_t<A>&&... arguments)
        {
            const auto call = [&]() -> given {
                if constexpr (takes_request)
                    return std::invoke(function_, r, std::move(arguments)...);
                else
                    return std::invoke(function_, std::move(arguments)...);
            };
            if constexpr (awaits || std::same_as<given, R>)
                return call();
            else
                return detail::convert<R>(call());
        }

    private:
        F function_;
    };
    template <class F>
    using signature =
        leveret::detail::handler_signature<typename handler<F>::result, const request&, std::remove_cvref_t<A>...>;
    using parameter_names = detail::names<Names...>;

    /// The arguments on the wire. They are converted to the parameters' types first. Throws usage_error for an integer
    /// that does not fit.
    template <class... Given>
    [[nodiscard]] static std::string pack(const Given&... given)
    {
        static_assert(sizeof...(Given) == arity, "leveret: the method of the interface has another number of parameters");
        if constexpr (sizeof...(Given) == arity) {
            static_assert((detail::fits<Given, std::remove_cvref_t<A>> && ...),
                          "leveret: an argument is not of its parameter's type in the interface");
            return pack_converted(detail::convert<std::remove_cvref_t<A>>(given)...);
        }
    }

private:
    [[nodiscard]] static std::string pack_converted(const std::remove_cvref_t<A>&... arguments)
    {
        if constexpr (!has_names && arity != 0 && (detail::integer<std::remove_cvref_t<A>> && ...)) {
            return detail::list_of(arguments...);
        } else {
            std::string out;
            if constexpr (has_names || arity == 0)
                static_cast<void>((detail::append_member(out, Names.view(), arguments), ..., 0));
            else
                (detail::append_element(out, arguments), ...);
            return detail::closed(std::move(out), has_names || arity == 0);
        }
    }
};

namespace detail {

template <class T>
inline constexpr bool is_method = false;
template <fixed_string Name, class S, fixed_string... Names>
inline constexpr bool is_method<method<Name, S, Names...>> = true;

template <class T>
inline constexpr bool is_named_argument = false;
template <class T>
inline constexpr bool is_named_argument<named_argument<T>> = true;

template <class T>
inline constexpr bool can_be_argument =
    json_value<T> || std::convertible_to<const T&, std::string_view> || is_named_argument<T> || std::same_as<T, keywords>;

/// The arguments of a call on the wire: an object of JSON if they have names, else an array.
template <bool ByName, class... A>
[[nodiscard]] std::string pack(const A&... arguments)
{
    if constexpr (sizeof...(A) == 0) {
        return ByName ? "{}" : "[]";
    } else if constexpr ((std::same_as<A, keywords> && ...)) {
        static_assert(sizeof...(A) == 1, "leveret: rpc::keywords are all the arguments of a call");
        return json_text((arguments, ...).values());
    } else if constexpr ((is_named_argument<A> && ...)) {
        check_names({arguments.name()...});
        std::string out;
        (append_member(out, arguments.name(), arguments.value()), ...);
        return closed(std::move(out), true);
    } else {
        static_assert(!(is_named_argument<A> || ...), "leveret: of a call's arguments all have names, or none has");
        static_assert(!ByName, "leveret: this wire format passes arguments by name: call(\"add\", lv::rpc::arg(\"a\", 1))");
        if constexpr ((integer<A> && ...)) {
            return list_of(arguments...);
        } else {
            std::string out;
            (append_element(out, arguments), ...);
            return closed(std::move(out), false);
        }
    }
}

} // namespace detail

template <class M>
concept described_method = detail::is_method<M>;

} // namespace leveret::rpc
