#pragma once

#include "leveret/core/local_ptr.hpp"
#include "leveret/core/properties.hpp"
#include "leveret/core/short_text.hpp"
#include "leveret/io/context_watch.hpp"
#include "leveret/transport/memory/detail/hub.hpp"
#include "leveret/transport/memory/detail/link.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace leveret::memory::detail {

class channel_core;
class connection_core;
class consumer_core;
struct publish_request;

/// A consumer as its agent names it: there until the agent has said its last of it.
struct far_stream {
    consumer_core* core = nullptr; ///< null when that is gone
    bool no_ack = false;
};

/// A channel as its agent names it: there until the agent has said its last of it.
struct far_channel {
    channel_core* core = nullptr;   ///< null when that is gone or has ended
    agent_channel* there = nullptr; ///< its name at the broker; null before it has one
    std::uint64_t taken = 0;        ///< deliveries handed out of which the agent was not yet told
    std::uint64_t taken_bytes = 0;
    std::shared_ptr<const properties> last_properties;
    bool has_published = false;
    short_text last_exchange; ///< of the last publish
    short_text last_key;
    std::vector<std::unique_ptr<far_stream>> streams;
};

/// A connection's end of a link to a broker on another executor.
class far_end final : private io::context_watch {
public:
    /// To be joined, before anything else is asked of it. Throws std::bad_alloc.
    far_end(connection_core& c, std::shared_ptr<hub> h);
    /// Its way to the broker, which waits for an agent at its other end from now on.
    void join(std::shared_ptr<link> l) noexcept
    {
        link_ = std::move(l);
        link_->at_connection = this;
    }
    far_end(const far_end&) = delete;
    far_end& operator=(const far_end&) = delete;
    ~far_end();

    /// Hears what the agent told, some of it: others want their turn.
    void work();

    void call(far_call* c);
    /// Whether one more may be asked without waiting for the answer.
    [[nodiscard]] bool may_call_on() const noexcept { return calls_ < link::max_calls; }
    void publish(far_channel& to, publish_request& r, std::uint64_t tracked);
    /// Everything that was published is the agent's to see now, and not at the end of this turn of the event loop.
    void show_published()
    {
        if (unshown_ != 0)
            show();
    }
    /// The same, at the end of the turn.
    void turn_ends()
    {
        will_show_ = false;
        show_published();
    }
    void settle(const far_channel& of, std::uint64_t tag, bool multiple, engine::settlement how);
    void cancel(const far_channel& of, std::string_view tag, far_stream* s);
    /// A delivery was handed out.
    void taken(far_channel& of, std::size_t bytes);
    /// A delivery that nobody takes: back to its queue if it can.
    void give_back(far_channel& c, record* r, bool no_ack);
    /// Nobody needs this record any more.
    void release(record* r) noexcept;
    /// Now, not when more have come together.
    void release_all() noexcept;
    void end_channel(far_channel& c);
    void end_session();
    /// The connection's execution context goes away: nothing is posted to it any more.
    void context_ends() noexcept
    {
        link_->to_far_end.leave();
        end_session();
    }

    [[nodiscard]] far_channel& add_channel();
    void forget(far_channel& c) noexcept
    {
        std::erase_if(channels_, [&c](const auto& p) { return p.get() == &c; });
    }
    /// Whether the broker's execution context was destroyed: nothing will be answered any more.
    [[nodiscard]] bool is_over() const noexcept { return is_over_; }
    [[nodiscard]] far_stream* add_stream(far_channel& c, consumer_core& core, bool no_ack);

    /// Whether publishes may be sent, or too many are on their way.
    [[nodiscard]] bool has_room() noexcept
    {
        if (is_room_for(done_, done_bytes_))
            return true;
        // What the agent counts is looked at only now: its line goes from one core to the other for it.
        done_ = link_->done_publishes.load(std::memory_order_acquire);
        done_bytes_ = link_->done_bytes.load(std::memory_order_relaxed);
        return is_room_for(done_, done_bytes_);
    }
    /// The same, and if not, that there will be room is told to those who wait for it.
    [[nodiscard]] bool has_room_or_asks() noexcept
    {
        if (has_room())
            return true;
        link_->wants_room.exchange(true, std::memory_order_seq_cst); // before the counts are looked at again
        return has_room_now();
    }

private:
    /// Also when nothing of the connection waits any more that would hear of it, as when only a delivery holds it.
    void context_ended() noexcept override { context_ends(); }
    /// As has_room, in one order with what the agent does: it counts, and then asks whether room is wanted.
    [[nodiscard]] bool has_room_now() const noexcept
    {
        const std::uint64_t done = link_->done_publishes.load(std::memory_order_seq_cst);
        return is_room_for(done, link_->done_bytes.load(std::memory_order_seq_cst));
    }
    static constexpr int turn = 256;                  ///< events before others get their turn
    static constexpr std::size_t kept_records = 64;   ///< records that are not needed, before the agent is told
    static constexpr std::size_t kept_bytes = 65536;  ///< and bytes of their messages
    static constexpr std::uint64_t told_taken = 1024; ///< deliveries handed out before the agent is told
    static constexpr std::uint64_t told_taken_bytes = 4 * 1024 * 1024;

    [[nodiscard]] bool is_room_for(std::uint64_t done, std::uint64_t done_bytes) const noexcept
    {
        const std::uint64_t on_their_way = sent_ - done;
        return on_their_way == 0 ||
               (on_their_way < link::max_publishes && sent_bytes_ - done_bytes < link::max_publish_bytes);
    }
    [[nodiscard]] command& next(command::kind what, agent_channel* channel)
    {
        command& c = link_->commands.slot();
        c.what = what;
        c.channel = channel;
        return c;
    }
    void send();
    void show();
    void show_soon();
    void hear(event& e);
    void deliver(far_channel& c, record* r);
    void returned(far_channel& c, const event& e);
    void stream_over(far_channel& c, far_stream* s, bool by_broker);

    connection_core& connection_;
    std::shared_ptr<hub> home_;
    std::shared_ptr<link> link_;
    std::vector<std::unique_ptr<far_channel>> channels_;
    bool is_over_ = false;
    std::uint64_t sent_ = 0;
    std::uint64_t sent_bytes_ = 0;
    int unshown_ = 0; ///< publishes
    bool will_show_ = false;
    std::size_t calls_ = 0;  ///< on their way
    std::uint64_t done_ = 0; ///< of these, as seen last
    std::uint64_t done_bytes_ = 0;
    record* released_ = nullptr;
    std::size_t released_count_ = 0;
    std::size_t released_bytes_ = 0;
};

inline void far_end::send()
{
    link_->commands.commit();
    show();
}

inline void far_end::show()
{
    unshown_ = 0;
    if (link_->commands.publish())
        link_->to_agent.wake(agent_turn(home_, link_));
}

inline void far_end::show_soon()
{
    link_->commands.commit();
    if (++unshown_ >= link::shown_together || link_->commands.may_sleep())
        return show();
    if (!std::exchange(will_show_, true))
        link_->to_far_end.wake([l = link_] { far_end_show(*l); });
}

inline void far_end::call(far_call* c)
{
    next(command::kind::call, nullptr).object = c;
    ++calls_;
    send();
}

inline void far_end::settle(const far_channel& of, std::uint64_t tag, bool multiple, engine::settlement how)
{
    command& c = next(command::kind::settle, of.there);
    c.number = tag;
    c.multiple = multiple;
    c.how = how;
    send();
}

inline void far_end::cancel(const far_channel& of, std::string_view tag, far_stream* s)
{
    command& c = next(command::kind::cancel, of.there);
    c.exchange = tag;
    c.object = s;
    send();
}

inline void far_end::taken(far_channel& of, std::size_t bytes)
{
    if (of.core == nullptr) // its end was told, or the broker told it: the name at the broker may be nobody's
        return;
    of.taken_bytes += bytes;
    if (++of.taken < told_taken && of.taken_bytes < told_taken_bytes)
        return;
    command& c = next(command::kind::taken, of.there);
    c.number = std::exchange(of.taken, 0);
    c.bytes = std::exchange(of.taken_bytes, 0);
    send();
}

inline void far_end::release(record* r) noexcept
{
    released_bytes_ += r->message->body().size();
    r->next = released_;
    released_ = r;
    if (++released_count_ >= kept_records || released_bytes_ >= kept_bytes)
        release_all();
}

inline void far_end::release_all() noexcept
{
    if (released_ == nullptr)
        return;
    next(command::kind::release, nullptr).object = std::exchange(released_, nullptr);
    released_count_ = 0;
    released_bytes_ = 0;
    send();
}

inline void far_end::end_channel(far_channel& c)
{
    c.core = nullptr;
    static_cast<void>(next(command::kind::end_channel, c.there));
    send();
}

inline void far_end::end_session()
{
    static_cast<void>(next(command::kind::end_session, nullptr));
    send();
}

inline far_channel& far_end::add_channel()
{
    channels_.push_back(std::make_unique<far_channel>());
    return *channels_.back();
}

inline far_stream* far_end::add_stream(far_channel& c, consumer_core& core, bool no_ack)
{
    c.streams.push_back(std::make_unique<far_stream>());
    c.streams.back()->core = &core;
    c.streams.back()->no_ack = no_ack;
    return c.streams.back().get();
}

inline void far_end_show(link& l)
{
    if (l.at_connection != nullptr)
        l.at_connection->turn_ends();
}

inline void far_end_work(link& l)
{
    if (l.at_connection != nullptr)
        l.at_connection->work();
}

} // namespace leveret::memory::detail
