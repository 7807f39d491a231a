#pragma once

#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/transport/amqp/detail/channel_core.hpp"
#include "leveret/wire/content_header.hpp"
#include "leveret/wire/table_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace leveret::amqp {

/// A message from a queue, to be settled once: `ack()`, `nack()` or `reject()`. Destroyed unsettled it
/// goes back to its queue. Settling does not wait: what is settled in one turn is told to the broker
/// together, deliveries in a row by one frame. A delivery whose channel has ended can't be settled any
/// more (the broker has requeued it already); then settling does nothing.
///
/// One that is default-constructed or moved from can only be assigned to and destroyed.
///
/// Views into it are valid while it lives. It keeps the memory that it was read into (64 KiB, shared
/// with its neighbours); `payload().copy()` or `message()` outlive it at a cost.
///
/// Thread safety: belongs to its connection's executor. `payload()` may travel.
class delivery {
public:
    delivery() noexcept = default;
    delivery(delivery&&) noexcept = default;
    delivery& operator=(delivery&& o) noexcept
    {
        if (this != &o) {
            give_back();
            message_ = std::move(o.message_);
        }
        return *this;
    }
    ~delivery() { give_back(); }

    /// The body as text.
    [[nodiscard]] std::string_view body() const noexcept { return message_.body(); }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept
    {
        return {reinterpret_cast<const std::byte*>(message_.body().data()), message_.body().size()};
    }
    /// The body, shared: may outlive the delivery and be used on any thread.
    [[nodiscard]] leveret::payload payload() const noexcept { return message_.shared_body(); }
    /// Body (shared) and properties (copied) as a value.
    [[nodiscard]] leveret::message message() const
    {
        return leveret::message(payload(), wire::decode_properties(message_.properties()));
    }

    /// The properties where they were received; each is looked up when asked for.
    [[nodiscard]] wire::properties_view properties() const noexcept { return message_.properties(); }
    /// The header table, decoded; empty if there is none.
    [[nodiscard]] table headers() const { return wire::decode_table(message_.properties().headers()); }
    [[nodiscard]] std::string_view exchange() const noexcept { return message_.exchange(); }
    [[nodiscard]] std::string_view routing_key() const noexcept { return message_.routing_key(); }
    /// Whether it was delivered before and came back.
    [[nodiscard]] bool redelivered() const noexcept { return message_.redelivered(); }
    /// Number of the delivery on its channel.
    [[nodiscard]] std::uint64_t delivery_tag() const noexcept { return message_.tag(); }

    /// Tells the broker that the message is done. False if it was settled before, needs no
    /// acknowledgement, or its channel ended.
    bool ack(ack_options options = {}) { return settle(engine::settlement::ack, options.multiple); }
    /// Gives it back, to be delivered again at once unless told otherwise.
    bool nack(nack_options options = {})
    {
        return settle(options.requeue ? engine::settlement::requeue : engine::settlement::discard,
                      options.multiple);
    }
    /// Refuses it: the broker drops it, or dead-letters it if the queue says so.
    bool reject() { return settle(engine::settlement::discard, false); }

    [[nodiscard]] bool is_settled() const noexcept
    {
        const detail::received_record* r = message_.get();
        return r == nullptr || r->channel == nullptr || !r->channel->deliveries().is_open(r->tag);
    }
    /// Gives up the automatic requeue: the delivery can be destroyed, and is settled later by
    /// `channel::ack` with the tag that this returns, or by a `multiple` of a later one.
    std::uint64_t release() noexcept
    {
        static_cast<void>(take_channel());
        return message_.tag();
    }

private:
    friend class channel;
    friend class consumer;
    /// With a channel it wants to be settled.
    delivery(detail::channel_core* channel, detail::received_message m) noexcept : message_(std::move(m))
    {
        message_.get()->channel = local_ptr<detail::channel_core>(channel).detach();
    }

    [[nodiscard]] local_ptr<detail::channel_core> take_channel() noexcept
    {
        return local_ptr<detail::channel_core>::adopt(
            std::exchange(message_.get()->channel, nullptr));
    }
    bool settle(engine::settlement how, bool multiple)
    {
        if (!message_ || message_.get()->channel == nullptr)
            return false;
        const local_ptr<detail::channel_core> channel = take_channel();
        engine::client& engine = channel->connection->engine;
        const bool news = multiple ? engine.settle_up_to(*channel, message_.tag(), how) != 0
                                   : engine.settle(*channel, message_.tag(), how);
        if (news)
            channel->connection->flush_soon();
        return news;
    }
    void give_back() noexcept
    {
        if (message_ && message_.get()->channel != nullptr)
            settle(engine::settlement::requeue, false);
    }

    detail::received_message message_; // one pointer: a delivery is moved several times on its way
};

} // namespace leveret::amqp
