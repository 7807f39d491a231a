#pragma once

#include "leveret/core/pod_vector.hpp"
#include "leveret/core/table.hpp"

#include <concepts>
#include <cstddef>
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

/// What a visitor of routes may look like, for checking the concept.
struct any_visitor {
    void operator()(void* target) const;
};

/// A router holds the bindings of one exchange and finds those that a message matches.
///
/// `add` may throw std::bad_alloc and then has changed nothing; the same binding is not added twice.
/// `remove` gets the key and the arguments with which the binding was added. `route` calls the visitor
/// with the target of every binding that matches (a target several times if several do), allocates
/// nothing, and costs no more for bindings that don't match. `headers` is never null.
template <class R>
concept router = std::default_initializable<R> &&
                 requires(R r, std::string_view key, const table& t, binding& b, any_visitor& v) {
                     r.add(key, t, b);
                     { r.remove(key, t, b) } noexcept;
                     r.route(key, t, v);
                 };

/// A routing policy is a type of exchange: its name on the wire and its router. It may have a static
/// function `refusal(arguments)` that returns why bindings with these arguments make no sense, or an
/// empty text.
template <class P>
concept policy = requires {
    { P::name } -> std::convertible_to<std::string_view>;
    typename P::router;
} && router<typename P::router>;

/// What a policy has against a binding's arguments; empty if nothing.
template <policy P>
[[nodiscard]] std::string refusal_of([[maybe_unused]] const table& arguments)
{
    if constexpr (requires { P::refusal(arguments); })
        return P::refusal(arguments);
    else
        return {};
}

} // namespace leveret::routing
