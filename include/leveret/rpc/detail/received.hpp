#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/core/properties.hpp"
#include "leveret/rpc/wire/format.hpp"
#include "leveret/transport/concept.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace leveret::rpc::detail {

/// Messages that are here already and are taken one after the other before others may run.
inline constexpr std::size_t max_burst = 64;
/// Octets of a body that is kept when its message is sent, for the next of its kind.
inline constexpr std::size_t kept_size = 64 * 1024;

enum class received : std::uint8_t { request, reply };

/// Calls `use` with what a wire format reads of a delivery, while the views of it live. Throws decode_error for an
/// answer that is compressed; of requests that is the format's affair, who may know whom to tell.
template <class Wire, received What, readable_delivery Delivery, class Use>
decltype(auto) with_received(const Delivery& d, Use&& use)
{
    const auto& p = d.properties();
    wire::received_message m;
    m.body = d.body();
    m.content_type = p.content_type();
    m.content_encoding = p.content_encoding();
    if constexpr (What == received::reply)
        leveret::detail::check_uncoded(m.content_encoding);
    m.correlation_id = p.correlation_id();
    if constexpr (What == received::request) {
        m.reply_to = p.reply_to();
        m.expiration = p.expiration();
        m.message_id = p.message_id();
        m.type = p.type();
    }
    if constexpr (Wire::reads_headers)
        if (p.has(property::headers))
            m.headers = d.headers();
    return std::forward<Use>(use)(m);
}

} // namespace leveret::rpc::detail
