#pragma once

#include "leveret/broker/delivery_window.hpp"
#include "leveret/broker/error.hpp"
#include "leveret/broker/session.hpp"
#include "leveret/broker/virtual_host.hpp"
#include "leveret/core/hash_index.hpp"
#include "leveret/core/pod_vector.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leveret::broker {

/// What basic.publish says beside the message.
struct publishing {
    std::string_view exchange = {};
    std::string_view routing_key = {};
    bool mandatory = false;
    bool immediate = false;
};

/// What basic.consume says.
struct consumption {
    std::string_view queue = {}; ///< empty: the queue that this channel declared last
    std::string_view tag = {};   ///< empty: the broker makes one up
    bool no_ack = false;
    bool exclusive = false;
    const table* arguments = nullptr; ///< x-priority; null for none
    void* context = nullptr;          ///< for the front end: consumer::context()
};

/// What basic.get-ok says.
struct got_message {
    message_ptr message;
    std::uint64_t tag = 0;
    bool redelivered = false;
    std::size_t message_count = 0; ///< that are left
};

/// What to do with deliveries.
enum class settlement : std::uint8_t {
    ack,     ///< done
    requeue, ///< back to where they were
    discard, ///< to the dead letter exchange if there is one
};

/// A channel. Each function is the method of the protocol with its name and answers what a server would:
/// values, or an error that ends the channel or the connection. After an error the front end destroys the
/// channel (or the session) without asking more of it. Destroying it returns unacknowledged messages to
/// their queues in their old order and ends its consumers.
///
/// Functions may throw std::bad_alloc; what the operation had done until then stays done.
class channel final : public delivery_window {
public:
    ~channel();

    // Topology. Empty queue names mean the queue that this channel declared last.

    /// With `passive`, looks only. 405 for other sessions' exclusive queues, 406 where an existing one
    /// differs or arguments are wrong, 403 for names that begin with "amq.".
    [[nodiscard]] result<queue_info> declare_queue(const queue_declaration& d);
    /// 406 where an existing one differs, or for a type that the broker does not have.
    [[nodiscard]] status declare_exchange(const exchange_declaration& d);
    [[nodiscard]] status bind_queue(binding_declaration d);
    [[nodiscard]] status unbind_queue(binding_declaration d);
    [[nodiscard]] status bind_exchange(const binding_declaration& d);
    [[nodiscard]] status unbind_exchange(const binding_declaration& d);
    /// The number of messages that it had. A queue that is not there had none.
    [[nodiscard]] result<std::size_t> delete_queue(std::string_view queue_name,
                                                   bool if_unused = false, bool if_empty = false);
    [[nodiscard]] status delete_exchange(std::string_view exchange_name, bool if_unused = false);
    /// The number of messages that went; unacknowledged ones stay.
    [[nodiscard]] result<std::size_t> purge(std::string_view queue_name);

    // Publishing. Consumers with credit get the message inside these calls.

    /// A message without properties.
    [[nodiscard]] status publish(const publishing& p, payload body)
    {
        properties_ptr none;
        return publish_message(p, body, none);
    }
    /// Properties that equal those of the channel's last message are stored once for both.
    [[nodiscard]] status publish(const publishing& p, payload body, const properties& values)
    {
        properties_ptr shared = share(values);
        return publish_message(p, body, shared);
    }
    /// With properties from `share`, for a front end that knows that they are the same again.
    [[nodiscard]] status publish(const publishing& p, payload body, properties_ptr shared)
    {
        return publish_message(p, body, shared);
    }
    /// Properties as messages store them.
    [[nodiscard]] properties_ptr share(const properties& values);
    /// Numbers publishes from 1 and confirms each. Again is fine.
    [[nodiscard]] status select_confirms();

    // Consuming.

    /// prefetch 0: no limit. With `global`, of the whole channel at once; else of each consumer that comes.
    [[nodiscard]] status set_prefetch(std::uint32_t prefetch_size, std::uint16_t prefetch,
                                      bool global);
    /// The consumer, which lives until it is cancelled from either side or the channel ends. Its deliveries
    /// may begin inside this call, after the listener's `consuming`.
    [[nodiscard]] result<consumer*> consume(const consumption& c);
    /// Ends a consumer; what it has unacknowledged stays so. A tag that is not there is fine.
    void cancel(std::string_view tag);
    /// The next message of a queue; none if it is empty.
    [[nodiscard]] result<std::optional<got_message>> get(std::string_view queue_name, bool no_ack);
    /// Acknowledges, rejects or returns a delivery, or with `multiple` all up to it (tag 0: all). 406
    /// for a tag that is not waiting.
    [[nodiscard]] status settle(std::uint64_t tag, bool multiple, settlement how);
    [[nodiscard]] status ack(std::uint64_t tag, bool multiple = false)
    {
        return settle(tag, multiple, settlement::ack);
    }
    [[nodiscard]] status nack(std::uint64_t tag, bool multiple, bool requeue)
    {
        return settle(tag, multiple, requeue ? settlement::requeue : settlement::discard);
    }
    [[nodiscard]] status reject(std::uint64_t tag, bool requeue)
    {
        return nack(tag, false, requeue);
    }
    /// Returns all unacknowledged messages to their queues. Without `requeue` 540, as RabbitMQ.
    [[nodiscard]] status recover(bool requeue);

    /// No deliveries until `resume`. May be called inside a listener's calls.
    void pause() noexcept { paused_ = true; }
    void resume();
    [[nodiscard]] bool is_paused() const noexcept { return paused_; }

    // Transactions.

    [[nodiscard]] status select_transactions();
    /// Stores what was published, then does what was settled. 406 if a queue refused a message.
    [[nodiscard]] status commit();
    /// Forgets both: what was settled waits for settlement again.
    [[nodiscard]] status rollback();

    [[nodiscard]] std::size_t consumer_count() const noexcept { return consumers_.size(); }
    [[nodiscard]] std::size_t unacknowledged_count() const noexcept { return unacked_.size(); }
    [[nodiscard]] session& owner() const noexcept { return session_; }

private:
    friend class session;
    channel(session& s, channel_listener& listener)
        : delivery_window(listener, s.core_.state_.limits().unacknowledged), session_(s), core_(s.core_), state_(s.core_.state_),
          host_(s.host_)
    {
    }

    /// A message that waits for tx.commit; its queues are `count` of those in tx_queues_.
    struct pending_publish {
        message_ptr message;
        duration ttl;
        bool mandatory = false;
        std::size_t count = 0;
    };
    struct pending_settlement {
        std::uint64_t tag;
        settlement how;
        friend bool operator==(const pending_settlement&, const pending_settlement&) = default;
    };
    struct checked_properties {
        properties_ptr properties;
        duration ttl = duration::never();
    };

    // Publishing (channel_publish.hpp).
    [[nodiscard]] status publish_message(const publishing& p, payload& body,
                                         properties_ptr& shared);
    [[nodiscard]] status check_publishing(const publishing& p, const payload& body,
                                          const exchange* x) const;
    [[nodiscard]] status hold_back(message_ptr m, duration ttl, bool mandatory,
                                   const pod_vector<queue*>& queues);
    [[nodiscard]] const pod_vector<queue*>& queues_for(exchange& x, const stored_message& m);
    [[nodiscard]] exchange* find_exchange(std::string_view exchange_name);
    [[nodiscard]] const route_ptr& route_to(const exchange& x, std::string_view key);
    [[nodiscard]] status check(properties_ptr& p, route_ptr& where, duration& ttl);
    [[nodiscard]] static status expiration_of(std::string_view text, duration& ttl);
    [[nodiscard]] status further_keys(properties_ptr& p, route_ptr& where);
    [[nodiscard]] properties_ptr copy_of(const properties_ptr& p);
    bool deliver_to(stored_message& m, queue* const* first, std::size_t count, bool mandatory,
                    duration ttl);
    [[nodiscard]] bool deliver_held_back(const pending_publish& p, std::size_t first);
    void drop_transaction() noexcept;
    void forget_transaction() noexcept;

    // Consuming (channel_consume.hpp).
    [[nodiscard]] status consume_replies(const consumption& c, consumer*& made);
    [[nodiscard]] consumer* make_consumer(std::string tag, const consumption& c) const;
    void add(consumer& c);
    void forget(consumer& c) noexcept;
    void end(consumer& c);
    void end_replies() noexcept;
    void queue_is_gone(consumer& c) noexcept override;
    [[nodiscard]] consumer* lookup(std::string_view tag) const noexcept
    {
        return consumers_.find(state_.hash_of(tag), [tag](const consumer& c) { return c.tag() == tag; });
    }
    void wake_all();
    class settling;
    void apply(std::size_t first, std::size_t end, settlement how);
    void finish(std::size_t i, settlement how);
    void after_settling(bool was_full);
    void end();
    [[nodiscard]] result<std::string_view> named(std::string_view queue_name) const;

    session& session_;
    broker_core& core_;
    shared_state& state_;
    virtual_host& host_;
    bool is_ended_ = false;

    std::string last_declared_;
    exchange* last_exchange_ = nullptr;
    std::uint64_t last_generation_ = 0;
    route_ptr last_route_;
    pod_vector<queue*> known_queues_;    // where a message without headers went by last_route_
    std::uint64_t known_generation_ = 0; // of the routes then; 0: nothing is known
    properties_ptr last_properties_;
    bool confirms_ = false;
    std::uint64_t last_published_ = 0;

    std::uint32_t prefetch_ = 0; // of consumers that come
    hash_index<consumer> consumers_;
    pod_vector<consumer*> in_order_;
    reply_address replies_;
    pod_vector<consumer*> to_wake_;
    pod_vector<queue*> touched_;

    bool transactional_ = false;
    std::vector<pending_publish> tx_publishes_;
    pod_vector<queue*> tx_queues_; // pinned
    pod_vector<pending_settlement> tx_settlements_;
};

/// Around `finish` and `after_settling`: when these run out of memory, nobody stays marked for what is not done.
class channel::settling {
public:
    explicit settling(channel& c) noexcept : of_(c) {}
    settling(const settling&) = delete;
    settling& operator=(const settling&) = delete;
    ~settling()
    {
        for (queue* q : of_.touched_)
            if (q != nullptr) {
                q->is_touched_ = false;
                q->unpin();
            }
        of_.touched_.clear();
        for (consumer* c : of_.to_wake_)
            c->to_wake_ = false;
        of_.to_wake_.clear();
    }

private:
    channel& of_;
};

} // namespace leveret::broker

#include "leveret/broker/channel_consume.hpp"
#include "leveret/broker/channel_publish.hpp"
#include "leveret/broker/channel_topology.hpp"
