#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/dispatch/signature.hpp"

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leveret::detail {

[[nodiscard]] constexpr std::string_view key_of(std::string_view key) noexcept { return key; }
template <class D>
requires requires(const D& d) { d.routing_key(); }
[[nodiscard]] std::string_view key_of(const D& delivery) noexcept { return delivery.routing_key(); }

/// What of a delivery a handler asks for.
struct handler_wishes {
    bool delivery = false, body = false, words = false;
    bool keeps_delivery = false; // takes it by value or by rvalue reference
};

template <class... A>
struct wishes_of {
    static constexpr handler_wishes value = {
        handler_parameters<A...>::deliveries > 0, handler_parameters<A...>::bodies > 0,
        handler_parameters<A...>::words > 0,
        ((kind_of_parameter<A>() == parameter_kind::delivery && !std::is_lvalue_reference_v<A>) || ...)};
};

template <class T>
struct decoded_by {
    using type = T;
};
template <class T>
struct decoded_by<body<T>> {
    using type = T;
};
template <class... A>
struct body_parameter {
    using type = void;
};
template <class A, class... Rest>
struct body_parameter<A, Rest...> : body_parameter<Rest...> {
};
template <class A, class... Rest>
requires(kind_of_parameter<A>() == parameter_kind::body) struct body_parameter<A, Rest...> {
    using type = std::remove_cvref_t<A>;
};

/// Whether a case can be called with a delivery (or without) and a word for each wildcard (or none).
template <class Case, class Delivery, std::size_t... I>
[[nodiscard]] consteval bool takes_words(std::index_sequence<I...>) noexcept
{
    using word_list = const std::string_view[sizeof...(I) + 1];
    using handler = typename Case::handler_type;
    if constexpr (std::is_void_v<Delivery>)
        return std::is_invocable_v<const handler&, decltype(std::declval<word_list&>()[I])...> ||
               std::is_invocable_v<handler&, decltype(std::declval<word_list&>()[I])...>;
    else
        return std::is_invocable_v<const handler&, Delivery,
                                   decltype(std::declval<word_list&>()[I])...> ||
               std::is_invocable_v<handler&, Delivery, decltype(std::declval<word_list&>()[I])...>;
}

/// For a handler that is a template, or has overloads, what it can be called with: the delivery and the words before
/// the delivery, that before the words, these before nothing, and all that before a delivery by value.
template <class Case, class D>
[[nodiscard]] consteval handler_wishes wishes_of_template() noexcept
{
    constexpr bool is_key = std::same_as<std::remove_const_t<D>, std::string_view>;
    using words = std::make_index_sequence<Case::pattern::wildcards>;
    using none = std::make_index_sequence<0>;
    if constexpr (!is_key && takes_words<Case, D&>(words()))
        return {.delivery = true, .words = Case::pattern::wildcards > 0};
    else if constexpr (!is_key && takes_words<Case, D&>(none()))
        return {.delivery = true};
    else if constexpr (takes_words<Case, void>(words()))
        return {.words = Case::pattern::wildcards > 0};
    else if constexpr (!is_key && takes_words<Case, D>(words()))
        return {.delivery = true, .words = Case::pattern::wildcards > 0, .keeps_delivery = true};
    else if constexpr (!is_key && takes_words<Case, D>(none()))
        return {.delivery = true, .keeps_delivery = true};
    else
        static_assert(
            takes_words<Case, void>(none()),
            "leveret: a handler can be called with neither the delivery, nor a std::string_view for each "
            "wildcard of its pattern, nor both, nor nothing");
    return {};
}

template <class Case, class D>
[[nodiscard]] consteval handler_wishes wishes_of_case() noexcept
{
    using signature = typename signature_of<typename Case::handler_type>::type;
    if constexpr (std::is_void_v<signature>)
        return wishes_of_template<Case, D>();
    else
        return signature::template parameters<wishes_of>::value;
}

template <class Case>
[[nodiscard]] consteval auto body_type_of_case() noexcept
{
    using signature = typename signature_of<typename Case::handler_type>::type;
    if constexpr (std::is_void_v<signature>)
        return std::type_identity<void>();
    else
        return std::type_identity<typename signature::template parameters<body_parameter>::type>();
}

/// What is given to a handler: made from the delivery, and alive until the handler is done, so that a coroutine may
/// take it by reference. `Source` is the delivery's type, with an & if it is somebody else's, or std::string_view for a key.
template <class Case, class Source>
class handler_arguments {
    using source_type = std::remove_reference_t<Source>;
    using pattern = typename Case::pattern;
    using body_type = typename decltype(body_type_of_case<Case>())::type;
    struct nothing {};

    static constexpr bool is_key = std::same_as<std::remove_const_t<source_type>, std::string_view>;
    static constexpr handler_wishes wishes = wishes_of_case<Case, source_type>();
    static_assert(
        !is_key || (!wishes.delivery && !wishes.body),
        "leveret: a handler takes the delivery or its body, and the dispatcher is given a routing key alone");
    static_assert(
        !wishes.keeps_delivery || !std::is_lvalue_reference_v<Source>,
        "leveret: a handler takes the delivery by value: give it to the dispatcher with std::move, and to "
        "one handler only");

public:
    explicit handler_arguments(source_type& source)
        : source_(source), words_(captured(source)), body_(decoded(source))
    {
    }

    /// Calls the handler; once.
    decltype(auto) pass(const Case& handler)
    {
        return pass_words(handler, std::make_index_sequence < wishes.words ? pattern::wildcards : 0 > ());
    }

private:
    using word_storage = std::conditional_t<wishes.words, typename pattern::captured_words, nothing>;
    using body_storage = std::conditional_t<wishes.body, body_type, nothing>;

    [[nodiscard]] static word_storage captured(const source_type& source)
    {
        if constexpr (wishes.words)
            return pattern::captures(key_of(source)).value(); // it matches, or we would not be here
        else
            return {};
    }
    [[nodiscard]] static body_storage decoded(const source_type& source)
    {
        if constexpr (!wishes.body)
            return {};
        else if constexpr (is_key)
            return body_storage();
        else
            return body_storage(leveret::decode<typename decoded_by<body_type>::type>(source));
    }

    template <std::size_t... I>
    decltype(auto) pass_words(const Case& handler, std::index_sequence<I...>)
    {
        if constexpr (wishes.delivery && wishes.body)
            return call(handler, delivery(), std::move(body_), words_[I]...);
        else if constexpr (wishes.delivery)
            return call(handler, delivery(), words_[I]...);
        else if constexpr (wishes.body)
            return call(handler, std::move(body_), words_[I]...);
        else
            return call(handler, words_[I]...);
    }
    template <class... A>
    decltype(auto) call(const Case& handler, A&&... arguments)
    {
        using result = decltype(handler.call(std::forward<A>(arguments)...));
        static_assert(is_handler_result<result>, "leveret: a handler returns void or asio::awaitable<void>");
        return handler.call(std::forward<A>(arguments)...);
    }
    [[nodiscard]] decltype(auto) delivery() noexcept
    {
        if constexpr (wishes.keeps_delivery)
            return std::move(source_);
        else
            return (source_);
    }

    source_type& source_;
    [[no_unique_address]] word_storage words_;
    [[no_unique_address]] body_storage body_;
};

template <class Case, class Source>
using handler_result =
    decltype(std::declval<handler_arguments<Case, Source>&>().pass(std::declval<const Case&>()));

} // namespace leveret::detail
