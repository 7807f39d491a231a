// Waiting for what nothing tells of, and failures as values.
#pragma once

#include <leveret/io/config.hpp>

#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace leveret::test {

/// The exception that `operation` ends with, which must be an Error. Await it, then CHECK.
template <class Error, class T>
[[nodiscard]] asio::awaitable<Error> failure_of(asio::awaitable<T> operation)
{
    std::optional<Error> failure;
    try {
        static_cast<void>(co_await std::move(operation));
    } catch (const Error& e) {
        failure.emplace(e);
    }
    if (!failure)
        throw std::runtime_error("an operation that must fail did not");
    co_return *failure;
}

[[nodiscard]] inline bool contains(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

/// Lets everything else that is ready run, `count` times.
[[nodiscard]] inline asio::awaitable<void> turns(int count = 1)
{
    for (; count > 0; --count)
        co_await asio::post(asio::use_awaitable);
}

[[nodiscard]] inline asio::awaitable<void> pause(std::chrono::nanoseconds time)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

/// Waits until `condition()` holds, for things of which nothing is told; the test's limit is the limit.
template <class Condition>
[[nodiscard]] asio::awaitable<void> eventually(Condition condition)
{
    while (!condition())
        co_await pause(std::chrono::milliseconds(2));
}

} // namespace leveret::test
