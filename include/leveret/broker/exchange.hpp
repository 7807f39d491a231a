#pragma once

#include "leveret/broker/argument_text.hpp"
#include "leveret/broker/stored_message.hpp"
#include "leveret/core/assert.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/core/pod_vector.hpp"
#include "leveret/core/table.hpp"
#include "leveret/routing/policy.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace leveret::broker {

class exchange;
class queue;
struct exchange_binding;

/// What a binding leads to: a queue or an exchange.
class destination {
public:
    destination(const destination&) = delete;
    destination& operator=(const destination&) = delete;
    [[nodiscard]] bool is_queue() const noexcept { return is_queue_; }

protected:
    explicit destination(bool is_queue) noexcept : is_queue_(is_queue) {}
    ~destination() = default;

private:
    friend class reached_destinations;
    friend class bindings;
    friend class virtual_host;
    exchange_binding* incoming_ = nullptr;
    std::uint64_t mark_ = 0; // of the message that reached it last
    bool is_queue_;
};

/// A binding with its places in the lists of both of its ends.
struct exchange_binding : routing::binding {
    exchange_binding(exchange& s, destination& d, std::string_view k, const table& a)
        : binding(&d), source(&s), to(&d), key(k), arguments(a)
    {
    }
    exchange* source;
    destination* to;
    std::string key;
    table arguments;
    std::uint64_t hash = 0;
    exchange_binding* next_out = nullptr;
    exchange_binding* previous_out = nullptr;
    exchange_binding* next_in = nullptr;
    exchange_binding* previous_in = nullptr;
};

/// Collects where one message goes: each destination once, however many bindings lead to it.
class reached_destinations {
public:
    reached_destinations(std::uint64_t epoch, pod_vector<queue*>& queues,
                         pod_vector<exchange*>& exchanges) noexcept
        : epoch_(epoch), queues_(queues), exchanges_(exchanges)
    {
    }
    void operator()(void* target) { add(*static_cast<destination*>(target)); }
    void add(destination& d);
    /// Whether anything was reached since the last time this was asked, seen before or not.
    [[nodiscard]] bool take_hit() noexcept { return std::exchange(hit_, false); }

private:
    std::uint64_t epoch_;
    pod_vector<queue*>& queues_;
    pod_vector<exchange*>& exchanges_;
    bool hit_ = false;
};

/// A router of whatever policy.
class any_router {
public:
    virtual ~any_router() = default;
    /// Why a binding is refused; empty if it is not.
    [[nodiscard]] virtual std::string refusal(std::string_view key, const table& arguments) const = 0;
    virtual void add(exchange_binding& b) = 0;
    virtual void remove(exchange_binding& b) noexcept = 0;
    virtual void route(const routing::message_view& m, reached_destinations& to) = 0;
};

/// A type of exchange that a broker knows.
struct exchange_kind {
    std::string_view name;
    std::unique_ptr<any_router> (*make_router)(const routing::router_context&);
    /// Why an exchange with these arguments is refused; empty if it is not.
    std::string (*refusal)(const table& arguments);
    /// See routing::is_stable.
    bool is_stable = false;
};

/// The exchange type that a routing policy makes.
template <routing::policy P>
class policy_router final : public any_router {
public:
    explicit policy_router(const routing::router_context& c)
        : router_(routing::make_router<typename P::router>(c))
    {
    }
    [[nodiscard]] std::string refusal(std::string_view key, const table& arguments) const override
    {
        std::string why = routing::refusal_of<P>(key, arguments);
        return why.empty() ? routing::refusal_of(router_, key, arguments) : why;
    }
    void add(exchange_binding& b) override { router_.add(b.key, b.arguments, b); }
    void remove(exchange_binding& b) noexcept override { router_.remove(b.key, b.arguments, b); }
    void route(const routing::message_view& m, reached_destinations& to) override
    {
        routing::route(router_, m, to);
    }
    [[nodiscard]] static constexpr exchange_kind kind() noexcept
    {
        return {P::name,
                [](const routing::router_context& c) -> std::unique_ptr<any_router> {
                    return std::make_unique<policy_router>(c);
                },
                &routing::exchange_refusal_of<P>, routing::is_stable<P>};
    }

private:
    typename P::router router_;
};

/// The exchange types of a broker, as a list of routing policies. Each has another name.
///
///     using mine = lv::broker::default_policies::with<my_policy>;
template <routing::policy... Policies>
struct policies {
    /// These and more.
    template <routing::policy... More>
    using with = policies<Policies..., More...>;

    static_assert(
        [] {
            const std::string_view names[] = {Policies::name..., std::string_view()};
            for (std::size_t i = 0; i < sizeof...(Policies); ++i)
                for (std::size_t j = 0; j < i; ++j)
                    if (names[i] == names[j])
                        return false;
            return true;
        }(),
        "two policies have the same name");
};

/// What exchange.declare says of an exchange.
struct exchange_declaration {
    std::string_view name = {};
    std::string_view type = "direct";
    bool passive = false;
    bool durable = false;
    bool auto_delete = false;
    bool internal = false;
    const table* arguments = nullptr; ///< null for none
};

/// An exchange: its properties and the router of its type.
class exchange : public destination {
public:
    [[nodiscard]] const std::string& name() const noexcept { return name_->text; }
    [[nodiscard]] std::string_view type() const noexcept { return kind_->name; }
    [[nodiscard]] bool is_durable() const noexcept { return durable_; }
    [[nodiscard]] bool is_auto_delete() const noexcept { return auto_delete_; }
    [[nodiscard]] bool is_internal() const noexcept { return internal_; }
    [[nodiscard]] const table& arguments() const noexcept { return arguments_; }
    [[nodiscard]] std::size_t binding_count() const noexcept { return binding_count_; }

private:
    friend class bindings;
    friend class virtual_host;
    friend class channel;
    exchange(const exchange_declaration& d, const exchange_kind& kind, std::uint64_t seed)
        : destination(false), name_(new shared_name(d.name)), kind_(&kind), durable_(d.durable),
          auto_delete_(d.auto_delete), internal_(d.internal)
    {
        if (d.arguments != nullptr)
            arguments_ = *d.arguments;
        router_ = kind.make_router({arguments_, seed});
        if (const auto* alternate = arguments_.find_as<std::string>("alternate-exchange"))
            alternate_ = *alternate;
    }
    ~exchange() = default;

    local_ptr<shared_name> name_;
    std::uint64_t hash_ = 0;
    const exchange_kind* kind_;
    std::unique_ptr<any_router> router_;
    bool durable_;
    bool auto_delete_;
    bool internal_;
    table arguments_;
    std::optional<std::string> alternate_;
    exchange_binding* outgoing_ = nullptr;
    std::size_t binding_count_ = 0;
    exchange* next_doomed_ = nullptr;
    bool is_doomed_ = false;
};

} // namespace leveret::broker
