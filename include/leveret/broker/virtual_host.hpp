#pragma once

#include "leveret/broker/bindings.hpp"
#include "leveret/broker/death.hpp"
#include "leveret/broker/error.hpp"
#include "leveret/broker/exchange.hpp"
#include "leveret/broker/queue.hpp"
#include "leveret/broker/state.hpp"
#include "leveret/core/hash_index.hpp"
#include "leveret/core/pod_vector.hpp"
#include "leveret/core/text_hash.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::broker {

/// What queue.declare-ok says.
struct queue_info {
    std::string name;
    std::size_t message_count = 0;
    std::size_t consumer_count = 0;
};

/// What a binding says. `destination` is a queue or an exchange, as the operation has it.
struct binding_declaration {
    std::string_view source = {};
    std::string_view destination = {};
    std::string_view routing_key = {};
    const table* arguments = nullptr; ///< null for none
};

inline constexpr std::string_view reply_to_name = "amq.rabbitmq.reply-to";

/// A consumer of direct reply-to, found by the address that replies are published to.
struct reply_address {
    std::string key;
    std::uint64_t hash = 0;
    delivery_window* window = nullptr;
    consumer* to = nullptr;
    std::uint64_t mark = 0; ///< of the last message that came here
};

/// Exchanges, queues and bindings under one name, seen by the sessions that opened it and no others. Its
/// public functions look; channels change it.
class virtual_host {
public:
    virtual_host(shared_state& state, std::string_view name, std::span<const exchange_kind> kinds);
    virtual_host(const virtual_host&) = delete;
    virtual_host& operator=(const virtual_host&) = delete;
    ~virtual_host();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// nullptr if there is none. Valid until an operation deletes it.
    [[nodiscard]] const queue* find_queue(std::string_view queue_name) const noexcept
    {
        return lookup_queue(queue_name);
    }
    [[nodiscard]] const exchange* find_exchange(std::string_view exchange_name) const noexcept
    {
        return lookup_exchange(exchange_name);
    }
    [[nodiscard]] std::size_t queue_count() const noexcept { return queues_.size(); }
    [[nodiscard]] std::size_t exchange_count() const noexcept { return exchanges_.size(); }
    [[nodiscard]] std::size_t binding_count() const noexcept { return bindings_.size(); }
    /// Calls `visit(const queue&)` for each, in no particular order.
    template <class Visit>
    void for_each_queue(Visit&& visit) const
    {
        queues_.for_each([&visit](const queue& q) { visit(q); });
    }
    template <class Visit>
    void for_each_exchange(Visit&& visit) const
    {
        exchanges_.for_each([&visit](const exchange& x) { visit(x); });
    }

private:
    friend class broker_core;
    friend class channel;
    friend class session;
    friend class queue;

    // What a session asks for; `who` is its exclusive queues.
    [[nodiscard]] result<queue*> declare(const queue_declaration& d, exclusive_queues& who);
    [[nodiscard]] status declare(const exchange_declaration& d);
    [[nodiscard]] result<queue*> usable_queue(std::string_view queue_name, exclusive_queues& who);
    [[nodiscard]] status bind(const binding_declaration& d, bool to_queue, exclusive_queues& who);
    [[nodiscard]] status unbind(const binding_declaration& d, bool to_queue, exclusive_queues& who);
    [[nodiscard]] result<std::size_t> delete_queue(std::string_view queue_name, bool if_unused,
                                                   bool if_empty, exclusive_queues& who);
    [[nodiscard]] status delete_exchange(std::string_view exchange_name, bool if_unused);

    /// The queues that a message reaches, each once; valid until the next route.
    [[nodiscard]] pod_vector<queue*>& route(exchange& x, const message_route& where,
                                            const properties& values);
    void route(dead_letter& d);
    /// Hands a message to the consumer of direct reply-to that its keys name, if there is one.
    void deliver_replies(stored_message& m);

    void remove(queue& q) noexcept;
    void remove(exchange& x) noexcept;
    void unbind(exchange_binding& b) noexcept;
    void sweep() noexcept;

    [[nodiscard]] queue* lookup_queue(std::string_view n) const noexcept
    {
        return queues_.find(state_.hash_of(n), [n](const queue& q) { return q.name() == n; });
    }
    [[nodiscard]] exchange* lookup_exchange(std::string_view n) const noexcept
    {
        return exchanges_.find(state_.hash_of(n), [n](const exchange& x) { return x.name() == n; });
    }
    [[nodiscard]] reply_address* lookup_reply(std::string_view key) const noexcept
    {
        return replies_.find(state_.hash_of(key),
                             [key](const reply_address& a) { return a.key == key; });
    }
    void add_exchange(const exchange_declaration& d, const exchange_kind& kind);
    [[nodiscard]] const exchange_kind* kind_of(std::string_view type) const noexcept;

    // Texts.
    [[nodiscard]] std::string text_of(std::string_view what, std::string_view n) const
    {
        return std::string(what) + " " + detail::in_quotes(n) + " in vhost " + detail::in_quotes(name_);
    }
    [[nodiscard]] error missing(std::string_view what, std::string_view n) const
    {
        return detail::failure(reply_code::not_found, "no " + text_of(what, n));
    }
    [[nodiscard]] error over_limit(std::string_view what, std::string_view n,
                                   std::size_t most) const
    {
        return detail::precondition_failed(
            "cannot declare " + text_of(what, n) + ": " + std::string(what) + " limit in vhost " +
            detail::in_quotes(name_) + " (" + std::to_string(most) + ") is reached");
    }
    [[nodiscard]] error locked(const queue& q) const;
    [[nodiscard]] status check_access(const queue& q, const exclusive_queues& who) const
    {
        return q.owner_ == nullptr || q.owner_ == &who ? status() : status(locked(q));
    }
    [[nodiscard]] status check_new_name(std::string_view what, std::string_view n) const;
    [[nodiscard]] static status check_not_default(std::string_view exchange_name);

    shared_state& state_;
    std::string name_;
    std::uint64_t hash_ = 0;
    std::span<const exchange_kind> kinds_;
    hash_index<queue> queues_;
    hash_index<exchange> exchanges_;
    hash_index<reply_address> replies_;
    bindings bindings_;
    /// Counts deletions of exchanges: who remembers one knows by it whether it may still be there.
    std::uint64_t exchange_generation_ = 0;
    std::uint64_t route_generation_ = 1; ///< another one when messages may go elsewhere
    bool is_route_stable_ = false;       ///< of the last route: see routing::is_stable
    std::size_t sessions_ = 0;
    pod_vector<queue*> reached_;
    pod_vector<exchange*> routing_;
    exchange* doomed_ = nullptr; // auto-delete exchanges that lost their last binding
};

} // namespace leveret::broker

#include "leveret/broker/virtual_host_routing.hpp"
#include "leveret/broker/virtual_host_topology.hpp"
