#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/io/pause.hpp"
#include "leveret/json/convert.hpp"
#include "leveret/json/value.hpp"
#include "leveret/notify/notification.hpp"
#include "leveret/notify/priority.hpp"
#include "leveret/oslo/identity.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>
#include <asio/error.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace leveret::notify {

/// Options of a notifier.
struct notifier_options {
    std::string_view publisher_id = {};          ///< who tells: `compute.host1`
    std::string_view exchange = "openstack";     ///< control_exchange of oslo.messaging
    std::string_view topic = "notifications";
    bool durable = false;                        ///< amqp_durable_queues: the same at both ends
    std::size_t retries = 0;                     ///< how often one that the broker refuses is published again
    duration retry_interval = duration::milliseconds(250); ///< before each of them
    duration timeout = default_timeout;          ///< until the broker has a notification; of each question to it
};
static_assert(safe_options<notifier_options>);

/// Tells what happened to whoever listens, now or later: oslo.messaging's notifications (driver messagingv2), whose queues
/// `topic.priority` it declares, so that they wait for their listeners.
///
///     lv::notify::notifier compute{channel, {.publisher_id = "compute.host1"}};
///     const lv::json created{{"id", 42}};
///     co_await compute.info("instance.created", created);
///
/// Each function completes when the broker has the notification, and gives the outcome: false where it was refused, also
/// with `retries`. One whose time ends without an outcome is not told again, for it may be there. A cheap handle. Thread safety: the connection's executor.
template <channel Channel, io::environment Environment = io::asio_environment>
class notifier {
public:
    /// Throws usage_error if there is no topic or no exchange.
    explicit notifier(Channel c, notifier_options o = {}, Environment e = {})
        : state_(new state(std::move(c), o, std::move(e)))
    {
        if (o.topic.empty() || o.exchange.empty())
            throw_invalid_argument("notify: a notifier has a topic and an exchange");
    }

    /// Throws what channel::publish_confirmed throws, and usage_error for a payload that can't be sent.
    template <json_value T>
    [[nodiscard]] asio::awaitable<publish_result> notify(notify::priority p, std::string_view event_type, const T& payload) const
    {
        notification n;
        n.publisher_id(state_->publisher_id).event_type(event_type).priority(p).payload(json_of(payload)).context(context_);
        n.message_id(state_->message_id()).timestamp(utc_text(state_->environment.unix_time()));
        n.unique_id(state_->identity.next());
        return publish(state_, p, encode_notification(n));
    }
    // The same, one for each priority.
    template <json_value T>
    [[nodiscard]] auto audit(std::string_view event_type, const T& payload) const
    {
        return notify(priority::audit, event_type, payload);
    }
    template <json_value T>
    [[nodiscard]] auto debug(std::string_view event_type, const T& payload) const
    {
        return notify(priority::debug, event_type, payload);
    }
    template <json_value T>
    [[nodiscard]] auto info(std::string_view event_type, const T& payload) const
    {
        return notify(priority::info, event_type, payload);
    }
    template <json_value T>
    [[nodiscard]] auto warn(std::string_view event_type, const T& payload) const
    {
        return notify(priority::warn, event_type, payload);
    }
    template <json_value T>
    [[nodiscard]] auto error(std::string_view event_type, const T& payload) const
    {
        return notify(priority::error, event_type, payload);
    }
    template <json_value T>
    [[nodiscard]] auto critical(std::string_view event_type, const T& payload) const
    {
        return notify(priority::critical, event_type, payload);
    }
    template <json_value T>
    [[nodiscard]] auto sample(std::string_view event_type, const T& payload) const
    {
        return notify(priority::sample, event_type, payload);
    }

    /// A notifier that tells this of whoever caused what happened, an object.
    [[nodiscard]] notifier with_context(json context) const
    {
        if (!context.is_object())
            throw_invalid_argument("notify: a context is an object of JSON");
        notifier n(*this);
        n.context_ = std::move(context);
        return n;
    }

private:
    struct state : local_counted {
        state(Channel c, const notifier_options& o, Environment e)
            : channel(std::move(c)), environment(std::move(e)), identity(environment.random()),
              publisher_id(o.publisher_id), exchange(o.exchange), topic(o.topic), durable(o.durable),
              retries(o.retries), retry_interval(o.retry_interval), timeout(o.timeout)
        {
        }
        /// A UUID of version 4.
        [[nodiscard]] std::string message_id()
        {
            const oslo::identity high(environment.random());
            std::string hex = high.text(environment.random());
            hex[12] = '4';
            hex[16] = "89ab"[static_cast<std::size_t>(hex[16]) & 3U];
            for (const std::size_t at : {std::size_t{20}, std::size_t{16}, std::size_t{12}, std::size_t{8}})
                hex.insert(at, 1, '-');
            return hex;
        }
        Channel channel;
        Environment environment;
        oslo::identity identity;
        const std::string publisher_id, exchange, topic;
        const bool durable;
        const std::size_t retries;
        const duration retry_interval, timeout;
        std::array<bool, priorities.size()> is_declared{};
    };

    static asio::awaitable<publish_result> publish(local_ptr<state> s, notify::priority p, message m)
    {
        const std::string queue = s->topic + "." + std::string(name(p));
        const auto index = static_cast<std::size_t>(p);
        if (!s->is_declared[index]) {
            co_await s->channel.declare_exchange(s->exchange, exchange_type::topic, {.durable = s->durable, .timeout = s->timeout});
            co_await s->channel.declare_queue(queue, {.durable = s->durable, .timeout = s->timeout});
            co_await s->channel.bind_queue(queue, s->exchange, queue, {.timeout = s->timeout});
            s->is_declared[index] = true;
        }
        for (std::size_t left = s->retries;; --left) {
            publish_result outcome =
                co_await s->channel.publish_confirmed(s->exchange, queue, m, {.timeout = s->timeout});
            if (outcome.is_confirmed() || left == 0)
                co_return outcome;
            co_await wait(s);
        }
    }
    static asio::awaitable<void> wait(local_ptr<state> s)
    {
        bool is_cancelled = false;
        try {
            co_await io::pause(s->environment, s->retry_interval);
        } catch (const std::system_error&) {
            is_cancelled = true;
        }
        if (is_cancelled) {
            leveret::diagnostics d;
            d.operation = "notify";
            d.operation_fate = fate::refused;
            throw operation_cancelled(asio::error::operation_aborted, "notify was cancelled", std::move(d));
        }
    }

    local_ptr<state> state_;
    json context_ = json::object();
};

} // namespace leveret::notify
