#pragma once

#include "leveret/dispatch/detail/case_list.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace leveret {

namespace detail {

/// What has a routing key: a delivery.
template <class D>
concept dispatchable = requires(const std::remove_cvref_t<D>& d)
{
    {
        d.routing_key()
        } -> std::convertible_to<std::string_view>;
};

} // namespace detail

/// Gives each delivery to the handler of the first pattern that its routing key matches. Which one that is, an
/// automaton decides that is made when the program is compiled. A pattern that can't be first for any key does not compile.
///
///     lv::dispatch<lv::on<"kern.*", on_kernel>, lv::on<"*.critical", &logger::alarm>, lv::otherwise<ignore>> logs(logger);
///     while (auto delivery = co_await stream.next())
///         co_await logs(*delivery);
///
/// A handler is a plain function (returns void) or a coroutine (returns asio::awaitable<void>), and takes what
/// it wants of these, in this order:
///
/// - the delivery, as a reference; by value only if the dispatcher was given it with std::move;
/// - the body, as a type that lv::codec knows, or as lv::body<T>; decoded before the handler is called;
/// - a std::string_view for each wildcard of its pattern: the word that `*` matched, or the words of `#` (topic_pattern).
///
/// What it is given by reference or as a view lives until a coroutine is done. A handler that is a template
/// (`auto` parameters) takes the delivery, by value too, the words, or both. Settling a delivery is the handler's, or the caller's.
///
/// Handlers that are members of objects need these objects (`logs(logger)`): they must outlive the dispatcher.
/// Handlers that are objects are held by it: see `handle`.
///
/// Thread safety: as its handlers; itself it is not changed by a call, but for handlers that are mutable. It can be
/// copied and moved if they can.
template <class... Cases>
class dispatch {
    static_assert(detail::check_cases<true, Cases...>());
    using cases = detail::case_list<Cases...>;

public:
    dispatch() = default;
    /// With an object for each class of which a handler is a member.
    template <class... Objects>
    requires(sizeof...(Objects) > 0) &&
        (!detail::dispatch_case_type<Objects> && ...) explicit constexpr dispatch(Objects&... objects) noexcept
        : cases_(std::tuple<Cases...>(Cases(objects...)...))
    {
    }
    explicit constexpr dispatch(Cases... list) requires(sizeof...(Cases) > 0)
        : cases_(std::tuple<Cases...>(std::move(list)...))
    {
    }

    /// How many cases there are.
    static constexpr std::size_t size = sizeof...(Cases);
    /// The index of the case that takes this key; `size` if none does.
    [[nodiscard]] static constexpr std::size_t index_of(std::string_view key) noexcept
    {
        return cases::automaton::first(key);
    }

    /// Runs the handler for the delivery. Completes when it is done, with whether there was one. The delivery
    /// and the dispatcher must live until then; a delivery that is given with std::move is kept. Throws what the
    /// handler throws, and decode_error if the body is not what the handler takes.
    template <detail::dispatchable D>
    [[nodiscard]] asio::awaitable<bool> operator()(D&& delivery) const
    {
        const std::size_t index = index_of(delivery.routing_key());
        return index < size ? cases_.template run<D>(index, std::forward<D>(delivery)) : nobody();
    }
    /// The same with a key alone, for handlers that take neither delivery nor body.
    [[nodiscard]] asio::awaitable<bool> operator()(std::string_view key) const
    {
        const std::size_t index = index_of(key);
        return index < size ? cases_.template run<std::string_view>(index, std::move(key)) : nobody();
    }

    /// The same at once, where no handler is a coroutine.
    template <detail::dispatchable D>
    bool call(D&& delivery) const
    {
        check_plain();
        const std::size_t index = index_of(delivery.routing_key());
        if (index < size)
            cases_.template call<D>(index, std::forward<D>(delivery));
        return index < size;
    }
    bool call(std::string_view key) const
    {
        check_plain();
        const std::size_t index = index_of(key);
        if (index < size)
            cases_.template call<std::string_view>(index, std::move(key));
        return index < size;
    }

private:
    static asio::awaitable<bool> nobody() { co_return false; }
    static constexpr void check_plain() noexcept
    {
        static_assert(cases::is_plain,
                      "leveret: a handler is a coroutine: co_await the dispatcher instead of using call()");
    }

    cases cases_;
};

template <detail::dispatch_case_type... Cases>
dispatch(Cases...) -> dispatch<Cases...>;

/// Gives each delivery to the handlers of all patterns that its routing key matches, one after the other, in the
/// order of the cases; `otherwise` gets what no pattern matches. Else as `dispatch`; no handler may take the
/// delivery by value. When a handler throws, those behind it are not run.
template <class... Cases>
class dispatch_all {
    static_assert(detail::check_cases<false, Cases...>());
    using cases = detail::case_list<Cases...>;
    using matches = typename cases::automaton::matches;

public:
    dispatch_all() = default;
    /// With an object for each class of which a handler is a member.
    template <class... Objects>
    requires(sizeof...(Objects) > 0) && (!detail::dispatch_case_type<Objects> &&
                                         ...) explicit constexpr dispatch_all(Objects&... objects) noexcept
        : cases_(std::tuple<Cases...>(Cases(objects...)...))
    {
    }
    explicit constexpr dispatch_all(Cases... list) requires(sizeof...(Cases) > 0)
        : cases_(std::tuple<Cases...>(std::move(list)...))
    {
    }

    /// Runs the handlers for the delivery. Completes when they are done, with how many there were.
    template <detail::dispatchable D>
    [[nodiscard]] asio::awaitable<std::size_t> operator()(D&& delivery) const
    {
        return run<D>(*this, std::forward<D>(delivery));
    }
    /// The same with a key alone, for handlers that take neither delivery nor body.
    [[nodiscard]] asio::awaitable<std::size_t> operator()(std::string_view key) const
    {
        return run<std::string_view>(*this, key);
    }

    /// The same at once, where no handler is a coroutine.
    template <detail::dispatchable D>
    std::size_t call(D&& delivery) const
    {
        return call_each(delivery);
    }
    std::size_t call(std::string_view key) const { return call_each(key); }

private:
    static constexpr std::size_t size = sizeof...(Cases);

    /// `otherwise` matches everything and is for what nothing else matches.
    [[nodiscard]] static constexpr bool is_for(std::size_t index, std::size_t done) noexcept
    {
        return !cases::has_otherwise || index + 1 < size || done == 0;
    }
    template <class Source>
    static asio::awaitable<std::size_t> run(const dispatch_all& self, Source source)
    {
        std::size_t done = 0;
        for (matches rest(detail::key_of(source)); !rest.empty();) {
            const std::size_t index = rest.take();
            if (!is_for(index, done))
                continue;
            co_await self.cases_.template run<std::remove_reference_t<Source>&>(index, source);
            ++done;
        }
        co_return done;
    }
    template <class Source>
    std::size_t call_each(Source& source) const
    {
        static_assert(cases::is_plain,
                      "leveret: a handler is a coroutine: co_await the dispatcher instead of using call()");
        std::size_t done = 0;
        for (matches rest(detail::key_of(source)); !rest.empty();) {
            const std::size_t index = rest.take();
            if (!is_for(index, done))
                continue;
            cases_.template call<Source&>(index, source);
            ++done;
        }
        return done;
    }

    cases cases_;
};

template <detail::dispatch_case_type... Cases>
dispatch_all(Cases...) -> dispatch_all<Cases...>;

} // namespace leveret
