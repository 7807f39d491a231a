#pragma once

#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/transport/memory/detail/channel_core.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace leveret::memory {

using leveret::ack_options;
using leveret::nack_options;

/// A message from a queue: as amqp::delivery, but that the message is the broker's own, shared with the queues
/// that hold it. Settled once; destroyed unsettled it goes back to its queue. One that is default-constructed
/// or moved from can only be assigned to and destroyed.
///
/// Views into it are valid while it lives. Thread safety: belongs to its connection's executor. `payload()` may
/// travel.
class delivery {
public:
    delivery() noexcept = default;
    delivery(delivery&& o) noexcept : record_(std::exchange(o.record_, nullptr)) {}
    delivery& operator=(delivery&& o) noexcept
    {
        if (this != &o) {
            release_record();
            record_ = std::exchange(o.record_, nullptr);
        }
        return *this;
    }
    ~delivery() { release_record(); }

    /// The body as text.
    [[nodiscard]] std::string_view body() const noexcept { return record_->message->body().view(); }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return record_->message->body().bytes(); }
    /// The body, shared: may outlive the delivery and be used on any thread.
    [[nodiscard]] leveret::payload payload() const noexcept { return record_->message->body(); }
    /// Body (shared) and properties (copied) as a value.
    [[nodiscard]] leveret::message message() const { return leveret::message(payload(), properties()); }

    [[nodiscard]] const leveret::properties& properties() const noexcept { return record_->message->properties(); }
    [[nodiscard]] const table& headers() const noexcept { return properties().headers(); }
    [[nodiscard]] std::string_view exchange() const noexcept { return record_->message->exchange(); }
    [[nodiscard]] std::string_view routing_key() const noexcept { return record_->message->routing_key(); }
    /// Whether it was delivered before and came back.
    [[nodiscard]] bool redelivered() const noexcept { return record_->redelivered; }
    /// Number of the delivery on its channel.
    [[nodiscard]] std::uint64_t delivery_tag() const noexcept { return record_->tag; }

    /// Tells the broker that the message is done. False if it was settled before, needs no acknowledgement, or
    /// its channel ended.
    bool ack(ack_options o = {}) { return settle(engine::settlement::ack, o.multiple); }
    /// Gives it back, to be delivered again at once unless told otherwise.
    bool nack(nack_options o = {})
    {
        return settle(o.requeue ? engine::settlement::requeue : engine::settlement::discard, o.multiple);
    }
    /// Refuses it: the broker drops it, or dead-letters it if the queue says so.
    bool reject() { return settle(engine::settlement::discard, false); }

    [[nodiscard]] bool is_settled() const noexcept
    {
        return record_ == nullptr || record_->channel == nullptr ||
               !record_->channel->deliveries.is_open(record_->tag);
    }
    /// Gives up the automatic requeue: see amqp::delivery::release.
    std::uint64_t release() noexcept
    {
        static_cast<void>(take_channel());
        return record_->tag;
    }

private:
    friend class channel;
    friend class consumer;
    /// With a channel it wants to be settled.
    delivery(detail::channel_core* channel, detail::record* r) noexcept : record_(r)
    {
        r->channel = local_ptr<detail::channel_core>(channel).detach();
    }

    [[nodiscard]] local_ptr<detail::channel_core> take_channel() noexcept
    {
        return local_ptr<detail::channel_core>::adopt(std::exchange(record_->channel, nullptr));
    }
    bool settle(engine::settlement how, bool multiple)
    {
        if (record_ == nullptr || record_->channel == nullptr)
            return false;
        const local_ptr<detail::channel_core> channel = take_channel();
        return channel->settle(record_->tag, how, multiple);
    }
    void release_record() noexcept
    {
        if (record_ == nullptr)
            return;
        if (record_->channel != nullptr)
            settle(engine::settlement::requeue, false);
        const auto connection =
            local_ptr<detail::connection_core>::adopt(std::exchange(record_->connection, nullptr));
        connection->recycle(std::exchange(record_, nullptr));
    }

    detail::record* record_ = nullptr;
};

} // namespace leveret::memory
