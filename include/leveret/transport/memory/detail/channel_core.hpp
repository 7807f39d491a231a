#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/linked_queue.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/core/returned_message.hpp"
#include "leveret/core/ring_queue.hpp"
#include "leveret/engine/confirms.hpp"
#include "leveret/engine/settlements.hpp"
#include "leveret/transport/detail/throw_failure.hpp"
#include "leveret/transport/memory/detail/agent.hpp"
#include "leveret/transport/memory/detail/connection_core.hpp"
#include "leveret/transport/memory/detail/consumer_core.hpp"
#include "leveret/wire/content_header.hpp"

#include <asio/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::memory::detail {

/// State of a channel: the broker's channel, and what the client's side of AMQP keeps.
class channel_core final : public local_counted, public leveret::broker::channel_listener {
public:
    static constexpr std::size_t max_returns = 1024;
    static constexpr std::size_t max_returned_bytes = 16 * 1024 * 1024;
    static constexpr std::size_t max_unconfirmed = 65536;
    explicit channel_core(local_ptr<connection_core> c) : connection(std::move(c))
    {
        connection->channels.push_back(this);
        connection->add_user();
    }
    ~channel_core()
    {
        std::erase(connection->channels, this);
        end_at_broker();
        connection->drop_user();
    }

    local_ptr<connection_core> connection;
    std::unique_ptr<leveret::broker::channel> ch; ///< on the broker's executor
    far_channel* far = nullptr;                   ///< on another one: its name for the broker
    std::uint16_t number = 0;
    bool is_opening = false; ///< elsewhere: the number is taken
    engine::failure reason; ///< why it ended
    engine::settlements deliveries;
    engine::confirms publishes;
    bool is_confirming = false;
    bool is_transactional = false;
    std::vector<consumer_core*> consumers;
    ring_queue<returned_message> returns;
    std::uint64_t lost_returns = 0;
    std::size_t returned_bytes = 0;
    std::uint16_t prefetch = 100;
    bool prefetch_is_told = false;
    wait_queue return_readers;
    wait_queue over;
    std::vector<wait_queue*> rung_at_end;
    std::uint32_t recovering = 0; ///< recovers on their way elsewhere: what comes for settling comes again

    /// One of these when it begins, and neither when it has ended.
    [[nodiscard]] bool is_open() const noexcept { return ch != nullptr || far != nullptr; }
    [[nodiscard]] bool can_publish() const noexcept
    {
        return is_open() && !connection->is_blocked() && publishes.outstanding() < max_unconfirmed &&
               (ch != nullptr || connection->far->has_room_or_asks());
    }
    void check_open(wire::method_number cause) const
    {
        if (!is_open())
            throw_failure(reason, wire::all_methods::name(cause), fate::never_sent);
    }
    [[nodiscard]] at_broker at() noexcept { return {*ch, *connection->home, connection->records, nullptr}; }
    [[nodiscard]] std::string new_tag() { return "leveret." + std::to_string(++tags_); }

    /// Asks the broker, which is near, and throws what it answers if that is an error, which ends the channel or the
    /// connection. `ask(at_broker&)` gives a leveret::broker::status or leveret::broker::result.
    template <class Ask>
    auto run(wire::method_number cause, Ask& ask)
    {
        check_open(cause);
        const hub::operation scope(*connection->home);
        at_broker b = at();
        auto answer = ask(b);
        if (!answer) {
            refused(answer.error(), cause);
            throw_failure(reason, wire::all_methods::name(cause), fate::refused);
        }
        return answer;
    }
    /// The same where nobody waits for the answer: what the broker has against it is told by later operations.
    template <class Ask>
    void tell_near(wire::method_number cause, Ask& ask)
    {
        const hub::operation scope(*connection->home);
        at_broker b = at();
        const auto answer = ask(b);
        if (!answer)
            refused(answer.error(), cause);
    }
    /// Publishes at once. What the broker has against it ends the channel and is told by later operations, as
    /// with a broker that is far away. Returns the publish's number on a confirm-mode channel, else 0.
    std::uint64_t publish(publish_request& r, engine::confirm_listener* listener = nullptr,
                          std::uint64_t own_number = 0);
    bool settle(std::uint64_t tag, engine::settlement how, bool multiple);
    /// Forgets deliveries that were not handed out and come again.
    void drop_waiting();
    /// The channel is over.
    void end(const engine::failure& why);
    void drop(record* r) noexcept;
    /// A record from the broker becomes one of this connection.
    [[nodiscard]] record* adopt(record* r) const noexcept
    {
        r->connection = local_ptr<connection_core>(connection).detach();
        return r;
    }
    /// One fewer delivery waits.
    void taken(const record& r) noexcept
    {
        const std::size_t size = r.message->body().size();
        --waiting_;
        waiting_bytes_ -= size;
        if (far != nullptr)
            connection->far->taken(*far, size);
    }
    /// Asks for more if enough was taken.
    void want_more()
    {
        if (ch == nullptr || waiting_ > max_waiting / 2 || waiting_bytes_ > max_waiting_bytes / 2 || !ch->is_paused())
            return;
        const hub::operation scope(*connection->home);
        ch->resume();
    }
    /// A delivery came for this consumer. It is counted among those that wait.
    void arrived(consumer_core& c, record* r) noexcept;
    void returned(returned_message m) noexcept;
    /// The broker refused something, and has ended the channel, or the connection, or is about to.
    void refused(const leveret::broker::error& e, wire::method_number cause);

    // leveret::broker::channel_listener: called from inside the broker, which must not be called from here.
    leveret::broker::flow deliver(leveret::broker::consumer& to, const leveret::broker::delivery& d) noexcept override;
    void returned(leveret::broker::stored_message& m, reply_code code, std::string_view text) noexcept override;
    void confirmed(std::uint64_t number, bool multiple, bool taken) noexcept override;
    void consumer_cancelled(leveret::broker::consumer& c) noexcept override;

    /// By which a return finds its publish.
    [[nodiscard]] static engine::fingerprint mark_of(std::uint64_t publish) noexcept
    {
        return engine::fingerprint(static_cast<std::uint32_t>(publish) | 0x80000000U);
    }
    [[nodiscard]] static std::size_t size_of(const message& m) noexcept
    {
        return m.body().size() + wire::encoded_size(m.properties());
    }

private:
    void tell_settlements();
    /// For the broker it is over.
    void end_at_broker() noexcept
    {
        if (ch) {
            const hub::operation scope(*connection->home);
            ch.reset();
        } else if (far != nullptr) {
            connection->far->end_channel(*std::exchange(far, nullptr));
        }
    }
    std::uint64_t tags_ = 0;
    std::size_t waiting_ = 0;
    std::size_t waiting_bytes_ = 0;
    std::uint64_t tracked_ = 0; // number of the publish under way that somebody waits for
};

inline publish_request::publish_request() = default;
inline publish_request::~publish_request() = default;
inline request_pool::~request_pool()
{
    while (free_ != nullptr)
        delete std::exchange(free_, free_->next);
}

inline void connection_core::open(std::string_view virtual_host, std::string_view user)
{
    const hub::operation scope(*home);
    auto made = home->core().open_session(virtual_host, user, *this);
    if (!made)
        throw_failure(engine::failure::of_peer(static_cast<std::uint16_t>(made.error().code), made.error().text,
                                               wire::connection::open::id, 0),
                      "connection.open", fate::refused);
    session = std::move(*made);
    home->session_began();
    opened();
}

inline void connection_core::shut(const engine::failure& why)
{
    if (!is_open_)
        return;
    is_open_ = false;
    reason = why;
    for (channel_core* c : channels)
        c->end(why);
    if (session) {
        {
            const hub::operation scope(*home);
            session.reset();
        }
        home->session_ended();
    } else if (far) {
        far->release_all();
        far->end_session();
    }
    is_blocked_ = false;
    name.reset();
    room.ring_all();
    over.ring_all();
}

inline std::uint16_t connection_core::free_number() const
{
    std::vector<bool> used(std::size_t{channel_max} + 1);
    for (const channel_core* c : channels)
        used[c->number] = used[c->number] || c->is_open() || c->is_opening;
    for (std::uint16_t n = 1; n <= channel_max; ++n)
        if (!used[n])
            return n;
    return 0;
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
    if (state == status::active || stream != nullptr)
        cancel();
    if (stream != nullptr)
        stream->core = nullptr;
    while (!waiting.empty()) {
        record* r = pop();
        const std::uint64_t t = r->tag;
        c.drop(r);
        if (!no_ack)
            c.settle(t, engine::settlement::requeue, false);
    }
}

inline record* consumer_core::pop()
{
    record* r = waiting.pop();
    channel->taken(*r);
    channel->want_more();
    return r;
}

inline void consumer_core::cancel()
{
    if (!channel->is_open())
        return;
    if (channel->ch) {
        const hub::operation scope(*channel->connection->home);
        channel->ch->cancel(tag);
    } else if (stream != nullptr && !std::exchange(is_cancel_told, true)) {
        // Of one that the broker has cancelled the tag may be another consumer's by now.
        const bool is_ours = state != status::cancelled_by_broker;
        channel->connection->far->cancel(*channel->far, is_ours ? std::string_view(tag) : std::string_view(), stream);
    }
}

inline void channel_core::drop(record* r) noexcept
{
    const auto keeps = local_ptr<connection_core>::adopt(std::exchange(r->connection, nullptr));
    keeps->recycle(r);
}

inline leveret::broker::flow channel_core::deliver(leveret::broker::consumer& to, const leveret::broker::delivery& d) noexcept
{
    auto& c = *static_cast<consumer_core*>(to.context());
    record* r = connection->records.make(leveret::broker::message_ptr(&d.message), d.tag, d.redelivered);
    arrived(c, adopt(r));
    return waiting_ < max_waiting && waiting_bytes_ < max_waiting_bytes ? leveret::broker::flow::more
                                                                        : leveret::broker::flow::enough;
}

inline void channel_core::arrived(consumer_core& c, record* r) noexcept
{
    if (c.is_numbered)
        static_cast<void>(deliveries.arrived(r->tag, !c.no_ack));
    c.waiting.push(r);
    ++waiting_;
    waiting_bytes_ += r->message->body().size();
    if (!c.readers.empty())
        c.readers.ring_all();
}

inline void channel_core::returned(leveret::broker::stored_message& m, reply_code code, std::string_view text) noexcept
{
    if (tracked_ != 0) {
        static_cast<void>(publishes.returned(mark_of(tracked_), static_cast<std::uint16_t>(code), text));
        return;
    }
    returned(returned_message(code, std::string(text), std::string(m.exchange()), std::string(m.routing_key()),
                              message(m.body(), m.properties())));
}

inline void channel_core::returned(returned_message m) noexcept
{
    returned_bytes += size_of(m.message());
    while (!returns.empty() && (returns.size() == max_returns || returned_bytes > max_returned_bytes)) {
        returned_bytes -= size_of(returns.pop_front().message());
        ++lost_returns;
    }
    returns.push_back(std::move(m));
    return_readers.ring_all();
}

inline void channel_core::confirmed(std::uint64_t n, bool multiple, bool taken) noexcept
{
    static_cast<void>(
        publishes.resolve(n, multiple, taken ? publish_outcome::confirmed : publish_outcome::rejected));
    if (!connection->room.empty())
        connection->room.ring_all();
}

inline void channel_core::consumer_cancelled(leveret::broker::consumer& c) noexcept
{
    static_cast<consumer_core*>(c.context())->cancelled_by_broker();
}

inline std::uint64_t channel_core::publish(publish_request& r, engine::confirm_listener* listener,
                                           std::uint64_t own_number)
{
    std::uint64_t n = 0;
    if (is_confirming) {
        const engine::fingerprint mark = mark_of(publishes.last() + 1);
        n = publishes.published(listener, own_number, r.body.size(), mark);
    }
    const std::uint64_t tracked = listener != nullptr ? n : 0;
    if (far != nullptr) {
        connection->far->publish(*far, r, tracked);
        return n;
    }
    if (r.is_timed)
        connection->home->begin_to_be_timed();
    try {
        const hub::operation scope(*connection->home);
        tracked_ = tracked;
        const leveret::broker::status s = ch->publish({r.exchange.view(), r.routing_key.view(), r.mandatory, r.immediate},
                                             std::move(r.body), std::move(r.properties));
        tracked_ = 0;
        if (!s)
            refused(s.error(), wire::basic::publish::id);
    } catch (const std::bad_alloc&) {
        tracked_ = 0;
        if (is_confirming) // the broker and the channel would count differently from here on
            end(engine::failure::of_system(asio::error::no_memory, "the broker"));
        throw;
    }
    return n;
}

inline bool channel_core::settle(std::uint64_t tag, engine::settlement how, bool multiple)
{
    if (!is_open())
        return false;
    const bool news = multiple ? deliveries.settle_up_to(tag, how) != 0 : deliveries.settle(tag, how);
    if (news)
        tell_settlements();
    return news;
}

inline void channel_core::tell_settlements()
{
    if (far != nullptr) {
        deliveries.flush([this](std::uint64_t tag, bool multiple, engine::settlement how) {
            connection->far->settle(*far, tag, multiple, how);
        });
        return;
    }
    const hub::operation scope(*connection->home);
    deliveries.flush([this](std::uint64_t tag, bool multiple, engine::settlement how) {
        if (!is_open())
            return;
        const leveret::broker::status s = ch->settle(tag, multiple, settlement_of(how));
        if (!s)
            refused(s.error(), how == engine::settlement::ack ? wire::basic::ack::id : wire::basic::nack::id);
    });
}

inline void channel_core::refused(const leveret::broker::error& e, wire::method_number cause)
{
    const auto why = engine::failure::of_peer(static_cast<std::uint16_t>(e.code), e.text, cause,
                                              e.ends_connection ? std::uint16_t{0} : number);
    if (e.ends_connection)
        connection->close(why);
    else
        end(why);
}

inline void channel_core::drop_waiting()
{
    for (consumer_core* c : consumers)
        while (!c->no_ack && !c->waiting.empty()) {
            record* r = c->waiting.pop(); // no more is asked for: it would only be dropped as well
            taken(*r);
            drop(r);
        }
}

inline void channel_core::end(const engine::failure& why)
{
    if (!is_open())
        return;
    reason = why;
    end_at_broker();
    deliveries.forget();
    for (consumer_core* c : consumers) {
        c->stream = nullptr;
        c->readers.ring_all();
    }
    return_readers.ring_all();
    over.ring_all();
    for (wait_queue* q : rung_at_end)
        q->ring_all();
    connection->room.ring_all();
}

} // namespace leveret::memory::detail
