#pragma once

#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/table.hpp"
#include "leveret/transport/any/properties.hpp"
#include "leveret/transport/concept.hpp"

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leveret {

namespace detail {

/// What any_delivery asks of the delivery that lies in it.
struct delivery_operations {
    void (*move)(void* from, void* to) noexcept; ///< leaves nothing in `from`
    void (*destroy)(void*) noexcept;
    std::string_view (*body)(const void*);
    leveret::payload (*payload)(const void*);
    leveret::message (*message)(const void*);
    any_properties (*properties)(const void*);
    table (*headers)(const void*);
    std::string_view (*exchange)(const void*);
    std::string_view (*routing_key)(const void*);
    bool (*redelivered)(const void*);
    std::uint64_t (*delivery_tag)(const void*);
    bool (*ack)(void*, ack_options);
    bool (*nack)(void*, nack_options);
    bool (*reject)(void*);
    bool (*is_settled)(const void*);
    std::uint64_t (*release)(void*);
};

/// How a delivery lies in an any_delivery: itself, or behind a pointer if it is large.
template <class D>
struct stored_delivery {
    static constexpr std::size_t room = 2 * sizeof(void*);
    static constexpr bool is_inside =
        sizeof(D) <= room && alignof(D) <= alignof(void*) && std::is_nothrow_move_constructible_v<D>;

    [[nodiscard]] static D& of(void* p) noexcept
    {
        if constexpr (is_inside)
            return *std::launder(static_cast<D*>(p));
        else
            return **static_cast<D**>(p);
    }
    [[nodiscard]] static const D& of(const void* p) noexcept { return of(const_cast<void*>(p)); }
    static void put(void* to, D&& d)
    {
        if constexpr (is_inside)
            ::new (to) D(std::move(d));
        else
            ::new (to) D*(new D(std::move(d)));
    }
    static void move(void* from, void* to) noexcept
    {
        if constexpr (is_inside) {
            D& d = of(from);
            ::new (to) D(std::move(d));
            d.~D();
        } else {
            ::new (to) D*(*static_cast<D**>(from));
        }
    }
    static void destroy(void* p) noexcept
    {
        if constexpr (is_inside)
            of(p).~D();
        else
            delete &of(p);
    }
};

template <delivery D>
inline constexpr delivery_operations operations_of_delivery{
    .move = &stored_delivery<D>::move,
    .destroy = &stored_delivery<D>::destroy,
    .body = [](const void* p) { return stored_delivery<D>::of(p).body(); },
    .payload = [](const void* p) { return stored_delivery<D>::of(p).payload(); },
    .message = [](const void* p) { return stored_delivery<D>::of(p).message(); },
    .properties = [](const void* p) { return any_properties(stored_delivery<D>::of(p).properties()); },
    .headers = [](const void* p) -> table { return stored_delivery<D>::of(p).headers(); },
    .exchange = [](const void* p) { return stored_delivery<D>::of(p).exchange(); },
    .routing_key = [](const void* p) { return stored_delivery<D>::of(p).routing_key(); },
    .redelivered = [](const void* p) { return stored_delivery<D>::of(p).redelivered(); },
    .delivery_tag = [](const void* p) { return stored_delivery<D>::of(p).delivery_tag(); },
    .ack = [](void* p, ack_options o) { return stored_delivery<D>::of(p).ack(o); },
    .nack = [](void* p, nack_options o) { return stored_delivery<D>::of(p).nack(o); },
    .reject = [](void* p) { return stored_delivery<D>::of(p).reject(); },
    .is_settled = [](const void* p) -> bool {
        return stored_delivery<D>::of(const_cast<void*>(p)).is_settled();
    },
    .release = [](void* p) { return stored_delivery<D>::of(p).release(); },
};

} // namespace detail

/// A delivery of any transport, with the contract of the concept `delivery`: settled once, requeued when it is
/// destroyed unsettled. One that is default-constructed or moved from can only be assigned to and destroyed; it
/// counts as settled.
///
/// One of up to two pointers, as those of this library are, lies in it: nothing is allocated. Views into it are
/// valid while it lives, what `properties` gives also after it was moved. Thread safety: belongs to its
/// connection's executor. `payload()` may travel.
class any_delivery {
public:
    any_delivery() noexcept = default;
    template <class D>
        requires(!std::is_same_v<D, any_delivery>) && delivery<D>
    explicit any_delivery(D d) : operations_(&detail::operations_of_delivery<D>)
    {
        detail::stored_delivery<D>::put(storage_, std::move(d));
    }
    any_delivery(any_delivery&& o) noexcept : operations_(std::exchange(o.operations_, nullptr))
    {
        if (operations_ != nullptr)
            operations_->move(o.storage_, storage_);
    }
    any_delivery& operator=(any_delivery&& o) noexcept
    {
        if (this != &o) {
            destroy();
            operations_ = std::exchange(o.operations_, nullptr);
            if (operations_ != nullptr)
                operations_->move(o.storage_, storage_);
        }
        return *this;
    }
    ~any_delivery() { destroy(); }

    /// The body as text.
    [[nodiscard]] std::string_view body() const { return operations_->body(storage_); }
    [[nodiscard]] std::span<const std::byte> bytes() const
    {
        const std::string_view b = body();
        return {reinterpret_cast<const std::byte*>(b.data()), b.size()};
    }
    /// The body, shared: may outlive the delivery and be used on any thread.
    [[nodiscard]] leveret::payload payload() const { return operations_->payload(storage_); }
    /// Body (shared) and properties (copied) as a value.
    [[nodiscard]] leveret::message message() const { return operations_->message(storage_); }

    [[nodiscard]] any_properties properties() const { return operations_->properties(storage_); }
    /// The header table, decoded or copied; empty if there is none.
    [[nodiscard]] table headers() const { return operations_->headers(storage_); }
    [[nodiscard]] std::string_view exchange() const { return operations_->exchange(storage_); }
    [[nodiscard]] std::string_view routing_key() const { return operations_->routing_key(storage_); }
    /// Whether it was delivered before and came back.
    [[nodiscard]] bool redelivered() const { return operations_->redelivered(storage_); }
    /// Number of the delivery on its channel.
    [[nodiscard]] std::uint64_t delivery_tag() const { return operations_->delivery_tag(storage_); }

    /// Tells the broker that the message is done. False if it was settled before, needs no acknowledgement, or
    /// its channel ended.
    bool ack(ack_options o = {}) { return operations_ != nullptr && operations_->ack(storage_, o); }
    /// Gives it back, to be delivered again at once unless told otherwise.
    bool nack(nack_options o = {}) { return operations_ != nullptr && operations_->nack(storage_, o); }
    /// Refuses it: the broker drops it, or dead-letters it if the queue says so.
    bool reject() { return operations_ != nullptr && operations_->reject(storage_); }
    [[nodiscard]] bool is_settled() const
    {
        return operations_ == nullptr || operations_->is_settled(storage_);
    }
    /// Gives up the automatic requeue: see amqp::delivery::release.
    std::uint64_t release() { return operations_->release(storage_); }

private:
    void destroy() noexcept
    {
        if (operations_ != nullptr)
            operations_->destroy(storage_);
    }

    const detail::delivery_operations* operations_ = nullptr;
    alignas(void*) unsigned char storage_[2 * sizeof(void*)];
};

static_assert(delivery<any_delivery>);

} // namespace leveret
