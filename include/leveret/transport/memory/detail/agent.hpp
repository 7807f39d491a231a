#pragma once

#include "leveret/broker/broker.hpp"
#include "leveret/transport/memory/detail/hub.hpp"
#include "leveret/transport/memory/detail/link.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::memory::detail {

/// A channel of the broker, and what is there to make the answer of an operation from. On the broker's executor.
struct at_broker {
    leveret::broker::channel& channel;
    hub& home;
    record_pool& records;
    agent_channel* far = nullptr; ///< of a channel of another executor
};

/// Deliveries of a channel that wait for their consumers, and bytes of their bodies; above either the broker
/// keeps them until half is taken.
inline constexpr std::size_t max_waiting = 4096;
inline constexpr std::size_t max_waiting_bytes = 16 * 1024 * 1024;

[[nodiscard]] inline leveret::broker::settlement settlement_of(engine::settlement how) noexcept
{
    switch (how) {
    case engine::settlement::ack: return leveret::broker::settlement::ack;
    case engine::settlement::requeue: return leveret::broker::settlement::requeue;
    default: return leveret::broker::settlement::discard;
    }
}

/// The broker's end of a channel of another executor.
class agent_channel final : public leveret::broker::channel_listener {
public:
    agent_channel(agent& a, far_channel* there) noexcept : of_(a), there_(there) {}

    std::unique_ptr<leveret::broker::channel> ch; ///< null when it has ended

    void publish(command& c);
    void settle(const command& c);
    void taken(const command& c);
    /// The broker answered with an error: the channel ends, or the connection.
    void refused(const leveret::broker::error& why, wire::method_number cause);
    /// The same, where the other end is told otherwise.
    void end(const leveret::broker::error& why);
    /// Confirmations come together.
    void tell_confirms();
    /// What is delivered from here on is not what a recover takes back.
    void recovers();
    [[nodiscard]] far_channel* there() const noexcept { return there_; }

    leveret::broker::flow deliver(leveret::broker::consumer& to, const leveret::broker::delivery& d) noexcept override;
    void returned(leveret::broker::stored_message& m, reply_code code, std::string_view text) noexcept override;
    void confirmed(std::uint64_t number, bool multiple, bool taken) noexcept override;
    void consumer_cancelled(leveret::broker::consumer& c) noexcept override;

private:
    agent& of_;
    far_channel* there_; ///< its name there
    std::uint64_t waiting_ = 0; ///< as far as the other end has said
    std::uint64_t waiting_bytes_ = 0;
    std::uint64_t tracked_ = 0;
    std::uint64_t confirmed_up_to_ = 0;
    bool has_confirms_ = false;
    bool taken_ = false;
    std::string exchange_; ///< of the last publish
    std::string routing_key_;
    std::shared_ptr<const properties> last_properties_;
    leveret::broker::properties_ptr shared_; ///< the same, as the broker keeps them
};

/// The broker's end of a connection of another executor: it does what the far end asks for.
class agent final : public leveret::broker::session_listener {
public:
    agent(hub& h, std::shared_ptr<link> l) : home_(h), link_(std::move(l))
    {
        link_->at_broker = this;
        home_.session_began(true);
    }
    agent(const agent&) = delete;
    agent& operator=(const agent&) = delete;
    /// Puts an end to all that the two ends had: the far end is gone.
    ~agent();

    std::unique_ptr<leveret::broker::session> session;

    [[nodiscard]] hub& home() noexcept { return home_; }
    [[nodiscard]] record_pool& records() noexcept { return link_->records; }
    [[nodiscard]] at_broker at(agent_channel& c) noexcept { return {*c.ch, home_, link_->records, &c}; }

    /// Does what was asked for, some of it: others want their turn. It may be gone after that.
    void work();
    /// Shows the far end what it was told.
    void flush() noexcept;
    /// Whether it should be shown now, and not only when there is more.
    [[nodiscard]] bool should_flush() const noexcept
    {
        return unshown_ >= link::shown_together || link_->events.may_sleep();
    }
    void tell(const event& e);
    /// The agent's answer to a call was made.
    void answer(far_call* c)
    {
        tell_all_confirms();
        tell({.what = event::kind::answer, .object = c});
    }
    void will_tell_confirms(agent_channel& c)
    {
        with_confirms_.push_back(&c);
        has_news();
    }

    [[nodiscard]] leveret::broker::result<bool> open_session(std::string_view virtual_host, std::string_view user);
    [[nodiscard]] leveret::broker::result<agent_channel*> open_channel(far_channel* there);
    void drop_channel(agent_channel& c) noexcept;
    void end_session() noexcept;
    /// The broker's executor goes away: nothing will be done any more.
    void die() noexcept;

    void blocked(std::string_view why) noexcept override
    {
        tell({.what = event::kind::blocked, .object = new std::string(why)});
    }
    void unblocked() noexcept override { tell({.what = event::kind::unblocked}); }

private:
    static constexpr int turn = 256; ///< commands before others get theirs

    /// False for the last of all.
    [[nodiscard]] bool perform(command& c);
    void release(record* first) noexcept;
    void publish(command& c);
    /// Tells the far end how many it has done.
    void count_publishes() noexcept;
    void tell_all_confirms();
    void has_news();
    void wake_again();

    hub& home_;
    std::shared_ptr<link> link_;
    std::vector<std::unique_ptr<agent_channel>> channels_;
    std::vector<agent_channel*> with_confirms_;
    bool has_news_ = false;
    int unshown_ = 0; ///< events
    bool is_over_ = false; ///< its session
    std::uint64_t done_publishes_ = 0; ///< of this turn
    std::uint64_t done_bytes_ = 0;
};

// The channel.

inline void agent_channel::publish(command& c)
{
    if (ch == nullptr)
        return;
    if (c.is_timed)
        of_.home().begin_to_be_timed();
    leveret::broker::properties_ptr values;
    if (c.has_properties) {
        if (c.properties != last_properties_) {
            shared_ = ch->share(*c.properties);
            last_properties_ = std::move(c.properties);
        }
        values = shared_;
    }
    if (!c.same_address) {
        exchange_ = c.exchange;
        routing_key_ = c.routing_key;
    }
    tracked_ = c.number;
    const leveret::broker::status s =
        ch->publish({exchange_, routing_key_, c.mandatory, c.immediate}, std::move(c.body), std::move(values));
    tracked_ = 0;
    if (!s)
        refused(s.error(), wire::basic::publish::id);
}

inline void agent_channel::settle(const command& c)
{
    if (ch == nullptr)
        return;
    const leveret::broker::status s = ch->settle(c.number, c.multiple, settlement_of(c.how));
    if (!s)
        refused(s.error(), c.how == engine::settlement::ack ? wire::basic::ack::id : wire::basic::nack::id);
}

inline void agent_channel::taken(const command& c)
{
    waiting_ -= c.number;
    waiting_bytes_ -= c.bytes;
    if (ch != nullptr && ch->is_paused() && waiting_ <= max_waiting * 3 / 4 && waiting_bytes_ <= max_waiting_bytes * 3 / 4)
        ch->resume();
}

inline void agent_channel::refused(const leveret::broker::error& why, wire::method_number cause)
{
    tell_confirms(); // of what came before
    of_.tell({.what = event::kind::refused, .channel = there_, .object = new refusal{why, cause}});
    end(why);
}

inline void agent_channel::end(const leveret::broker::error& why)
{
    if (why.ends_connection)
        of_.end_session();
    else
        ch.reset();
}

inline leveret::broker::flow agent_channel::deliver(leveret::broker::consumer& to,
                                                    const leveret::broker::delivery& d) noexcept
{
    record* r = of_.records().make(leveret::broker::message_ptr(&d.message), d.tag, d.redelivered);
    r->stream = static_cast<far_stream*>(to.context());
    of_.tell({.what = event::kind::deliver, .channel = there_, .object = r});
    waiting_bytes_ += d.message.body().size();
    return ++waiting_ < max_waiting && waiting_bytes_ < max_waiting_bytes ? leveret::broker::flow::more
                                                                          : leveret::broker::flow::enough;
}

inline void agent_channel::returned(leveret::broker::stored_message& m, reply_code code, std::string_view text) noexcept
{
    // Whoever waits for this one has the message.
    message copy = tracked_ != 0 ? message() : message(m.body(), m.properties());
    auto* what = new returned_message(code, std::string(text), std::string(m.exchange()),
                                      std::string(m.routing_key()), std::move(copy));
    of_.tell({.what = event::kind::returned, .channel = there_, .object = what, .number = tracked_});
}

inline void agent_channel::confirmed(std::uint64_t number, bool, bool taken) noexcept
{
    if (has_confirms_ && taken_ != taken)
        tell_confirms();
    if (!has_confirms_) {
        has_confirms_ = true;
        of_.will_tell_confirms(*this);
    }
    confirmed_up_to_ = number;
    taken_ = taken;
}

inline void agent_channel::tell_confirms()
{
    if (!has_confirms_)
        return;
    of_.tell({.what = event::kind::confirmed, .multiple = true, .flag = taken_, .channel = there_,
              .number = confirmed_up_to_});
    has_confirms_ = false;
}

inline void agent_channel::recovers()
{
    of_.tell({.what = event::kind::recovers, .channel = there_});
}

inline void agent_channel::consumer_cancelled(leveret::broker::consumer& c) noexcept
{
    of_.tell({.what = event::kind::stream_over, .flag = true, .channel = there_, .object = c.context()});
}

// The connection.

inline agent::~agent()
{
    link_->to_agent.leave();
    link_->at_broker = nullptr;
    link_->is_over = true;
    end_session();
    channels_.clear();
    while (command* c = link_->commands.front()) { // of a broker that came to its end
        if (c->what == command::kind::call)
            delete static_cast<far_call*>(c->object);
        else if (c->what == command::kind::release)
            release(static_cast<record*>(c->object));
        link_->commands.pop();
    }
    while (event* e = link_->events.front()) { // nobody else takes them any more
        if (e->what == event::kind::deliver)
            link_->records.give_back(static_cast<record*>(e->object));
        else
            discard(*e);
        link_->events.pop();
    }
}

inline void agent::tell(const event& e)
{
    link_->events.slot() = e;
    link_->events.commit();
    ++unshown_;
    has_news();
}

inline void agent::has_news()
{
    if (!std::exchange(has_news_, true))
        home_.has_news(*this);
}

inline void agent::flush() noexcept
{
    tell_all_confirms();
    has_news_ = false;
    unshown_ = 0;
    if (link_->events.publish())
        link_->to_far_end.wake([l = link_] { far_end_work(*l); });
}

inline void agent::tell_all_confirms()
{
    for (agent_channel* c : with_confirms_)
        c->tell_confirms();
    with_confirms_.clear();
}

inline void agent::work()
{
    bool is_last = false;
    int done = 0;
    {
        const hub::operation scope(home_);
        for (; done < turn && !is_last; ++done) {
            command* c = link_->commands.front();
            if (c == nullptr)
                break;
            try {
                is_last = !perform(*c);
            } catch (const std::bad_alloc&) { // what was asked for is not done, so nothing that follows may be
                end_session();
                tell({.what = event::kind::session_over, .flag = true});
            }
            link_->commands.pop();
        }
        count_publishes();
        if (link_->wants_room.load(std::memory_order_seq_cst) && link_->wants_room.exchange(false))
            tell({.what = event::kind::room});
        home_.flush();
    }
    if (is_last)
        home_.remove(*this);
    else if (done != 0 || link_->commands.front() != nullptr || !link_->commands.sleep())
        wake_again(); // where something came there is more: falling asleep and being woken costs more than to look
}

inline void agent::wake_again()
{
    link_->to_agent.wake(agent_turn(home_.shared_from_this(), link_));
}

inline bool agent::perform(command& c)
{
    switch (c.what) {
    case command::kind::publish: publish(c); break;
    case command::kind::settle: c.channel->settle(c); break;
    case command::kind::call: static_cast<far_call*>(c.object)->ask(*this); break;
    case command::kind::cancel:
        if (c.channel->ch != nullptr && !c.exchange.empty()) // empty: the broker cancelled it
            c.channel->ch->cancel(c.exchange);
        tell({.what = event::kind::stream_over, .channel = c.channel->there(), .object = c.object});
        break;
    case command::kind::taken: c.channel->taken(c); break;
    case command::kind::release: release(static_cast<record*>(c.object)); break;
    case command::kind::end_channel: drop_channel(*c.channel); break;
    case command::kind::end_session: end_session(); break;
    case command::kind::gone: return false;
    }
    return true;
}

inline void agent::publish(command& c)
{
    const std::size_t size = c.body.size();
    c.channel->publish(c);
    c.body = payload(); // of one that was refused
    if (c.has_properties)
        c.properties.reset();
    done_bytes_ += size;
    ++done_publishes_;
}

inline void agent::count_publishes() noexcept
{
    if (done_publishes_ == 0)
        return;
    link_->done_bytes.fetch_add(std::exchange(done_bytes_, 0), std::memory_order_relaxed);
    // In one order with those who wait: it and they see each other, whichever is first.
    link_->done_publishes.fetch_add(std::exchange(done_publishes_, 0), std::memory_order_seq_cst);
}

inline void agent::release(record* first) noexcept
{
    while (first != nullptr) {
        record* next = first->next;
        link_->records.give_back(first);
        first = next;
    }
}

inline void agent::drop_channel(agent_channel& c) noexcept
{
    tell_all_confirms();
    c.ch.reset();
    tell({.what = event::kind::channel_over, .channel = c.there()});
    std::erase_if(channels_, [&c](const auto& p) { return p.get() == &c; });
}

inline leveret::broker::result<bool> agent::open_session(std::string_view virtual_host, std::string_view user)
{
    auto made = home_.core().open_session(virtual_host, user, *this);
    if (!made)
        return leveret::broker::error(made.error());
    session = std::move(*made);
    return true;
}

inline leveret::broker::result<agent_channel*> agent::open_channel(far_channel* there)
{
    if (session == nullptr)
        return leveret::broker::error{reply_code::channel_error, "CHANNEL_ERROR - the connection has ended", true};
    channels_.push_back(std::make_unique<agent_channel>(*this, there));
    agent_channel& c = *channels_.back();
    auto made = session->open_channel(c);
    if (!made) {
        channels_.pop_back();
        return leveret::broker::error(made.error());
    }
    c.ch = std::move(*made);
    return &c;
}

inline void agent::end_session() noexcept
{
    for (const auto& c : channels_)
        c->ch.reset();
    session.reset();
    if (!std::exchange(is_over_, true))
        home_.session_ended(true);
}

inline void agent::die() noexcept
{
    end_session();
    tell({.what = event::kind::session_over});
    link_->is_over = true; // before others may take the home over: a turn that is still destroyed looks at nothing else
    link_->to_agent.leave();
}

// The hub's part.

inline hub::~hub() = default;

inline void hub::wake(const std::shared_ptr<link>& l)
{
    if (l->at_broker == nullptr) {
        if (l->is_over)
            return;
        make_agent(l);
    }
    l->at_broker->work();
}

inline void hub::make_agent(const std::shared_ptr<link>& l)
{
    agents_.push_back(std::make_unique<agent>(*this, l));
    const std::lock_guard lock(mutex_);
    std::erase(joining_, l);
}

inline void hub::remove(agent& a) noexcept
{
    std::erase(unflushed_, &a);
    {
        const operation scope(*this);
        std::erase_if(agents_, [&a](const auto& p) { return p.get() == &a; });
    }
    leave();
}

inline void hub::flush() noexcept
{
    for (agent* a : unflushed_)
        a->flush();
    unflushed_.clear();
}

inline void hub::flush_soon()
{
    std::erase_if(unflushed_, [](agent* a) {
        const bool now = a->should_flush();
        if (now)
            a->flush();
        return now;
    });
    if (is_home_gone_) // nothing can be posted there any more
        return flush();
    if (unflushed_.empty() || std::exchange(will_flush_, true))
        return;
    asio::post(*home_, [h = shared_from_this(), epoch = epoch()] {
        if (epoch != h->epoch())
            return; // the broker has another home by now
        h->will_flush_ = false;
        h->flush();
    });
}

inline void hub::context_ends(const std::shared_ptr<link>& l) noexcept
{
    if (l->is_over)
        return;
    if (l->at_broker == nullptr)
        make_agent(l);
    const auto at = std::find_if(agents_.begin(), agents_.end(),
                                 [&l](const auto& p) { return p.get() == l->at_broker; });
    if (at == agents_.end())
        return; // it has come to its end already
    auto a = std::move(*at);
    agents_.erase(at);
    end(std::move(a));
}

/// Its link may be in use on another thread: what is left in it goes with the broker.
inline void hub::end(std::unique_ptr<agent> a) noexcept
{
    a->die();
    flush();
    dead_agents_.push_back(std::move(a));
    leave();
}

inline void hub::context_ended() noexcept
{
    std::vector<std::shared_ptr<link>> joining;
    {
        const std::lock_guard lock(mutex_);
        is_home_gone_ = true;
        joining.swap(joining_);
    }
    stop();
    auto all = std::exchange(agents_, {});
    for (const auto& l : joining) // its sender may be about to wake the home, and must not any more
        all.push_back(std::make_unique<agent>(*this, l));
    while (!all.empty()) { // with the last of all users the home is somebody else's: nothing of the hub is touched then
        auto a = std::move(all.back());
        all.pop_back();
        end(std::move(a));
    }
}

inline void hub::drop_agents() noexcept
{
    dead_agents_.clear();
    agents_.clear();
}

} // namespace leveret::memory::detail
