// Handlers of notifications behind one interface.
#pragma once

#include "leveret/io/config.hpp"

#include "leveret/notify/filter.hpp"
#include "leveret/notify/notification.hpp"
#include "leveret/notify/priority.hpp"

#include <asio/awaitable.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>

namespace leveret::notify {

/// What becomes of a notification.
enum class outcome : std::uint8_t {
    handled, ///< it is done
    requeue, ///< back to its queue, for this listener or another
};

namespace detail {

class handler {
public:
    handler(priority p, filter f) : of_(p), filter_(std::move(f)) {}
    handler(const handler&) = delete;
    handler& operator=(const handler&) = delete;
    virtual ~handler() = default;

    [[nodiscard]] priority of() const noexcept { return of_; }
    [[nodiscard]] bool wants(const notification& n) const { return filter_.matches(n); }
    /// Otherwise `run` gets one at a time.
    [[nodiscard]] virtual bool takes_batches() const noexcept = 0;
    [[nodiscard]] virtual asio::awaitable<outcome> run(std::span<const notification> batch) = 0;

private:
    priority of_;
    filter filter_;
};

template <class R>
concept handler_result = std::is_void_v<R> || std::same_as<R, outcome> || std::same_as<R, asio::awaitable<void>> ||
                         std::same_as<R, asio::awaitable<outcome>>;

template <class F>
class function_handler : public handler {
public:
    function_handler(priority p, filter f, F function) : handler(p, std::move(f)), function_(std::move(function)) {}

protected:
    template <class Argument>
    asio::awaitable<outcome> invoke(Argument argument)
    {
        using result = std::invoke_result_t<F&, Argument>;
        if constexpr (std::is_void_v<result>) {
            std::invoke(function_, argument);
            co_return outcome::handled;
        } else if constexpr (std::same_as<result, outcome>) {
            co_return std::invoke(function_, argument);
        } else if constexpr (std::same_as<result, asio::awaitable<void>>) {
            co_await std::invoke(function_, argument);
            co_return outcome::handled;
        } else {
            co_return co_await std::invoke(function_, argument);
        }
    }

private:
    F function_;
};

template <class F>
class handler_of_one final : public function_handler<F> {
public:
    using function_handler<F>::function_handler;
    bool takes_batches() const noexcept override { return false; }
    asio::awaitable<outcome> run(std::span<const notification> one) override
    {
        return this->template invoke<const notification&>(one.front());
    }
};
template <class F>
class handler_of_batch final : public function_handler<F> {
public:
    using function_handler<F>::function_handler;
    bool takes_batches() const noexcept override { return true; }
    asio::awaitable<outcome> run(std::span<const notification> batch) override
    {
        return this->template invoke<std::span<const notification>>(batch);
    }
};

} // namespace detail

} // namespace leveret::notify
