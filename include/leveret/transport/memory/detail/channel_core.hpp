#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/linked_queue.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/core/returned_message.hpp"
#include "leveret/core/ring_queue.hpp"
#include "leveret/engine/confirms.hpp"
#include "leveret/engine/settlements.hpp"
#include "leveret/transport/detail/throw_failure.hpp"
#include "leveret/transport/memory/detail/connection_core.hpp"
#include "leveret/wire/content_header.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::memory::detail {

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
    bool is_numbered = true; ///< false for direct reply-to: see delivery_window::reply
    linked_queue<record> waiting; ///< owned: see pop
    wait_queue readers;

    /// The first that waits. It belongs to the caller.
    [[nodiscard]] record* pop();
};

/// State of a channel: the broker's channel, and what the client's side of AMQP keeps.
class channel_core final : public local_counted, public leveret::broker::channel_listener {
public:
    static constexpr std::size_t max_returns = 1024;
    static constexpr std::size_t max_returned_bytes = 16 * 1024 * 1024;
    static constexpr std::size_t max_unconfirmed = 65536;
    /// Deliveries of a channel that wait for their consumers, and bytes of their bodies; above either the broker
    /// keeps them until half is taken.
    static constexpr std::size_t max_waiting = 4096;
    static constexpr std::size_t max_waiting_bytes = 16 * 1024 * 1024;

    explicit channel_core(local_ptr<connection_core> c) : connection(std::move(c))
    {
        connection->channels.push_back(this);
        connection->add_user();
    }
    ~channel_core()
    {
        std::erase(connection->channels, this);
        if (ch) {
            const hub::operation scope(*connection->home);
            ch.reset();
        }
        connection->drop_user();
    }

    local_ptr<connection_core> connection;
    std::unique_ptr<leveret::broker::channel> ch; ///< null when the channel has ended
    std::uint16_t number = 0;
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

    [[nodiscard]] bool is_open() const noexcept { return ch != nullptr; }
    [[nodiscard]] bool can_publish() const noexcept
    {
        return is_open() && !connection->is_blocked() && publishes.outstanding() < max_unconfirmed;
    }
    [[nodiscard]] std::string new_tag() { return "leveret." + std::to_string(++tags_); }

    /// Asks the broker, and throws what it answers if that is an error, which ends the channel or the
    /// connection. `ask(leveret::broker::channel&)` gives a leveret::broker::status or leveret::broker::result.
    template <class Ask>
    auto run(wire::method_number cause, Ask ask)
    {
        if (!is_open())
            throw_failure(reason, wire::all_methods::name(cause), fate::never_sent);
        const hub::operation scope(*connection->home);
        auto answer = ask(*ch);
        if (!answer) {
            refused(answer.error(), cause);
            throw_failure(reason, wire::all_methods::name(cause), fate::refused);
        }
        return answer;
    }
    /// The same where nobody waits for the answer: what the broker has against it is told by later operations.
    template <class Ask>
    void tell_only(wire::method_number cause, Ask ask)
    {
        if (!is_open())
            throw_failure(reason, wire::all_methods::name(cause), fate::never_sent);
        const hub::operation scope(*connection->home);
        const auto answer = ask(*ch);
        if (!answer)
            refused(answer.error(), cause);
    }
    /// The same where the answer is yes or no.
    template <class Ask>
    void tell(wire::method_number cause, Ask ask)
    {
        static_cast<void>(run(cause, ask));
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
    [[nodiscard]] record* make_record(leveret::broker::message_ptr m, std::uint64_t tag, bool redelivered);
    /// One fewer delivery waits.
    void taken(const record& r) noexcept
    {
        --waiting_;
        waiting_bytes_ -= r.message->body().size();
    }
    /// Asks for more if enough was taken.
    void want_more()
    {
        if (waiting_ > max_waiting / 2 || waiting_bytes_ > max_waiting_bytes / 2 || !is_open() ||
            !ch->is_paused())
            return;
        const hub::operation scope(*connection->home);
        ch->resume();
    }

    // leveret::broker::channel_listener: called from inside the broker, which must not be called from here.
    leveret::broker::flow deliver(leveret::broker::consumer& to, const leveret::broker::delivery& d) noexcept override;
    void returned(leveret::broker::stored_message& m, reply_code code, std::string_view text) noexcept override;
    void confirmed(std::uint64_t number, bool multiple, bool taken) noexcept override;
    void consumer_cancelled(leveret::broker::consumer& c) noexcept override;

    [[nodiscard]] static std::size_t size_of(const message& m) noexcept
    {
        return m.body().size() + wire::encoded_size(m.properties());
    }

private:
    void refused(const leveret::broker::error& e, wire::method_number cause);
    void tell_settlements();
    [[nodiscard]] static engine::fingerprint mark_of(std::uint64_t number) noexcept
    {
        return engine::fingerprint(static_cast<std::uint32_t>(number) | 0x80000000U);
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
    if (!home->enter(executor_))
        throw usage_error(make_error_code(errc::not_supported),
                          "memory::connect: this broker has connections on another executor; all of them must "
                          "belong to one");
    struct guard {
        hub* home;
        ~guard()
        {
            if (home != nullptr)
                home->leave();
        }
    } entered{home.get()};
    const hub::operation scope(*home);
    auto opened = home->core.open_session(virtual_host, user, *this);
    if (!opened) {
        throw_failure(engine::failure::of_peer(static_cast<std::uint16_t>(opened.error().code),
                                               opened.error().text, wire::connection::open::id, 0),
                      "connection.open", fate::refused);
    }
    session = std::move(*opened);
    entered.home = nullptr;
    rearm();
}

inline void connection_core::close(const engine::failure& why)
{
    if (!is_open())
        return;
    reason = why;
    for (channel_core* c : channels)
        c->end(why);
    {
        const hub::operation scope(*home);
        session.reset();
    }
    home->leave();
    name.reset();
    room.ring_all();
    stop();
}

inline std::uint16_t connection_core::free_number() const
{
    std::vector<bool> used(std::size_t{channel_max} + 1);
    for (const channel_core* c : channels)
        used[c->number] = used[c->number] || c->is_open();
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
    if (state == status::active && c.is_open()) {
        const hub::operation scope(*c.connection->home);
        c.ch->cancel(tag);
    }
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

inline record* channel_core::make_record(leveret::broker::message_ptr m, std::uint64_t tag, bool redelivered)
{
    record* r = connection->records.take();
    r->message = std::move(m);
    r->tag = tag;
    r->redelivered = redelivered;
    r->channel = nullptr;
    r->connection = local_ptr<connection_core>(connection).detach();
    return r;
}

inline void channel_core::drop(record* r) noexcept
{
    r->message.reset();
    const auto keeps = local_ptr<connection_core>::adopt(std::exchange(r->connection, nullptr));
    keeps->records.give_back(r);
}

inline leveret::broker::flow channel_core::deliver(leveret::broker::consumer& to, const leveret::broker::delivery& d) noexcept
{
    auto& c = *static_cast<consumer_core*>(to.context());
    if (c.is_numbered)
        static_cast<void>(deliveries.arrived(d.tag, !c.no_ack));
    c.waiting.push(make_record(leveret::broker::message_ptr(&d.message), d.tag, d.redelivered));
    if (!c.readers.empty())
        c.readers.ring_all();
    waiting_bytes_ += d.message.body().size();
    return ++waiting_ < max_waiting && waiting_bytes_ < max_waiting_bytes ? leveret::broker::flow::more
                                                                          : leveret::broker::flow::enough;
}

inline void channel_core::returned(leveret::broker::stored_message& m, reply_code code, std::string_view text) noexcept
{
    if (tracked_ != 0) {
        static_cast<void>(publishes.returned(mark_of(tracked_), static_cast<std::uint16_t>(code), text));
        return;
    }
    message copy(m.body(), m.properties());
    returned_bytes += size_of(copy);
    while (!returns.empty() && (returns.size() == max_returns || returned_bytes > max_returned_bytes)) {
        returned_bytes -= size_of(returns.pop_front().message());
        ++lost_returns;
    }
    returns.push_back(returned_message(code, std::string(text), std::string(m.exchange()),
                                       std::string(m.routing_key()), std::move(copy)));
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
    auto& gone = *static_cast<consumer_core*>(c.context());
    gone.state = consumer_core::status::cancelled_by_broker;
    gone.has_tag = false;
    gone.readers.ring_all();
}

inline std::uint64_t channel_core::publish(publish_request& r, engine::confirm_listener* listener,
                                           std::uint64_t own_number)
{
    if (r.is_timed)
        connection->home->begin_to_be_timed();
    const hub::operation scope(*connection->home);
    std::uint64_t n = 0;
    if (is_confirming) {
        const engine::fingerprint mark = mark_of(publishes.last() + 1);
        n = publishes.published(listener, own_number, r.body.size(), mark);
    }
    tracked_ = listener != nullptr ? n : 0;
    const leveret::broker::status s = ch->publish({r.exchange, r.routing_key, r.mandatory, r.immediate},
                                         std::move(r.body), std::move(r.properties));
    tracked_ = 0;
    if (!s)
        refused(s.error(), wire::basic::publish::id);
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
    const hub::operation scope(*connection->home);
    deliveries.flush([this](std::uint64_t tag, bool multiple, engine::settlement how) {
        if (!is_open())
            return;
        const leveret::broker::status s =
            ch->settle(tag, multiple,
                       how == engine::settlement::ack       ? leveret::broker::settlement::ack
                       : how == engine::settlement::requeue ? leveret::broker::settlement::requeue
                                                            : leveret::broker::settlement::discard);
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
    {
        const hub::operation scope(*connection->home);
        ch.reset();
    }
    deliveries.forget();
    for (consumer_core* c : consumers)
        c->readers.ring_all();
    return_readers.ring_all();
    over.ring_all();
    for (wait_queue* q : rung_at_end)
        q->ring_all();
    connection->room.ring_all();
}

} // namespace leveret::memory::detail
