#pragma once

#include "leveret/dispatch/case.hpp"
#include "leveret/dispatch/detail/handler_arguments.hpp"
#include "leveret/routing/topic_automaton.hpp"

#include <asio/awaitable.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace leveret::detail {

template <class... Cases>
[[nodiscard]] consteval bool is_otherwise_last() noexcept
{
    std::size_t index = 0;
    bool is_last = true;
    ((is_last = is_last && (!Cases::is_otherwise || index + 1 == sizeof...(Cases)), ++index), ...);
    return is_last;
}

/// A case that comes behind others, of which the first that matches is taken.
template <class Case, bool IsReachable>
struct case_in_order {
    static_assert(Case::is_otherwise || IsReachable,
                  "leveret: a pattern is unreachable: every key that it matches is matched by patterns before it");
    static_assert(!Case::is_otherwise || IsReachable,
                  "leveret: lv::otherwise is unreachable: the patterns before it match every key");
    static constexpr bool value = true;
};

/// Whether a case can be run; all can where all that match are.
template <bool FirstOnly, class Case, class Automaton, std::size_t I>
[[nodiscard]] consteval bool can_be_run() noexcept
{
    if constexpr (FirstOnly || Case::is_otherwise)
        return Automaton::is_reachable(I);
    else
        return true;
}

/// The rules that the cases keep together; checked before anything is made of them.
template <bool FirstOnly, class... Cases>
[[nodiscard]] consteval bool check_cases() noexcept
{
    static_assert(sizeof...(Cases) > 0, "leveret: a dispatcher has no cases");
    if constexpr (sizeof...(Cases) == 0) {
    } else if constexpr (!(dispatch_case_type<Cases> && ...)) {
        static_assert((dispatch_case_type<Cases> && ...),
                      "leveret: a dispatcher is made of cases: lv::on<...> and lv::otherwise<...>");
    } else if constexpr (!is_otherwise_last<Cases...>()) {
        static_assert(is_otherwise_last<Cases...>(),
                      "leveret: lv::otherwise is the last case of a dispatcher, and there is one at most");
    } else {
        using automaton = topic_automaton<typename Cases::pattern...>;
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (case_in_order<Cases, can_be_run<FirstOnly, Cases, automaton, I>()>::value && ...);
        }(std::make_index_sequence<sizeof...(Cases)>());
    }
    return true;
}

/// The cases of a dispatcher, and how one of them is run.
template <class... Cases>
class case_list {
public:
    static constexpr std::size_t size = sizeof...(Cases);
    static constexpr bool has_otherwise = (Cases::is_otherwise || ...);
    static constexpr bool is_plain = (!is_coroutine<typename Cases::handler_type>() && ...);
    using automaton = topic_automaton<typename Cases::pattern...>;

    case_list() = default;
    explicit constexpr case_list(std::tuple<Cases...> cases) : cases_(std::move(cases)) {}

    /// Runs the handler of a case. The coroutine refers to this; it owns the delivery or refers to it, as `Source` says.
    template <class Source>
    [[nodiscard]] asio::awaitable<bool> run(std::size_t index, std::type_identity_t<Source>&& source) const
    {
        static constexpr auto table = runners<Source>(std::make_index_sequence<size>());
        return table[index](*this, std::forward<Source>(source));
    }
    template <class Source>
    void call(std::size_t index, std::type_identity_t<Source>&& source) const
    {
        static constexpr auto table = callers<Source>(std::make_index_sequence<size>());
        table[index](*this, std::forward<Source>(source));
    }

private:
    template <std::size_t I>
    using case_at = std::tuple_element_t<I, std::tuple<Cases...>>;

    template <std::size_t I, class Source>
    static asio::awaitable<bool> run_case(const case_list& self, Source source)
    {
        const auto& handler = std::get<I>(self.cases_);
        handler_arguments<case_at<I>, Source> arguments(source);
        if constexpr (std::is_void_v<handler_result<case_at<I>, Source>>) {
            arguments.pass(handler);
        } else {
            auto running = arguments.pass(handler);
            co_await std::move(running);
        }
        co_return true;
    }
    template <std::size_t I, class Source>
    static void call_case(const case_list& self, Source&& source)
    {
        static_assert(std::is_void_v<handler_result<case_at<I>, Source>>,
                      "leveret: a handler is a coroutine: co_await the dispatcher instead of using call()");
        handler_arguments<case_at<I>, Source>(source).pass(std::get<I>(self.cases_));
    }
    template <class Source, std::size_t... I>
    [[nodiscard]] static consteval auto runners(std::index_sequence<I...>) noexcept
    {
        using runner = asio::awaitable<bool> (*)(const case_list&, Source);
        return std::array<runner, size>{&case_list::template run_case<I, Source>...};
    }
    template <class Source, std::size_t... I>
    [[nodiscard]] static consteval auto callers(std::index_sequence<I...>) noexcept
    {
        using caller = void (*)(const case_list&, Source&&);
        return std::array<caller, size>{&case_list::template call_case<I, Source>...};
    }

    std::tuple<Cases...> cases_;
};

} // namespace leveret::detail
