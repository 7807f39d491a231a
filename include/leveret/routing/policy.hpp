#pragma once

#include "leveret/core/pod_vector.hpp"
#include "leveret/core/properties.hpp"
#include "leveret/core/table.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace leveret::routing {

/// One binding, as a router sees it: where it leads, and two words in which the router remembers where
/// it keeps the binding, so that taking it out costs the same however many there are. It stays at its
/// address while it is in a router; whoever keeps bindings derives from it.
struct binding {
    explicit binding(void* where) noexcept : target(where) {}

    void* target;             ///< given to visitors; the router never looks at it
    void* place = nullptr;    ///< the router's
    std::size_t position = 0; ///< the router's
};

/// The targets of bindings that match together, side by side, since a fanout reads nothing else.
class target_list {
public:
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    /// Throws std::bad_alloc, and then nothing has changed.
    void add(binding& b)
    {
        entries_.push_back({b.target, &b});
        b.position = entries_.size() - 1;
    }
    /// The last one takes the place: the order of targets means nothing.
    void remove(const binding& b) noexcept
    {
        entries_[b.position] = entries_.back();
        entries_[b.position].owner->position = b.position;
        entries_.pop_back();
    }
    template <class Visit>
    void visit(Visit&& visit) const
    {
        for (const entry& e : entries_)
            visit(e.target);
    }
    /// Begins to fetch what `visit` will read.
    void prefetch() const noexcept { __builtin_prefetch(entries_.begin()); }
    [[nodiscard]] void* operator[](std::size_t i) const noexcept { return entries_[i].target; }
    template <class Visit>
    void visit_bindings(Visit&& visit) const
    {
        for (const entry& e : entries_)
            visit(*e.owner);
    }

private:
    struct entry {
        void* target;
        binding* owner;
        friend bool operator==(const entry&, const entry&) = default;
    };
    pod_vector<entry> entries_;
};

/// A message, for routers that look at more than one key and the headers. Valid while it is routed.
struct message_view {
    std::string_view routing_key;
    const leveret::properties& properties;
    /// Keys beside the first (RabbitMQ's CC and BCC headers).
    std::span<const std::string> further_keys = {};

    [[nodiscard]] const table& headers() const noexcept { return properties.headers(); }
};

/// What an exchange gives the router that it is made with. Valid during that construction.
struct router_context {
    const table& arguments; ///< of the exchange
    std::uint64_t seed = 0; ///< another one for each exchange, which clients can't know
};

/// What a visitor of routes may look like, for checking the concept.
struct any_visitor {
    void operator()(void* target) const;
};

template <class R>
concept takes_context = std::constructible_from<R, const router_context&>;
template <class R>
concept routes_keys = requires(R r, std::string_view key, const table& headers, any_visitor& v) {
    r.route(key, headers, v);
};
template <class R>
concept routes_messages = requires(R r, const message_view& m, any_visitor& v) { r.route(m, v); };

/// A router holds the bindings of one exchange and finds those that a message matches.
///
/// `add(key, arguments, binding)` may throw std::bad_alloc and then has changed nothing; the same binding is not
/// added twice. `remove(key, arguments, binding)` gets the key and the arguments with which it was added, and does
/// not throw. `route` calls the visitor with the target of every binding that matches (a target several times if
/// several do), allocates nothing, and costs no more for bindings that don't match. It is one of
///
///     route(std::string_view key, const table& headers, visit)   once for each key of a message
///     route(const message_view& message, visit)                  once for a message, with all that it has
///
/// A router is default-constructible, or constructible from `const router_context&`. It may have a function
/// `refusal(key, arguments) const` that returns why what it holds leaves no room for a binding, or an empty text.
template <class R>
concept router = (std::default_initializable<R> || takes_context<R>) &&
                 requires(R r, std::string_view key, const table& t, binding& b) {
                     r.add(key, t, b);
                     { r.remove(key, t, b) } noexcept;
                 } && (routes_keys<R> || routes_messages<R>);

/// A routing policy is a type of exchange: its name on the wire and its router.
///
/// It may have static functions that return why something makes no sense, or an empty text:
/// `refusal(arguments)` or `refusal(key, arguments)` of a binding, `exchange_refusal(arguments)` of an exchange.
/// What is refused gets 406 with that text.
template <class P>
concept policy = requires {
    { P::name } -> std::convertible_to<std::string_view>;
    typename P::router;
} && router<typename P::router>;

/// Whether a policy says `static constexpr bool is_stable = true`: as long as the bindings stay the same, messages
/// without headers and with the same key go to the same targets. The broker then remembers where they went.
template <class P>
inline constexpr bool is_stable = false;
template <class P>
    requires requires { P::is_stable; }
inline constexpr bool is_stable<P> = P::is_stable;

/// What a policy has against a binding; empty if nothing.
template <policy P>
[[nodiscard]] std::string refusal_of([[maybe_unused]] std::string_view key,
                                     [[maybe_unused]] const table& arguments)
{
    if constexpr (requires { P::refusal(key, arguments); })
        return P::refusal(key, arguments);
    else if constexpr (requires { P::refusal(arguments); })
        return P::refusal(arguments);
    else
        return {};
}

/// What a policy has against the arguments of an exchange; empty if nothing.
template <policy P>
[[nodiscard]] std::string exchange_refusal_of([[maybe_unused]] const table& arguments)
{
    if constexpr (requires { P::exchange_refusal(arguments); })
        return P::exchange_refusal(arguments);
    else
        return {};
}

/// What a router has against one more binding; empty if nothing.
template <router R>
[[nodiscard]] std::string refusal_of([[maybe_unused]] const R& r,
                                     [[maybe_unused]] std::string_view key,
                                     [[maybe_unused]] const table& arguments)
{
    if constexpr (requires { r.refusal(key, arguments); })
        return r.refusal(key, arguments);
    else
        return {};
}

template <router R>
[[nodiscard]] R make_router([[maybe_unused]] const router_context& c)
{
    if constexpr (takes_context<R>)
        return R(c);
    else
        return R();
}

/// Routes a message, whichever kind of router it is.
template <router R, class Visit>
void route(R& r, const message_view& m, Visit& visit)
{
    if constexpr (routes_messages<R>) {
        r.route(m, visit);
    } else {
        r.route(m.routing_key, m.headers(), visit);
        for (const std::string& key : m.further_keys)
            r.route(key, m.headers(), visit);
    }
}

} // namespace leveret::routing
