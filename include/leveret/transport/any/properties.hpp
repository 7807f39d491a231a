#pragma once

#include "leveret/core/properties.hpp"
#include "leveret/transport/concept.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>

namespace leveret {

namespace detail {

/// What any_properties asks of the properties that it shows.
struct property_operations {
    bool (*has)(const void*, property);
    std::string_view (*text)(const void*, property);
    std::uint8_t (*octet)(const void*, property);
    leveret::timestamp (*timestamp)(const void*);
};

template <message_properties P>
[[nodiscard]] std::string_view text_of(const P& p, property which)
{
    switch (which) {
    case property::content_type: return p.content_type();
    case property::content_encoding: return p.content_encoding();
    case property::correlation_id: return p.correlation_id();
    case property::reply_to: return p.reply_to();
    case property::expiration: return p.expiration();
    case property::message_id: return p.message_id();
    case property::type: return p.type();
    case property::user_id: return p.user_id();
    case property::app_id: return p.app_id();
    case property::cluster_id:
        if constexpr (requires { { p.cluster_id() } -> std::same_as<std::string_view>; })
            return p.cluster_id();
        else
            return {};
    default: return {};
    }
}

/// What lies in an any_properties is a pointer to P, or a P.
template <message_properties P, bool is_pointer>
struct shown_properties {
    [[nodiscard]] static const P& of(const void* held) noexcept
    {
        if constexpr (is_pointer)
            return **static_cast<const P* const*>(held);
        else
            return *std::launder(static_cast<const P*>(held));
    }
    static constexpr property_operations operations{
        .has = [](const void* held, property p) { return of(held).has(p); },
        .text = [](const void* held, property p) { return text_of(of(held), p); },
        .octet =
            [](const void* held, property p) {
                return p == property::priority ? of(held).priority() : of(held).delivery_mode();
            },
        .timestamp = [](const void* held) { return of(held).timestamp(); },
    };
};

} // namespace detail

/// A view of the properties of a message where they lie, whatever the transport: each is looked up when asked for,
/// empty or 0 when absent. A small value; valid as long as what it was asked of.
class any_properties {
public:
    any_properties() noexcept : any_properties(none()) {}
    /// Properties that stay where they are: refers to them.
    template <class P>
        requires(!std::is_same_v<P, any_properties>) && message_properties<P>
    explicit any_properties(const P& p) noexcept
        : operations_(&detail::shown_properties<P, true>::operations)
    {
        ::new (static_cast<void*>(held_)) const P*(std::addressof(p));
    }
    /// A view itself: keeps a copy.
    template <class P>
        requires(!std::is_reference_v<P> && !std::is_same_v<P, any_properties>) && message_properties<P>
    explicit any_properties(P&& p) noexcept
        : operations_(&detail::shown_properties<P, false>::operations)
    {
        static_assert(sizeof(P) <= sizeof(held_) && std::is_trivially_copyable_v<P>,
                      "the properties() of a delivery must be a reference, or a trivially copyable view of at most "
                      "three pointers");
        ::new (static_cast<void*>(held_)) P(p);
    }

    [[nodiscard]] bool has(property p) const { return operations_->has(held_, p); }
    /// The bits of those that are set, as in a content header.
    [[nodiscard]] std::uint16_t flags() const
    {
        unsigned bits = 0;
        for (unsigned bit = 1U << 15U; bit > 2; bit >>= 1U)
            if (has(static_cast<property>(bit)))
                bits |= bit;
        return static_cast<std::uint16_t>(bits);
    }
    [[nodiscard]] std::string_view content_type() const { return text(property::content_type); }
    [[nodiscard]] std::string_view content_encoding() const { return text(property::content_encoding); }
    [[nodiscard]] std::uint8_t delivery_mode() const { return octet(property::delivery_mode); }
    [[nodiscard]] bool is_persistent() const { return delivery_mode() == 2; }
    [[nodiscard]] std::uint8_t priority() const { return octet(property::priority); }
    [[nodiscard]] std::string_view correlation_id() const { return text(property::correlation_id); }
    [[nodiscard]] std::string_view reply_to() const { return text(property::reply_to); }
    [[nodiscard]] std::string_view expiration() const { return text(property::expiration); }
    [[nodiscard]] std::string_view message_id() const { return text(property::message_id); }
    [[nodiscard]] leveret::timestamp timestamp() const { return operations_->timestamp(held_); }
    [[nodiscard]] std::string_view type() const { return text(property::type); }
    [[nodiscard]] std::string_view user_id() const { return text(property::user_id); }
    [[nodiscard]] std::string_view app_id() const { return text(property::app_id); }
    [[nodiscard]] std::string_view cluster_id() const { return text(property::cluster_id); }

private:
    [[nodiscard]] static const properties& none() noexcept
    {
        static const properties nothing;
        return nothing;
    }
    [[nodiscard]] std::string_view text(property p) const { return operations_->text(held_, p); }
    [[nodiscard]] std::uint8_t octet(property p) const { return operations_->octet(held_, p); }

    const detail::property_operations* operations_;
    alignas(void*) unsigned char held_[3 * sizeof(void*)] = {};
};

static_assert(message_properties<any_properties>);

} // namespace leveret
