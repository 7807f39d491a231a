#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/core/queue_info.hpp"
#include "leveret/core/returned_message.hpp"
#include "leveret/transport/any/consumer.hpp"
#include "leveret/transport/any/delivery.hpp"
#include "leveret/transport/any/detail/channel_model.hpp"
#include "leveret/transport/any/publisher.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leveret {

/// A channel of any transport: each operation as amqp::channel's of the same name, with the transport's own errors. A
/// cheap handle; copies are the same channel. One that is default-constructed or moved from throws usage_error where
/// there is something to ask. Thread safety: belongs to its connection's executor.
class any_channel {
public:
    using publisher_type = any_publisher;

    any_channel() noexcept = default;
    template <class C>
        requires(!std::is_same_v<C, any_channel>) && channel<C>
    explicit any_channel(C c)
        : model_(new detail::channel_model_of<C>(std::move(c)))
    {
    }

    [[nodiscard]] std::uint16_t number() const { return model_ ? model_->number() : std::uint16_t{0}; }
    [[nodiscard]] bool is_open() const { return model_ && model_->is_open(); }
    [[nodiscard]] asio::any_io_executor get_executor() const { return model().get_executor(); }

    // Exchanges.

    [[nodiscard]] asio::awaitable<void> declare_exchange(std::string_view name, std::string_view type,
                                                         exchange_options o = {})
    {
        return model().declare_exchange(name, type, o);
    }
    [[nodiscard]] asio::awaitable<void> delete_exchange(std::string_view name, delete_exchange_options o = {})
    {
        return model().delete_exchange(name, o);
    }
    [[nodiscard]] asio::awaitable<void> bind_exchange(std::string_view destination, std::string_view source,
                                                      std::string_view routing_key = {}, bind_options o = {})
    {
        return model().bind_exchange(destination, source, routing_key, o);
    }
    [[nodiscard]] asio::awaitable<void> unbind_exchange(std::string_view destination, std::string_view source,
                                                        std::string_view routing_key = {}, bind_options o = {})
    {
        return model().unbind_exchange(destination, source, routing_key, o);
    }

    // Queues.

    [[nodiscard]] asio::awaitable<queue_info> declare_queue(std::string_view name = {}, queue_options o = {})
    {
        return model().declare_queue(name, o);
    }
    [[nodiscard]] asio::awaitable<std::uint32_t> delete_queue(std::string_view name, delete_queue_options o = {})
    {
        return model().delete_queue(name, o);
    }
    [[nodiscard]] asio::awaitable<std::uint32_t> purge_queue(std::string_view name, call_options o = {})
    {
        return model().purge_queue(name, o);
    }
    [[nodiscard]] asio::awaitable<void> bind_queue(std::string_view queue, std::string_view exchange,
                                                   std::string_view routing_key = {}, bind_options o = {})
    {
        return model().bind_queue(queue, exchange, routing_key, o);
    }
    [[nodiscard]] asio::awaitable<void> unbind_queue(std::string_view queue, std::string_view exchange,
                                                     std::string_view routing_key = {}, bind_options o = {})
    {
        return model().unbind_queue(queue, exchange, routing_key, o);
    }

    // Publishing.

    [[nodiscard]] asio::awaitable<void> publish(std::string_view exchange, std::string_view routing_key,
                                                std::string_view body, publish_options o = {})
    {
        return model().publish(exchange, routing_key, body, o);
    }
    [[nodiscard]] asio::awaitable<void> publish(std::string_view exchange, std::string_view routing_key,
                                                std::span<const std::byte> body, publish_options o = {})
    {
        return model().publish(exchange, routing_key, as_text(body), o);
    }
    [[nodiscard]] asio::awaitable<void> publish(std::string_view exchange, std::string_view routing_key,
                                                const message& m, publish_options o = {})
    {
        return model().publish(exchange, routing_key, m, o);
    }
    bool try_publish(std::string_view exchange, std::string_view routing_key, const message& m,
                     publish_options o = {})
    {
        return model().try_publish(exchange, routing_key, m, o);
    }
    bool try_publish(std::string_view exchange, std::string_view routing_key, std::string_view body,
                     publish_options o = {})
    {
        return model().try_publish(exchange, routing_key, body, o);
    }
    bool try_publish(std::string_view exchange, std::string_view routing_key, std::span<const std::byte> body,
                     publish_options o = {})
    {
        return model().try_publish(exchange, routing_key, as_text(body), o);
    }
    [[nodiscard]] asio::awaitable<publish_result> publish_confirmed(std::string_view exchange,
                                                                    std::string_view routing_key,
                                                                    std::string_view body,
                                                                    confirmed_publish_options o = {})
    {
        return model().publish_confirmed(exchange, routing_key, body, o);
    }
    [[nodiscard]] asio::awaitable<publish_result> publish_confirmed(std::string_view exchange,
                                                                    std::string_view routing_key,
                                                                    std::span<const std::byte> body,
                                                                    confirmed_publish_options o = {})
    {
        return model().publish_confirmed(exchange, routing_key, as_text(body), o);
    }
    [[nodiscard]] asio::awaitable<publish_result> publish_confirmed(std::string_view exchange,
                                                                    std::string_view routing_key,
                                                                    const message& m,
                                                                    confirmed_publish_options o = {})
    {
        return model().publish_confirmed(exchange, routing_key, m, o);
    }
    [[nodiscard]] asio::awaitable<void> select_confirms(call_options o = {}) { return model().select_confirms(o); }
    [[nodiscard]] asio::awaitable<returned_message> next_return(next_options o = {})
    {
        return model().next_return(o);
    }
    /// How many returned messages were dropped because nobody took them; 0 where the transport does not tell.
    [[nodiscard]] std::uint64_t lost_returns() const { return model_ ? model_->lost_returns() : 0; }

    // Consuming.

    [[nodiscard]] asio::awaitable<any_consumer> consume(std::string_view queue, consume_options o = {})
    {
        return model().consume(queue, o);
    }
    [[nodiscard]] asio::awaitable<std::optional<any_delivery>> get(std::string_view queue, get_options o = {})
    {
        return model().get(queue, o);
    }
    bool ack(std::uint64_t delivery_tag, ack_options o = {}) { return model_ && model_->ack(delivery_tag, o); }
    bool nack(std::uint64_t delivery_tag, nack_options o = {}) { return model_ && model_->nack(delivery_tag, o); }
    bool reject(std::uint64_t delivery_tag) { return model_ && model_->reject(delivery_tag); }
    [[nodiscard]] asio::awaitable<void> set_prefetch(std::uint16_t count, bool global = false, call_options o = {})
    {
        return model().set_prefetch(count, global, o);
    }
    [[nodiscard]] asio::awaitable<void> recover(bool requeue = true, call_options o = {})
    {
        return model().recover(requeue, o);
    }

    // Transactions.

    [[nodiscard]] asio::awaitable<void> select_transactions(call_options o = {})
    {
        return model().select_transactions(o);
    }
    [[nodiscard]] asio::awaitable<void> commit(call_options o = {}) { return model().commit(o); }
    [[nodiscard]] asio::awaitable<void> rollback(call_options o = {}) { return model().rollback(o); }

    /// Asks the broker to pause or resume deliveries. Throws usage_error (errc::not_supported), at once, where the
    /// transport knows no such thing.
    [[nodiscard]] asio::awaitable<void> flow(bool active, call_options o = {}) { return model().flow(active, o); }
    [[nodiscard]] bool flow_active() const { return model_ && model_->flow_active(); }

    [[nodiscard]] asio::awaitable<void> close(call_options o = {})
    {
        if (!model_)
            return nothing();
        return model_->close(o);
    }

private:
    friend class any_publisher;
    [[nodiscard]] detail::channel_model& model() const
    {
        if (!model_)
            throw_invalid_argument("a channel that was moved from, or never opened");
        return *model_;
    }
    [[nodiscard]] static std::string_view as_text(std::span<const std::byte> b) noexcept
    {
        return {reinterpret_cast<const char*>(b.data()), b.size()};
    }
    [[nodiscard]] static asio::awaitable<void> nothing() { co_return; }

    local_ptr<detail::channel_model> model_;
};

static_assert(channel<any_channel>);

inline any_publisher::any_publisher(const any_channel& c, publisher_options o)
    : model_(c.model().make_publisher(o))
{
}

} // namespace leveret
