#pragma once

#include "leveret/core/ring_queue.hpp"
#include "leveret/engine/confirms.hpp"
#include "leveret/engine/content_assembly.hpp"
#include "leveret/engine/failure.hpp"
#include "leveret/engine/operation.hpp"
#include "leveret/engine/settlements.hpp"
#include "leveret/wire/types.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leveret::engine {

/// A channel's life. A number is free again when its channel is `closed` and nothing more can arrive
/// for it.
///
///     closed --open--> opening --open-ok--> open --close--> closing --close-ok--> closed
///                                             `--- close from the broker --------^
enum class channel_state : std::uint8_t { closed, opening, open, closing };

/// What a client knows of one channel. Belongs to a `client`, which does all that happens to it; the
/// layer above derives from it to find its own state again in events.
class client_channel {
public:
    client_channel() = default;
    client_channel(const client_channel&) = delete;
    client_channel& operator=(const client_channel&) = delete;

    [[nodiscard]] std::uint16_t number() const noexcept { return number_; }
    [[nodiscard]] channel_state state() const noexcept { return state_; }
    [[nodiscard]] bool is_open() const noexcept { return state_ == channel_state::open; }
    /// Why it ended; empty while it lives.
    [[nodiscard]] const failure& reason() const noexcept { return reason_; }
    /// False while the broker asks not to be sent content (channel.flow).
    [[nodiscard]] bool flow_active() const noexcept { return flow_active_; }
    [[nodiscard]] bool is_confirming() const noexcept { return confirming_; }
    [[nodiscard]] bool is_transactional() const noexcept { return transactional_; }
    /// While basic.recover is answered: what arrives for acknowledgement will come again.
    [[nodiscard]] bool is_recovering() const noexcept { return recovering_ != 0; }

    [[nodiscard]] settlements& deliveries() noexcept { return deliveries_; }
    [[nodiscard]] confirms& publishes() noexcept { return publishes_; }

protected:
    ~client_channel() = default;

private:
    friend class client;

    /// A request in flight. Its operation is null when nobody waits any more; the answer is still read.
    struct pending {
        operation* op = nullptr;
        wire::method_number request;
        wire::method_number answer;
        bool no_ack = false; // of basic.get
        std::string tag{};   // of basic.consume and basic.cancel
    };

    /// Position of the request that is answered, or the number of requests if none is. Answers of one
    /// kind come in order, but one kind may overtake another: RabbitMQ leaves consume-ok and cancel-ok to
    /// the queue, and commit-ok waits for messages to be safe, while the channel goes on.
    [[nodiscard]] std::size_t find_request(wire::method_number answer,
                                           std::string_view tag = {}) const noexcept
    {
        std::size_t i = 0;
        while (i < pending_.size() && (pending_[i].answer != answer || pending_[i].tag != tag))
            ++i;
        return i;
    }

    ring_queue<pending> pending_;
    content_assembly assembly_;
    std::size_t held_bytes_ = 0; // of assembly_, as the client has counted them
    settlements deliveries_;
    confirms publishes_;
    failure reason_;
    std::uint16_t number_ = 0;
    channel_state state_ = channel_state::closed;
    bool flow_active_ = true;
    bool confirming_ = false;
    bool transactional_ = false;
    std::uint32_t recovering_ = 0;
    bool has_settlements_ = false; // in the client's list of channels to flush
};

} // namespace leveret::engine
