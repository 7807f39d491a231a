#pragma once

#include "leveret/core/options.hpp"
#include "leveret/rpc/target.hpp"
#include "leveret/rpc/wire/format.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>

#include <array>
#include <cstddef>
#include <string>

namespace leveret::rpc::detail {

/// Declares and binds what a server has: `queues` are those of the topic, of the topic's server, and of casts to all. Throws as
/// the channel. The arguments outlive it.
template <channel Channel, wire::format Wire>
[[nodiscard]] asio::awaitable<void> declare_server_queues(Channel& channel, const Wire& wire, const target& of,
                                                          const std::array<std::string, 3>& queues)
{
    const std::string exchange = wire.exchange(of);
    if (!exchange.empty())
        co_await channel.declare_exchange(exchange, exchange_type::topic, wire.exchange_settings());
    for (std::size_t i = 0; i < 2; ++i) {
        co_await channel.declare_queue(queues[i], wire.queue_settings());
        if (!exchange.empty())
            co_await channel.bind_queue(queues[i], exchange, queues[i], {});
    }
    const std::string fanout = wire.fanout_exchange(of);
    co_await channel.declare_exchange(fanout, exchange_type::fanout, wire.fanout_exchange_settings());
    co_await channel.declare_queue(queues[2], wire.fanout_queue_settings());
    co_await channel.bind_queue(queues[2], fanout, of.topic(), {});
}

} // namespace leveret::rpc::detail
