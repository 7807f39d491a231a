#pragma once

#include "leveret/core/fixed_string.hpp"
#include "leveret/dispatch/signature.hpp"
#include "leveret/routing/topic_pattern.hpp"

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace leveret {

namespace detail {

template <class F>
inline constexpr bool is_member_handler = std::is_member_function_pointer_v<F>;

template <class F>
struct class_of_member;
template <class F, class C>
struct class_of_member<F C::*> {
    using type = C;
};

/// A handler that is known when the program is compiled: a function, or a lambda without captures.
template <auto Handler>
struct constant_handler {
    using handler_type = std::remove_cv_t<decltype(Handler)>;

    constant_handler() = default;
    template <class... Objects>
    explicit constexpr constant_handler(Objects&...) noexcept
    {
    }
    template <class... A>
    constexpr decltype(auto) call(A&&... arguments) const
    {
        if constexpr (std::is_invocable_v<const handler_type&, A...>) {
            return Handler(std::forward<A>(arguments)...);
        } else {
            // A coroutine would use the copy, which is gone when it runs: one without members uses nothing of it.
            static_assert(std::is_empty_v<handler_type>,
                          "leveret: a handler that is a constant and has members must be callable as const");
            handler_type handler = Handler; // a mutable lambda, which has nothing to change
            return handler(std::forward<A>(arguments)...);
        }
    }
};

/// A handler that is a member of an object, to which it refers.
template <auto Handler>
requires is_member_handler<decltype(Handler)>
struct constant_handler<Handler> {
    using handler_type = std::remove_cv_t<decltype(Handler)>;
    using object_type = typename class_of_member<handler_type>::type;

    template <class... Objects>
    explicit constexpr constant_handler(Objects&... objects) noexcept
    {
        static_assert((std::is_convertible_v<Objects*, object_type*> || ...),
                      "leveret: a handler is a member of a class of which the dispatcher was given no object");
        (take(objects), ...);
    }
    template <class... A>
    constexpr decltype(auto) call(A&&... arguments) const
    {
        return (object_->*Handler)(std::forward<A>(arguments)...);
    }

private:
    template <class O>
    constexpr void take(O& object) noexcept
    {
        if constexpr (std::is_convertible_v<O*, object_type*>)
            object_ = object_ == nullptr ? &object : object_;
    }
    object_type* object_ = nullptr;
};

/// A handler that is an object. One that can't be called as const (a mutable lambda) is changed by its calls.
template <class F>
struct held_handler {
    using handler_type = F;

    explicit constexpr held_handler(F f) : handler(std::move(f)) {}
    template <class... A>
    constexpr decltype(auto) call(A&&... arguments) const
    {
        if constexpr (std::is_invocable_v<const F&, A...>)
            return std::as_const(handler)(std::forward<A>(arguments)...);
        else
            return handler(std::forward<A>(arguments)...);
    }
    mutable F handler;
};

template <class Pattern, class Holder, bool IsLast>
class dispatch_case : public Holder {
public:
    using pattern = Pattern;
    static constexpr bool is_otherwise = IsLast;
    using Holder::Holder;

private:
    static_assert(check_handler<typename Holder::handler_type, Pattern::wildcards>());
};

template <class C>
concept dispatch_case_type = requires
{
    typename C::pattern;
    typename C::handler_type;
    {
        C::is_otherwise
        } -> std::convertible_to<bool>;
};

} // namespace detail

/// A case of a dispatcher: messages whose key matches the pattern go to the handler, which is a function, a lambda
/// without captures, or a member function of an object that the dispatcher is given. What handlers take and return:
/// see `dispatch`.
template <fixed_string Pattern, auto Handler>
struct on : detail::dispatch_case<topic_pattern<Pattern>, detail::constant_handler<Handler>, false> {
    using detail::dispatch_case<topic_pattern<Pattern>, detail::constant_handler<Handler>,
                                false>::dispatch_case;
};

/// The last case of a dispatcher: what no pattern matches. As `on<"#", Handler>`: its one word is the whole key.
template <auto Handler>
struct otherwise : detail::dispatch_case<topic_pattern<"#">, detail::constant_handler<Handler>, true> {
    using detail::dispatch_case<topic_pattern<"#">, detail::constant_handler<Handler>, true>::dispatch_case;
};

/// A case whose handler is an object with state, such as a lambda with captures, which the dispatcher holds:
///
///     lv::dispatch logs(lv::handle<"kern.*">([&](const auto& delivery) { ... }),
///                       lv::handle_otherwise([&](std::string_view key) { ... }));
template <fixed_string Pattern, class F>
[[nodiscard]] constexpr auto handle(F handler)
{
    using holder = detail::held_handler<F>;
    return detail::dispatch_case<topic_pattern<Pattern>, holder, false>(std::move(handler));
}
/// The last case of a dispatcher, with a handler that is an object.
template <class F>
[[nodiscard]] constexpr auto handle_otherwise(F handler)
{
    using holder = detail::held_handler<F>;
    return detail::dispatch_case<topic_pattern<"#">, holder, true>(std::move(handler));
}

} // namespace leveret
