#pragma once

#include "leveret/core/options.hpp"
#include "leveret/core/table.hpp"
#include "leveret/transport/amqp/channel.hpp"
#include "leveret/transport/amqp/detail/ask.hpp"
#include "leveret/transport/amqp/detail/connection_core.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::amqp {

namespace detail {
class connector;
}

/// An AMQP 0-9-1 connection, from amqp::connect. Move-only handle on state that its channels share: the
/// connection lives until the last of them is gone and closes then in the background; `close` waits for
/// that. One that is default-constructed or moved from throws usage_error where there is something to ask.
/// Thread safety: everything that belongs to a connection is used on its one executor (an
/// io_context run by one thread, or a strand).
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
    [[nodiscard]] bool is_open() const noexcept { return core_ && core_->engine.is_open(); }

    /// Opens a channel. Throws channel_error(errc::no_free_channel) when channel_max are open,
    /// connection_error, timeout_error, operation_cancelled.
    [[nodiscard]] asio::awaitable<channel> open_channel(call_options o = {})
    {
        static_cast<void>(core()); // or throws
        return opened(core_, o.timeout);
    }
    /// Tells the server, waits for its answer, and closes the socket; after `timeout` closes it without
    /// the answer. Whatever waits on the connection fails at once. Never throws but operation_cancelled;
    /// closing twice is no error.
    [[nodiscard]] asio::awaitable<void> close(call_options o = {duration::seconds(5)})
    {
        return closed(core_, o.timeout);
    }
    /// Gives the server a new secret for a user whose old one expires, such as an OAuth 2 token
    /// (RabbitMQ extension: connection.update-secret). Throws connection_error when it is refused.
    [[nodiscard]] asio::awaitable<void> update_secret(std::string_view secret,
                                                      std::string_view reason = {}, call_options o = {})
    {
        if (reason.size() > wire::short_string_max)
            throw_invalid_argument("connection.update-secret: the reason is longer than 255 bytes");
        wire::connection::update_secret m;
        m.new_secret = secret;
        m.reason = reason;
        if (is_open() && wire::frame_size(m) > frame_max())
            throw_invalid_argument("connection.update-secret: the secret of " + std::to_string(secret.size()) +
                                   " bytes does not fit into the negotiated frame_max of " +
                                   std::to_string(frame_max()));
        static_cast<void>(core());
        return secret_updated(core_, std::string(secret), std::string(reason), o.timeout);
    }

    /// Whether the broker has stopped taking messages for lack of memory or disk (RabbitMQ extension:
    /// connection.blocked). Publishing waits then.
    [[nodiscard]] bool is_blocked() const noexcept { return core_ && core_->engine.is_blocked(); }
    /// The broker's words for it, empty when not blocked.
    [[nodiscard]] const std::string& blocked_reason() const { return core().blocked_reason; }

    /// What the server said of itself: product, version, capabilities...
    [[nodiscard]] const table& server_properties() const
    {
        return core().engine.server_properties();
    }
    /// The negotiated limits: bytes in a frame, number of channels, seconds between heartbeats (0: none).
    [[nodiscard]] std::uint32_t frame_max() const { return core().engine.frame_max(); }
    [[nodiscard]] std::uint16_t channel_max() const { return core().engine.channel_max(); }
    [[nodiscard]] std::uint16_t heartbeat() const { return core().engine.heartbeat(); }

private:
    using core_ptr = local_ptr<detail::connection_core>;
    friend class detail::connector;
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
        local_ptr<detail::channel_core> c(new detail::channel_core(core));
        detail::call op(core->waits);
        detail::call_scope scope(*core, c.get(), op);
        core->engine.open_channel(*c, op, core->deadline_after(timeout));
        core->touched();
        while (op.is_waiting()) {
            const io::wake why = co_await op.bell.wait();
            if (why == io::wake::cancelled)
                break;
        }
        detail::check_call(op, "channel.open", c->number());
        co_return channel(std::move(c));
    }
    static asio::awaitable<void> closed(core_ptr core, duration timeout)
    {
        if (!core || core->is_over())
            co_return;
        core->engine.close(reply_code::success, "bye", core->deadline_after(timeout));
        core->closing();
        while (!core->is_over()) {
            detail::timed_bell bell(core->waits, core->engine.deadlines());
            core->until_over.enter(bell);
            const io::wake why = co_await bell.bell.wait();
            if (why == io::wake::cancelled && !core->is_over())
                detail::throw_cancelled("connection.close", fate::unknown);
        }
    }
    static asio::awaitable<void> secret_updated(core_ptr core, std::string secret, std::string reason,
                                                duration timeout)
    {
        detail::call op(core->waits);
        detail::call_scope scope(*core, nullptr, op);
        core->engine.update_secret(secret, reason, op, core->deadline_after(timeout));
        core->touched();
        while (op.is_waiting()) {
            const io::wake why = co_await op.bell.wait();
            if (why == io::wake::cancelled)
                break;
        }
        detail::check_call(op, "connection.update-secret", 0);
    }

    core_ptr core_;
};

static_assert(leveret::transport<connection>);

} // namespace leveret::amqp
