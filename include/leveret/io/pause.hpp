#pragma once

#include "leveret/io/config.hpp"

#include "leveret/core/duration.hpp"
#include "leveret/io/environment.hpp"

#include <asio/associated_cancellation_slot.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <system_error>
#include <utility>

namespace leveret::io {

/// Waits for so long. Throws std::system_error with operation_aborted when it is cancelled. The environment outlives it.
template <environment Environment>
[[nodiscard]] asio::awaitable<void> pause(Environment& environment, duration how_long)
{
    const auto executor = co_await asio::this_coro::executor;
    typename Environment::timer timer(environment, executor);
    const instant end = environment.now() + how_long;
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::error_code)>(
        [&timer, end](auto&& handler) {
            auto slot = asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected())
                slot.assign([&timer](asio::cancellation_type) { timer.cancel(); });
            timer.wait_until(end, std::move(handler));
        },
        asio::use_awaitable);
}

} // namespace leveret::io
