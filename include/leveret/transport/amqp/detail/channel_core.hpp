#pragma once

#include "leveret/core/linked_queue.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/ring_queue.hpp"
#include "leveret/engine/client_channel.hpp"
#include "leveret/transport/amqp/detail/connection_core.hpp"
#include "leveret/transport/amqp/detail/received_message.hpp"
#include "leveret/core/returned_message.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::amqp::detail {

class channel_core;

/// A consumer's end of its channel: the deliveries that wait for `next`.
class consumer_core final : public local_counted {
public:
    enum class status : std::uint8_t { starting, active, cancelled, cancelled_by_broker };

    consumer_core(local_ptr<channel_core> owner, std::string name, bool without_ack);
    ~consumer_core();

    local_ptr<channel_core> channel;
    std::string tag;
    bool no_ack;
    status state = status::starting;
    bool has_tag = true; ///< no other consumer of the channel may have its tag
    bool is_told = false; ///< the broker knows of it, and may send deliveries for its tag
    /// False for direct reply-to: RabbitMQ gives a reply the delivery tag that the next delivery gets too.
    bool is_numbered = true;
    linked_queue<received_record> waiting; ///< owned: see pop
    wait_queue readers;

    /// The first that waits.
    [[nodiscard]] received_message pop() noexcept;
};

/// State of a channel, shared by its handle, consumers, deliveries and publishes on their way.
class channel_core final : public local_counted, public engine::client_channel {
public:
    /// Returned messages that nobody asked for are kept up to this number, the newest win.
    static constexpr std::size_t max_returns = 1024;
    /// ...and up to this many bytes of bodies and properties, or a single one.
    static constexpr std::size_t max_returned_bytes = 16 * 1024 * 1024;
    /// Confirm-mode publishes that may be outstanding at once; above it publishing waits.
    static constexpr std::size_t max_unconfirmed = 65536;

    explicit channel_core(local_ptr<connection_core> c) : connection(std::move(c))
    {
        connection->channels.push_back(this);
        connection->add_user();
    }
    ~channel_core()
    {
        std::erase(connection->channels, this);
        connection->engine.detach_channel(*this);
        connection->touched();
        connection->drop_user();
    }

    local_ptr<connection_core> connection;
    std::vector<consumer_core*> consumers;
    ring_queue<returned_message> returns;
    std::uint64_t lost_returns = 0;
    std::size_t returned_bytes = 0; ///< of the messages in `returns`
    std::uint16_t prefetch = 100;  ///< of consumers that don't ask for one of their own
    bool prefetch_is_told = false; ///< the broker knows
    wait_queue return_readers;
    wait_queue over; ///< who wants to know when it ends
    wait_queue closed_readers; ///< who waits for close-ok to another's close
    std::vector<wait_queue*> rung_at_end; ///< queues of publishers

    [[nodiscard]] bool can_publish() const noexcept
    {
        return is_open() && flow_active() && connection->has_room() &&
               const_cast<channel_core*>(this)->publishes().outstanding() < max_unconfirmed;
    }
    [[nodiscard]] std::string new_tag() { return "leveret." + std::to_string(++tags_); }

    /// A consumer that goes away while messages may still come for it.
    void remember_leaving(const consumer_core& c)
    {
        leaving_.push_back({c.tag, c.no_ack, c.is_numbered, c.state == consumer_core::status::starting});
    }
    /// Whether a consumer of this tag has left before it had started: the broker does not know yet that it goes.
    [[nodiscard]] bool is_still_starting(std::string_view tag) const noexcept
    {
        for (const leaving& l : leaving_)
            if (l.is_starting && l.tag == tag)
                return true;
        return false;
    }

    void on_delivery(const engine::event& e);
    void on_odd_delivery(const engine::event& e, std::string_view tag, const consumer_core* consumer);
    void on_got(const engine::event& e);
    void on_returned(const engine::event& e);
    /// What a returned message counts for.
    [[nodiscard]] static std::size_t size_of(const message& m) noexcept
    {
        return m.body().size() + wire::encoded_size(m.properties());
    }
    void on_cancelled(std::string_view tag);
    void on_consuming_unasked(std::string_view tag);
    void on_cancel_done(std::string_view tag);
    /// The broker has cancelled it: another consumer may have its tag.
    void free_tag(consumer_core& c) noexcept
    {
        c.has_tag = false;
        if (last_ == &c)
            last_ = nullptr;
    }
    void on_closed();
    void cancel_in_background(std::string_view tag);
    /// Forgets deliveries that were not handed out and will come again.
    void drop_waiting();
    [[nodiscard]] bool is_own_block(const engine::content& c) const noexcept;

private:
    struct leaving {
        std::string tag;
        bool no_ack = false;
        bool is_numbered = true;
        bool is_starting = false;
    };
    [[nodiscard]] consumer_core* find(std::string_view tag) noexcept;

    std::vector<leaving> leaving_;
    consumer_core* last_ = nullptr; // whom the last delivery went to, if it is still there
    std::uint64_t tags_ = 0;

    friend class consumer_core;
};

inline publish_request::~publish_request()
{
    if (heap_ != nullptr)
        ::operator delete(heap_);
}

inline request_pool::~request_pool()
{
    while (free_ != nullptr)
        delete std::exchange(free_, free_->next);
}

inline publish_request* request_pool::take()
{
    if (free_ == nullptr)
        return new publish_request;
    --count_;
    return std::exchange(free_, free_->next);
}

inline void request_pool::give_back(publish_request* r) noexcept
{
    if (count_ == kept) {
        delete r;
        return;
    }
    r->recycle();
    r->next = free_;
    free_ = r;
    ++count_;
}

inline consumer_core::consumer_core(local_ptr<channel_core> owner, std::string name, bool without_ack)
    : channel(std::move(owner)), tag(std::move(name)), no_ack(without_ack)
{
    channel->consumers.push_back(this);
}

inline consumer_core::~consumer_core()
{
    channel_core& c = *channel;
    std::erase(c.consumers, this);
    if (c.last_ == this)
        c.last_ = nullptr;
    if (has_tag && is_told && c.is_open())
        c.remember_leaving(*this);
    // Before its messages go back, or they would come again at once; and before another may use its tag.
    // One that has not started is cancelled when its consume-ok comes: RabbitMQ 3.10 ends the connection with 541
    // for a cancel right behind its consume.
    if (state == status::active)
        c.cancel_in_background(tag);
    while (!waiting.empty()) {
        const received_message m = pop();
        if (!no_ack)
            c.connection->engine.settle(c, m.tag(), engine::settlement::requeue);
    }
    c.connection->touched();
}

inline received_message consumer_core::pop() noexcept
{
    received_record* r = waiting.pop();
    channel->connection->drop_waiting(*r->block);
    return received_message(r);
}

inline consumer_core* channel_core::find(std::string_view tag) noexcept
{
    if (last_ != nullptr && last_->tag.size() == tag.size() &&
        wire::same_bytes(last_->tag.data(), tag.data(), tag.size()))
        return last_;
    for (const leaving& l : leaving_)
        if (l.tag == tag)
            return nullptr; // a new one with this tag is answered after the old one's cancel-ok
    for (consumer_core* c : consumers)
        if (c->has_tag && c->tag == tag)
            return c;
    return nullptr;
}

inline bool channel_core::is_own_block(const engine::content& c) const noexcept
{
    return connection->engine.read_block() != c.block;
}

inline void channel_core::on_delivery(const engine::event& e)
{
    const auto tag = [&e] { return e.message.args.substr(1, static_cast<unsigned char>(e.message.args[0])); };
    if (!e.same_consumer || last_ == nullptr)
        last_ = find(tag());
    consumer_core* consumer = last_;
    const bool adopt = !e.same_consumer && is_own_block(e.message);
    if (consumer != nullptr && (consumer->no_ack || !is_recovering()) &&
        (!consumer->is_numbered || deliveries().arrived(e.delivery_tag, !consumer->no_ack))) {
        received_record* r =
            received_message::make(connection->received, e.message, e.envelope, e.delivery_tag, adopt);
        consumer->waiting.push(r);
        connection->add_waiting(*r->block);
        if (!consumer->readers.empty())
            consumer->readers.ring_all();
        return;
    }
    on_odd_delivery(e, tag(), consumer);
}

/// A delivery that nobody gets: for a consumer that is leaving, or one that will come again, or one that
/// can't be.
inline void channel_core::on_odd_delivery(const engine::event& e, std::string_view tag,
                                          const consumer_core* consumer)
{
    const received_message dropped(connection->received, e.message, e.message.args.data(),
                                   e.delivery_tag, is_own_block(e.message));
    const leaving* gone = nullptr;
    if (consumer == nullptr)
        for (const leaving& l : leaving_)
            if (l.tag == tag)
                gone = &l;
    const bool known = consumer != nullptr || gone != nullptr;
    const bool acknowledged =
        consumer != nullptr ? !consumer->no_ack : gone != nullptr && !gone->no_ack;
    const bool comes_again = acknowledged && is_recovering();
    const bool needs_ack = acknowledged && !comes_again;
    if (gone != nullptr && !gone->is_numbered)
        return;
    if (!known || !deliveries().arrived(e.delivery_tag, needs_ack)) {
        connection->engine.refuse(protocol_errc::unexpected_method,
                                  known ? "a delivery tag that is out of order"
                                        : "a delivery for a consumer tag that this channel does not have",
                                  wire::basic::deliver::id, number());
        return;
    }
    if (needs_ack) // it crossed our cancel: somebody else shall have it
        connection->engine.settle(*this, e.delivery_tag, engine::settlement::requeue);
}

inline void channel_core::on_got(const engine::event& e)
{
    // The engine has forgotten the request: whatever goes wrong here, the one who waits must hear of it.
    struct guard {
        call* op;
        ~guard()
        {
            if (op != nullptr)
                op->fail(engine::failure::of_library(errc::wrong_state, "the answer can't be taken"));
        }
    } waiting{static_cast<call*>(e.op)};
    received_message m(connection->received, e.message, e.message.args.data(), e.delivery_tag,
                       is_own_block(e.message));
    // One that crossed our recover comes again under another tag: this one can't be settled any more.
    const bool needs_ack = !e.no_ack && !is_recovering();
    if (!deliveries().arrived(e.delivery_tag, needs_ack)) {
        connection->engine.refuse(protocol_errc::unexpected_method,
                                  "a delivery tag that is out of order", wire::basic::get_ok::id,
                                  number());
        if (waiting.op != nullptr)
            std::exchange(waiting.op, nullptr)->fail(connection->engine.reason());
        return;
    }
    if (waiting.op != nullptr) {
        call& got = *std::exchange(waiting.op, nullptr);
        got.message = std::move(m);
        got.needs_ack = needs_ack;
        got.succeed();
    } else if (needs_ack) { // who asked for it went away
        connection->engine.settle(*this, e.delivery_tag, engine::settlement::requeue);
    }
}

inline void channel_core::on_returned(const engine::event& e)
{
    wire::reader in(e.message.args);
    const auto m = wire::decode<wire::basic::return_>(in);
    payload body = e.message.body.empty() ? payload() : payload(e.message.body);
    message copy(std::move(body), wire::decode_properties(e.message.properties));
    returned_bytes += size_of(copy);
    while (!returns.empty() &&
           (returns.size() == max_returns || returned_bytes > max_returned_bytes)) {
        returned_bytes -= size_of(returns.pop_front().message());
        ++lost_returns;
    }
    returns.push_back(returned_message(static_cast<reply_code>(m.reply_code), std::string(m.reply_text),
                                       std::string(m.exchange), std::string(m.routing_key),
                                       std::move(copy)));
    if (is_own_block(e.message))
        e.message.block->drop_reference();
    return_readers.ring_all();
}

inline void channel_core::on_cancelled(std::string_view tag)
{
    if (consumer_core* c = find(tag)) {
        c->state = consumer_core::status::cancelled_by_broker;
        free_tag(*c);
        c->readers.ring_all();
    }
}

inline void channel_core::on_consuming_unasked(std::string_view tag)
{
    for (leaving& l : leaving_)
        if (l.tag == tag)
            l.is_starting = false;
    cancel_in_background(tag);
}

inline void channel_core::on_cancel_done(std::string_view tag)
{
    for (auto l = leaving_.begin(); l != leaving_.end(); ++l) {
        if (l->tag == tag) {
            leaving_.erase(l);
            return;
        }
    }
    consumer_core* c = find(tag);
    if (c != nullptr && c->state == consumer_core::status::cancelled)
        free_tag(*c);
}

inline void channel_core::cancel_in_background(std::string_view tag)
{
    if (!is_open())
        return;
    wire::basic::cancel cancel;
    cancel.consumer_tag = tag;
    connection->engine.request(*this, cancel, wire::basic::cancel_ok::id, nullptr, instant::never());
    connection->touched();
}

inline void channel_core::drop_waiting()
{
    for (consumer_core* c : consumers) {
        while (!c->no_ack && !c->waiting.empty())
            static_cast<void>(c->pop());
    }
}

/// The channel or its connection ended.
inline void channel_core::on_closed()
{
    for (consumer_core* c : consumers)
        c->readers.ring_all();
    return_readers.ring_all();
    over.ring_all();
    closed_readers.ring_all();
    for (wait_queue* q : rung_at_end)
        q->ring_all();
    connection->room.ring_all();
    leaving_.clear();
}

} // namespace leveret::amqp::detail
