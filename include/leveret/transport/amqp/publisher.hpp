#pragma once

#include "leveret/transport/amqp/channel.hpp"
#include "leveret/transport/amqp/detail/publishing.hpp"
#include "leveret/transport/concept.hpp"
#include "leveret/transport/publisher.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leveret::amqp {

using leveret::flush_report;
using leveret::publish_failure;
using leveret::publisher_options;

namespace detail {

/// How a publisher publishes over AMQP.
struct publishing {
    using channel = amqp::channel;
    using channel_core = detail::channel_core;
    using pending_publish = detail::pending_publish;
    using waits_for_broker = waits_for_server;

    static const local_ptr<channel_core>& core_of(const channel& c) { return c.shared_core(); }
    static void start_confirming(channel_core& c) { detail::start_confirming(c); }
    static engine::confirms& confirms_of(channel_core& c) noexcept { return c.publishes(); }
    static leveret::deadlines& deadlines_of(connection_core& c) noexcept { return c.engine.deadlines(); }
    static const engine::failure& reason_of(const channel_core& c) noexcept { return c.reason(); }
    static std::uint16_t number_of(const channel_core& c) noexcept { return c.number(); }
    static constexpr bool must_yield(connection_core&) noexcept { return false; }
    static asio::awaitable<void> yield(connection_core&) { co_return; }
    static pending_publish prepare(const local_ptr<channel_core>& c, const publish_target& target,
                                   const leveret::properties* p, std::string_view body, const payload* shared)
    {
        return prepare_publish(c, target, p, body, shared);
    }
    static std::size_t size_of(const pending_publish& p) noexcept { return p.request().body_size; }
    static void write(const pending_publish& p, engine::confirm_listener& listener, std::uint64_t number)
    {
        write_publish(p, &listener, number);
    }
    static void enter_room(channel_core& c, timed_bell& bell, instant deadline)
    {
        detail::enter_room(c, bell, deadline);
    }
    static void check_room(const channel_core& c, io::wake why) { detail::check_room(c, why); }
};

} // namespace detail

static_assert(leveret::publisher<publisher>);

} // namespace leveret::amqp
