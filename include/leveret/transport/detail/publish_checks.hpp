#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/properties.hpp"
#include "leveret/core/utf8.hpp"
#include "leveret/wire/content_header.hpp"
#include "leveret/wire/frame.hpp"
#include "leveret/wire/types.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leveret::transport_detail {

/// Where a message goes and how; views into the caller's arguments.
struct publish_target {
    std::string_view exchange;
    std::string_view routing_key;
    bool mandatory = false;
    bool immediate = false;
};

/// Throws usage_error for what AMQP can't carry in frames of this size.
inline void check_publish(const publish_target& target, const leveret::properties* properties,
                          std::uint32_t frame_max)
{
    if (target.exchange.size() > wire::short_string_max)
        throw_invalid_argument("basic.publish: the exchange name is longer than 255 bytes");
    if (target.routing_key.size() > wire::short_string_max)
        throw_invalid_argument("basic.publish: the routing key is longer than 255 bytes");
    if (!is_utf8(target.exchange) || !is_utf8(target.routing_key)) // which RabbitMQ ends the connection for
        throw_invalid_argument("basic.publish: the exchange name or the routing key is not UTF-8");
    if (properties == nullptr || properties->flags() == 0)
        return;
    const std::string_view wrong = wire::unencodable(*properties);
    if (!wrong.empty())
        throw_invalid_argument("basic.publish: the property " + std::string(wrong) +
                               " is longer than 255 bytes, or its table has such a name or is nested "
                               "too deep: AMQP can't carry it");
    constexpr std::size_t longest_texts = 10 * (1 + wire::short_string_max) + 1 + 1 + 8; // and what has a fixed size
    static_assert(longest_texts + wire::content_header_size + wire::frame_overhead <= wire::frame_min_size);
    if (properties->has(property::headers) &&
        wire::encoded_size(*properties) + wire::content_header_size + wire::frame_overhead > frame_max)
        throw_invalid_argument("basic.publish: the properties do not fit into one frame of " +
                               std::to_string(frame_max) + " bytes");
}

} // namespace leveret::transport_detail
