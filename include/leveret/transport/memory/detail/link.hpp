#pragma once

#include "leveret/broker/error.hpp"
#include "leveret/core/payload.hpp"
#include "leveret/core/properties.hpp"
#include "leveret/core/reply_code.hpp"
#include "leveret/core/returned_message.hpp"
#include "leveret/engine/settlements.hpp"
#include "leveret/io/mailbox.hpp"
#include "leveret/transport/memory/detail/record.hpp"
#include "leveret/wire/method.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/post.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace leveret::memory::detail {

// A connection whose executor is not the broker's. Its two ends share a link and nothing else: the far end, with
// the connection, and its agent, with the broker. Each touches only what is its own; what belongs to the other
// end is a name for it there, which is sent back and forth.
class agent;
class agent_channel;
class far_end;
struct far_channel;
struct far_stream;

/// Something that is asked of the broker and answered. It is made by the far end, goes to the agent, comes back
/// with the answer, and belongs to who has it.
class far_call {
public:
    far_call() noexcept = default;
    far_call(const far_call&) = delete;
    far_call& operator=(const far_call&) = delete;
    virtual ~far_call() = default;
    /// On the broker's executor.
    virtual void ask(agent& a) = 0;
    /// On the connection's executor, in order with all that the broker told.
    virtual void answered(far_end& e) = 0;
};

/// What the far end tells the agent. What a publish needs that differs in nothing but its body from the one before is in
/// the first 64 bytes, which on the machines that we know go from core to core in one piece.
struct alignas(64) command {
    enum class kind : std::uint8_t {
        publish,     ///< with the texts and the body
        settle,      ///< number: the tag
        call,        ///< object: a far_call
        cancel,      ///< a consumer, named by the texts' exchange; object: its far_stream
        taken,       ///< number deliveries of `bytes` bytes were handed out
        release,     ///< object: records, linked, that nobody needs any more
        end_channel, ///< the last of its channel
        end_session,
        gone ///< the last of all
    };
    kind what = kind::gone;
    bool mandatory = false;
    bool immediate = false;
    bool is_timed = false;
    bool same_address = false; ///< publish: exchange and routing key as of the channel's publish before
    bool has_properties = false; ///< publish
    bool multiple = false;
    engine::settlement how = engine::settlement::open;
    agent_channel* channel = nullptr;
    std::uint64_t number = 0; ///< of a publish whose return somebody waits for: its number, else 0
    payload body;
    void* object = nullptr;
    std::uint64_t bytes = 0;
    std::shared_ptr<const leveret::properties> properties;
    std::string exchange;
    std::string routing_key;
};

/// What the agent tells the far end.
struct event {
    enum class kind : std::uint8_t {
        deliver,     ///< object: a record
        confirmed,   ///< number, flags
        returned,    ///< object: a returned_message; number: of the publish that somebody waits for, or 0
        stream_over, ///< object: a far_stream; flag: the broker cancelled it
        refused,     ///< object: a refusal
        answer,      ///< object: a far_call
        recovers,    ///< what was delivered before comes again
        channel_over,
        blocked, ///< object: a std::string
        unblocked,
        room,         ///< for publishing
        session_over, ///< the broker's executor is gone; flag: the broker has no memory for what was asked
    };
    kind what = kind::room;
    bool multiple = false;
    bool flag = false; ///< confirmed: taken
    far_channel* channel = nullptr;
    void* object = nullptr;
    std::uint64_t number = 0;
};

/// What the broker has against something that nobody waits for.
struct refusal {
    leveret::broker::error why;
    wire::method_number cause;
};

/// Deletes what an event has that nobody will look at. Records are not among these.
inline void discard(const event& e) noexcept
{
    switch (e.what) {
    case event::kind::returned: delete static_cast<returned_message*>(e.object); break;
    case event::kind::refused: delete static_cast<refusal*>(e.object); break;
    case event::kind::answer: delete static_cast<far_call*>(e.object); break;
    case event::kind::blocked: delete static_cast<std::string*>(e.object); break;
    default: break;
    }
}

/// An executor to wake, until it is gone.
class wakeable {
public:
    explicit wakeable(asio::any_io_executor e) : executor_(std::move(e)) {}
    /// Posts the handler; one that can't be posted any more is disarmed, if it can be, and tells nobody that it was dropped.
    /// Without memory for that the program ends.
    template <class Handler>
    void wake(Handler h) noexcept
    {
        const std::lock_guard lock(mutex_);
        if (!is_gone_)
            asio::post(executor_, std::move(h));
        else if constexpr (requires { h.disarm(); })
            h.disarm();
    }
    /// From here on nothing is posted to it. It can't be destroyed while something is.
    void leave() noexcept
    {
        const std::lock_guard lock(mutex_);
        is_gone_ = true;
    }

private:
    std::mutex mutex_;
    asio::any_io_executor executor_;
    bool is_gone_ = false;
};

class link;
/// What the agent told is heard, on the connection's executor.
void far_end_work(link& l);
/// What it published is shown to the agent, on the connection's executor.
void far_end_show(link& l);

/// What the two ends share.
class link {
public:
    /// Publishes, and bytes of their bodies, that may be on their way to the broker at once. One larger body goes
    /// when nothing else is.
    static constexpr std::uint64_t max_publishes = 4096;
    static constexpr std::uint64_t max_publish_bytes = 4 * 1024 * 1024;
    /// Operations on their way: above that even one with no_wait waits for its answer.
    static constexpr std::size_t max_calls = 4096;

    /// Messages that are shown to the other end at once: each time costs as much as all the rest of a message.
    static constexpr int shown_together = 16;

    link(asio::any_io_executor broker, asio::any_io_executor connection)
        : to_agent(std::move(broker)), to_far_end(std::move(connection))
    {
    }

    io::mailbox<command> commands;
    io::mailbox<event> events;
    wakeable to_agent;
    wakeable to_far_end;
    agent* at_broker = nullptr;       ///< the broker's executor's
    bool is_over = false;             ///< the home's, where this came to be: its agent has nothing to do any more
    far_end* at_connection = nullptr; ///< the connection's
    record_pool records;              ///< the broker's executor's; emptied by who has the link last
    std::atomic<std::uint64_t> done_publishes{0};
    std::atomic<std::uint64_t> done_bytes{0};
    std::atomic<bool> wants_room{false};
};

} // namespace leveret::memory::detail
