#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/core/queue_info.hpp"
#include "leveret/core/returned_message.hpp"
#include "leveret/transport/any/consumer.hpp"
#include "leveret/transport/any/delivery.hpp"
#include "leveret/transport/any/publisher.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::detail {

/// The channel in an any_channel. An operation is one virtual call that returns the transport's own awaitable; only
/// those that give a consumer or a delivery have a coroutine around it.
class channel_model : public local_counted {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;
    using text = std::string_view;

    virtual ~channel_model() = default;
    [[nodiscard]] virtual std::uint16_t number() const = 0;
    [[nodiscard]] virtual bool is_open() const = 0;
    [[nodiscard]] virtual asio::any_io_executor get_executor() const = 0;

    [[nodiscard]] virtual awaitable<void> declare_exchange(text name, text type, const exchange_options& o) = 0;
    [[nodiscard]] virtual awaitable<void> delete_exchange(text name, delete_exchange_options o) = 0;
    [[nodiscard]] virtual awaitable<void> bind_exchange(text destination, text source, text key, bind_options o) = 0;
    [[nodiscard]] virtual awaitable<void> unbind_exchange(text destination, text source, text key, bind_options o) = 0;

    [[nodiscard]] virtual awaitable<queue_info> declare_queue(text name, const queue_options& o) = 0;
    [[nodiscard]] virtual awaitable<std::uint32_t> delete_queue(text name, delete_queue_options o) = 0;
    [[nodiscard]] virtual awaitable<std::uint32_t> purge_queue(text name, call_options o) = 0;
    [[nodiscard]] virtual awaitable<void> bind_queue(text queue, text exchange, text key, bind_options o) = 0;
    [[nodiscard]] virtual awaitable<void> unbind_queue(text queue, text exchange, text key, bind_options o) = 0;

    [[nodiscard]] virtual awaitable<void> publish(text exchange, text key, text body, publish_options o) = 0;
    [[nodiscard]] virtual awaitable<void> publish(text exchange, text key, const message& m, publish_options o) = 0;
    virtual bool try_publish(text exchange, text key, text body, publish_options o) = 0;
    virtual bool try_publish(text exchange, text key, const message& m, publish_options o) = 0;
    [[nodiscard]] virtual awaitable<publish_result> publish_confirmed(text exchange, text key, text body,
                                                                      confirmed_publish_options o) = 0;
    [[nodiscard]] virtual awaitable<publish_result> publish_confirmed(text exchange, text key, const message& m,
                                                                      confirmed_publish_options o) = 0;
    [[nodiscard]] virtual awaitable<void> select_confirms(call_options o) = 0;
    [[nodiscard]] virtual awaitable<returned_message> next_return(next_options o) = 0;
    [[nodiscard]] virtual std::uint64_t lost_returns() const = 0;
    [[nodiscard]] virtual std::unique_ptr<publisher_model> make_publisher(publisher_options o) = 0;

    [[nodiscard]] virtual awaitable<any_consumer> consume(text queue, const consume_options& o) = 0;
    [[nodiscard]] virtual awaitable<std::optional<any_delivery>> get(text queue, get_options o) = 0;
    virtual bool ack(std::uint64_t tag, ack_options o) = 0;
    virtual bool nack(std::uint64_t tag, nack_options o) = 0;
    virtual bool reject(std::uint64_t tag) = 0;
    [[nodiscard]] virtual awaitable<void> set_prefetch(std::uint16_t count, bool global, call_options o) = 0;
    [[nodiscard]] virtual awaitable<void> recover(bool requeue, call_options o) = 0;

    [[nodiscard]] virtual awaitable<void> select_transactions(call_options o) = 0;
    [[nodiscard]] virtual awaitable<void> commit(call_options o) = 0;
    [[nodiscard]] virtual awaitable<void> rollback(call_options o) = 0;

    [[nodiscard]] virtual awaitable<void> flow(bool active, call_options o) = 0;
    [[nodiscard]] virtual bool flow_active() const = 0;
    [[nodiscard]] virtual awaitable<void> close(call_options o) = 0;
};

[[noreturn]] inline void throw_not_there(const char* what)
{
    throw usage_error(make_error_code(errc::not_supported),
                      std::string("this transport has no ") + what);
}

template <channel C>
class channel_model_of final : public channel_model {
public:
    explicit channel_model_of(C c) : channel_(std::move(c)) {}

    std::uint16_t number() const override { return channel_.number(); }
    bool is_open() const override { return channel_.is_open(); }
    asio::any_io_executor get_executor() const override { return channel_.get_executor(); }

    awaitable<void> declare_exchange(text name, text type, const exchange_options& o) override
    {
        return channel_.declare_exchange(name, type, o);
    }
    awaitable<void> delete_exchange(text name, delete_exchange_options o) override
    {
        return channel_.delete_exchange(name, o);
    }
    awaitable<void> bind_exchange(text destination, text source, text key, bind_options o) override
    {
        return channel_.bind_exchange(destination, source, key, o);
    }
    awaitable<void> unbind_exchange(text destination, text source, text key, bind_options o) override
    {
        return channel_.unbind_exchange(destination, source, key, o);
    }

    awaitable<queue_info> declare_queue(text name, const queue_options& o) override
    {
        return channel_.declare_queue(name, o);
    }
    awaitable<std::uint32_t> delete_queue(text name, delete_queue_options o) override
    {
        return channel_.delete_queue(name, o);
    }
    awaitable<std::uint32_t> purge_queue(text name, call_options o) override
    {
        return channel_.purge_queue(name, o);
    }
    awaitable<void> bind_queue(text queue, text exchange, text key, bind_options o) override
    {
        return channel_.bind_queue(queue, exchange, key, o);
    }
    awaitable<void> unbind_queue(text queue, text exchange, text key, bind_options o) override
    {
        return channel_.unbind_queue(queue, exchange, key, o);
    }

    awaitable<void> publish(text exchange, text key, text body, publish_options o) override
    {
        return channel_.publish(exchange, key, body, o);
    }
    awaitable<void> publish(text exchange, text key, const message& m, publish_options o) override
    {
        return channel_.publish(exchange, key, m, o);
    }
    bool try_publish(text exchange, text key, text body, publish_options o) override
    {
        return channel_.try_publish(exchange, key, body, o);
    }
    bool try_publish(text exchange, text key, const message& m, publish_options o) override
    {
        return channel_.try_publish(exchange, key, m, o);
    }
    awaitable<publish_result> publish_confirmed(text exchange, text key, text body,
                                                confirmed_publish_options o) override
    {
        return channel_.publish_confirmed(exchange, key, body, o);
    }
    awaitable<publish_result> publish_confirmed(text exchange, text key, const message& m,
                                                confirmed_publish_options o) override
    {
        return channel_.publish_confirmed(exchange, key, m, o);
    }
    awaitable<void> select_confirms(call_options o) override { return channel_.select_confirms(o); }
    awaitable<returned_message> next_return(next_options o) override { return channel_.next_return(o); }
    std::uint64_t lost_returns() const override
    {
        if constexpr (requires { channel_.lost_returns(); })
            return channel_.lost_returns();
        else
            return 0;
    }
    std::unique_ptr<publisher_model> make_publisher(publisher_options o) override
    {
        if constexpr (requires { typename C::publisher_type; })
            return std::make_unique<publisher_model_of<typename C::publisher_type>>(channel_, o);
        else
            throw_not_there("publisher");
    }

    awaitable<any_consumer> consume(text queue, const consume_options& o) override
    {
        return consumer_of(channel_.consume(queue, o));
    }
    awaitable<std::optional<any_delivery>> get(text queue, get_options o) override
    {
        return got(channel_.get(queue, o));
    }
    bool ack(std::uint64_t tag, ack_options o) override { return channel_.ack(tag, o); }
    bool nack(std::uint64_t tag, nack_options o) override { return channel_.nack(tag, o); }
    bool reject(std::uint64_t tag) override { return channel_.reject(tag); }
    awaitable<void> set_prefetch(std::uint16_t count, bool global, call_options o) override
    {
        return channel_.set_prefetch(count, global, o);
    }
    awaitable<void> recover(bool requeue, call_options o) override { return channel_.recover(requeue, o); }

    awaitable<void> select_transactions(call_options o) override { return channel_.select_transactions(o); }
    awaitable<void> commit(call_options o) override { return channel_.commit(o); }
    awaitable<void> rollback(call_options o) override { return channel_.rollback(o); }

    awaitable<void> flow(bool active, call_options o) override
    {
        if constexpr (requires { channel_.flow(active, o); })
            return channel_.flow(active, o);
        else
            throw_not_there("flow");
    }
    bool flow_active() const override { return channel_.flow_active(); }
    awaitable<void> close(call_options o) override { return channel_.close(o); }

private:
    using stream = stream_of<C>;
    using got_delivery = awaited_t<decltype(std::declval<C&>().get(text(), get_options{}))>;

    static awaitable<any_consumer> consumer_of(awaitable<stream> starting)
    {
        stream s = co_await std::move(starting);
        co_return any_consumer(std::move(s));
    }
    static awaitable<std::optional<any_delivery>> got(awaitable<got_delivery> getting)
    {
        got_delivery d = co_await std::move(getting);
        if (!d)
            co_return std::nullopt;
        co_return any_delivery(std::move(*d));
    }

    mutable C channel_; // the concept asks a channel that may be changed
};

} // namespace leveret::detail
