#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/options.hpp"
#include "leveret/transport/any/channel.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace leveret {

namespace detail {

/// The connection in an any_connection.
class connection_model {
public:
    virtual ~connection_model() = default;
    [[nodiscard]] virtual asio::awaitable<any_channel> open_channel(call_options o) = 0;
    [[nodiscard]] virtual asio::awaitable<void> close() = 0;
    [[nodiscard]] virtual asio::awaitable<void> close(call_options o) = 0;
    [[nodiscard]] virtual bool is_open() const = 0;
    [[nodiscard]] virtual bool is_blocked() const = 0;
    [[nodiscard]] virtual const std::string& blocked_reason() const = 0;
    [[nodiscard]] virtual asio::any_io_executor get_executor() const = 0;
    [[nodiscard]] virtual void* target(const void* type) noexcept = 0;
};

/// Something with an address of its own for each type.
template <class T>
inline constexpr char address_of_type = 0;

template <transport T>
class connection_model_of final : public connection_model {
public:
    explicit connection_model_of(T t) : connection_(std::move(t)) {}

    asio::awaitable<any_channel> open_channel(call_options o) override { return opened(connection_.open_channel(o)); }
    asio::awaitable<void> close() override
    {
        if constexpr (requires { connection_.close(); })
            return connection_.close();
        else
            return connection_.close(call_options{});
    }
    asio::awaitable<void> close(call_options o) override { return connection_.close(o); }
    bool is_open() const override { return connection_.is_open(); }
    bool is_blocked() const override { return connection_.is_blocked(); }
    const std::string& blocked_reason() const override
    {
        if constexpr (requires { { connection_.blocked_reason() } -> std::same_as<const std::string&>; }) {
            return connection_.blocked_reason();
        } else {
            static const std::string untold;
            return untold;
        }
    }
    asio::any_io_executor get_executor() const override { return connection_.get_executor(); }
    void* target(const void* type) noexcept override
    {
        return type == &address_of_type<T> ? std::addressof(connection_) : nullptr;
    }

private:
    static asio::awaitable<any_channel> opened(asio::awaitable<channel_of<T>> opening)
    {
        channel_of<T> c = co_await std::move(opening);
        co_return any_channel(std::move(c));
    }

    mutable T connection_; // the concept asks a connection that may be changed
};

} // namespace detail

/// A connection of any transport: what `lv::connect(url)` gives, so that a program's transport is chosen when it runs.
///
///     lv::any_connection connection(co_await lv::memory::connect(broker));
///
/// What it opens is any_channel, any_consumer and any_delivery, whose operations are those of the transport behind a
/// virtual call, with the same contracts and errors; see docs/architecture.md for what that costs. The transport's own
/// publisher must be included where one of its connections is put into this. Move-only; destroyed it closes in the
/// background. One that is default-constructed or moved from throws usage_error where there is something to ask. Thread
/// safety: belongs to its executor.
class any_connection {
public:
    any_connection() noexcept = default;
    template <class T>
        requires(!std::is_same_v<T, any_connection>) && transport<T>
    explicit any_connection(T t)
        : model_(std::make_unique<detail::connection_model_of<T>>(std::move(t)))
    {
    }

    [[nodiscard]] asio::any_io_executor get_executor() const { return model().get_executor(); }
    [[nodiscard]] bool is_open() const { return model_ && model_->is_open(); }
    [[nodiscard]] asio::awaitable<any_channel> open_channel(call_options o = {}) { return model().open_channel(o); }
    /// Ends the connection, by the transport's own default for how long that may take. Closing twice is no error.
    [[nodiscard]] asio::awaitable<void> close()
    {
        if (!model_)
            return nothing();
        return model_->close();
    }
    [[nodiscard]] asio::awaitable<void> close(call_options o)
    {
        if (!model_)
            return nothing();
        return model_->close(o);
    }
    /// Whether the broker has stopped taking messages for lack of memory or disk. Publishing waits then.
    [[nodiscard]] bool is_blocked() const { return model_ && model_->is_blocked(); }
    /// The broker's words for it, empty when not blocked or where the transport does not tell.
    [[nodiscard]] const std::string& blocked_reason() const { return model().blocked_reason(); }

    /// The connection itself if it is a T, for what only T can; null if it is another. Valid while this connection is
    /// and holds it.
    template <transport T>
    [[nodiscard]] T* target() const noexcept
    {
        return model_ ? static_cast<T*>(model_->target(&detail::address_of_type<T>)) : nullptr;
    }

private:
    [[nodiscard]] detail::connection_model& model() const
    {
        if (!model_)
            throw_invalid_argument("a connection that was moved from, or never made");
        return *model_;
    }
    [[nodiscard]] static asio::awaitable<void> nothing() { co_return; }

    std::unique_ptr<detail::connection_model> model_;
};

static_assert(transport<any_connection>);

} // namespace leveret
