#pragma once

#include "leveret/broker/stored_message.hpp"
#include "leveret/core/reply_code.hpp"

#include <cstdint>
#include <string_view>

namespace leveret::broker {

class consumer;

/// A message on its way to a consumer. Valid during the call; `message_ptr(&message)` keeps the message.
struct delivery {
    stored_message& message;
    std::uint64_t tag;
    bool redelivered;
};

/// Whether a channel takes more deliveries after this one.
enum class flow : std::uint8_t {
    more,
    enough, ///< none before `channel::resume()`: for a socket that isn't read, a mailbox that is full
};

/// What a channel tells its front end. The calls come from inside operations of any channel of the broker
/// and must not call back into the broker (it asserts that): a front end queues what follows.
class channel_listener {
public:
    /// A consumer begins: comes before its first delivery, inside `consume`.
    virtual void consuming(consumer&) noexcept {}
    /// A message for a consumer of this channel. With acknowledgement it stays in the channel until it is
    /// settled by its tag.
    virtual flow deliver(consumer& to, const delivery& d) noexcept = 0;
    /// A mandatory message that reached no queue (312 NO_ROUTE). Comes before its confirmation.
    virtual void returned(stored_message& m, reply_code code, std::string_view text) noexcept = 0;
    /// The broker has taken the message with this number (basic.ack), or refused it (basic.nack); with
    /// `multiple`, all up to it. Numbers count publishes from 1 since confirm_select.
    virtual void confirmed(std::uint64_t number, bool multiple, bool taken) noexcept = 0;
    /// The broker ended this consumer, for its queue is gone. The consumer goes after this call.
    virtual void consumer_cancelled(consumer& c) noexcept = 0;

protected:
    ~channel_listener() = default;
};

/// What a session tells its front end. The same rule holds.
class session_listener {
public:
    /// Messages take too much memory: the front end shall take no more publishes of this session. Told
    /// when the session publishes; a message that comes nevertheless is stored.
    virtual void blocked(std::string_view reason) noexcept = 0;
    virtual void unblocked() noexcept = 0;

protected:
    ~session_listener() = default;
};

} // namespace leveret::broker
