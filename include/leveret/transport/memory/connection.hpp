#pragma once

#include "leveret/core/options.hpp"
#include "leveret/transport/concept.hpp"
#include "leveret/transport/memory/channel.hpp"
#include "leveret/transport/memory/detail/connection_core.hpp"
#include "leveret/transport/memory/detail/joining.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace leveret::memory {

namespace detail {
struct connector;
}

/// A connection to a broker in this process, from memory::connect. Move-only handle on state that its channels
/// share; it ends when the last of them is gone, or by `close`. One that is default-constructed or moved from
/// throws usage_error where there is something to ask. Thread safety: belongs to its executor.
class connection {
public:
    connection() noexcept = default;
    connection(connection&&) noexcept = default;
    connection& operator=(connection&& o) noexcept
    {
        if (this != &o) {
            release();
            core_ = std::move(o.core_);
        }
        return *this;
    }
    ~connection() { release(); }

    [[nodiscard]] asio::any_io_executor get_executor() const { return core().executor(); }
    [[nodiscard]] bool is_open() const noexcept { return core_ && core_->is_open(); }

    /// Opens a channel. Throws channel_error(errc::no_free_channel) when 2,047 are open, connection_error.
    [[nodiscard]] asio::awaitable<channel> open_channel(call_options o = {})
    {
        static_cast<void>(core()); // or throws
        return opened(core_, o.timeout);
    }
    /// Ends the connection: whatever waits on it fails at once. Closing twice is no error.
    [[nodiscard]] asio::awaitable<void> close(call_options o = {}) { return closed(core_, o.timeout); }

    /// Whether the broker has stopped taking messages for lack of memory. Publishing waits then.
    [[nodiscard]] bool is_blocked() const noexcept { return core_ && core_->is_blocked(); }
    [[nodiscard]] const std::string& blocked_reason() const { return core().blocked_reason; }
    /// What AMQP would negotiate with RabbitMQ's defaults, and what is held against it here.
    [[nodiscard]] std::uint32_t frame_max() const { return core().frame_max; }
    [[nodiscard]] std::uint16_t channel_max() const { return core().channel_max; }

private:
    using core_ptr = local_ptr<detail::connection_core>;
    friend struct detail::connector;
    explicit connection(core_ptr core) noexcept : core_(std::move(core)) { core_->add_user(); }

    [[nodiscard]] detail::connection_core& core() const
    {
        if (!core_)
            throw_invalid_argument("a connection that was moved from, or never made");
        return *core_;
    }
    void release() noexcept
    {
        if (core_)
            std::exchange(core_, nullptr)->drop_user();
    }
    static asio::awaitable<channel> opened(core_ptr core, duration timeout)
    {
        if (!core->is_open())
            detail::throw_failure(core->reason, "channel.open", fate::never_sent);
        const std::uint16_t number = core->free_number();
        if (number == 0)
            detail::throw_failure(
                engine::failure::of_library(errc::no_free_channel, "all " + std::to_string(core->channel_max) +
                                                                       " channels of the connection are in use"),
                "channel.open", fate::never_sent);
        local_ptr<detail::channel_core> c(new detail::channel_core(core));
        c->number = number;
        if (core->is_near())
            detail::open_near(*c);
        else
            co_await detail::open_far(c, timeout);
        co_return channel(std::move(c));
    }
    static asio::awaitable<void> closed(core_ptr core, duration timeout)
    {
        if (!core || !core->is_open())
            co_return;
        if (core->is_near())
            core->close(detail::connection_core::closed_by_us());
        else
            co_await detail::close_far(core, timeout);
    }

    core_ptr core_;
};

static_assert(leveret::transport<connection>);

} // namespace leveret::memory
