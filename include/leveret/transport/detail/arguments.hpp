#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/table.hpp"
#include "leveret/wire/table_codec.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace leveret::transport_detail {

/// Encoded entries of an argument table. Throws usage_error if AMQP can't carry it.
[[nodiscard]] inline std::string encode_arguments(const table& t, std::string_view operation)
{
    if (!wire::is_encodable(t))
        throw_invalid_argument(std::string(operation) +
                               ": a name in the arguments is longer than 255 bytes, or they are nested "
                               "deeper than 64 tables");
    return wire::encode_table(t);
}

inline void add_milliseconds(table& t, std::string_view key, duration d)
{
    if (!d.is_never())
        t.set(key, d.count_ms());
}

/// RabbitMQ's x-arguments for a queue.
[[nodiscard]] inline table queue_arguments(const queue_options& o)
{
    constexpr std::string_view overflows[] = {"", "drop-head", "reject-publish", "reject-publish-dlx"};
    constexpr std::string_view types[] = {"", "classic", "quorum", "stream"};
    table t;
    add_milliseconds(t, "x-message-ttl", o.message_ttl);
    add_milliseconds(t, "x-expires", o.expires);
    if (o.max_length)
        t.set("x-max-length", *o.max_length);
    if (o.max_length_bytes)
        t.set("x-max-length-bytes", *o.max_length_bytes);
    if (o.overflow != overflow::by_default)
        t.set("x-overflow", overflows[static_cast<std::size_t>(o.overflow)]);
    if (o.dead_letter_exchange)
        t.set("x-dead-letter-exchange", *o.dead_letter_exchange);
    if (o.dead_letter_routing_key)
        t.set("x-dead-letter-routing-key", *o.dead_letter_routing_key);
    if (o.max_priority != 0)
        t.set("x-max-priority", std::int32_t{o.max_priority});
    if (o.single_active_consumer)
        t.set("x-single-active-consumer", true);
    if (o.type != queue_type::by_default)
        t.set("x-queue-type", types[static_cast<std::size_t>(o.type)]);
    if (o.delivery_limit)
        t.set("x-delivery-limit", *o.delivery_limit);
    if (o.arguments.get() != nullptr)
        for (const auto& [key, value] : *o.arguments.get())
            t.set(key, value);
    return t;
}

[[nodiscard]] inline table exchange_arguments(const exchange_options& o)
{
    table t;
    if (o.alternate_exchange)
        t.set("alternate-exchange", *o.alternate_exchange);
    if (o.arguments.get() != nullptr)
        for (const auto& [key, value] : *o.arguments.get())
            t.set(key, value);
    return t;
}

[[nodiscard]] inline table consume_arguments(const consume_options& o)
{
    table t;
    if (o.priority)
        t.set("x-priority", *o.priority);
    if (o.arguments.get() != nullptr)
        for (const auto& [key, value] : *o.arguments.get())
            t.set(key, value);
    return t;
}

[[nodiscard]] inline std::string bind_arguments(const bind_options& o, std::string_view operation)
{
    return o.arguments.get() == nullptr ? std::string() : encode_arguments(*o.arguments.get(), operation);
}

} // namespace leveret::transport_detail
