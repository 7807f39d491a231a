// A doctest case whose body is a coroutine, on an io_context of its own, under a time limit:
//
//     LEVERET_CORO_TEST_CASE("an empty queue has nothing to get")
//     {
//         auto channel = co_await open();
//         auto got = co_await channel.get("q"); // await first, then CHECK: never co_await inside it
//         CHECK(!got);
//     }
//
// The case fails when the body throws, when it is not complete at the limit, when nothing is left that
// could resume it, and when it is complete but something that it started still runs at the limit: what
// was opened must also come to its end. The limit is 20 s, or LEVERET_TEST_TIMEOUT seconds where a
// sanitizer or valgrind makes everything slow.
#pragma once

#include <leveret/io/config.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <exception>

namespace leveret::test {

enum class coro_outcome {
    completed,
    threw,    // error has what
    waiting,  // at the limit the body was not complete
    running,  // the body was complete, but at the limit the io_context still had work
    abandoned // the io_context ran out of work before the body was complete
};

struct coro_result {
    coro_outcome outcome = coro_outcome::completed;
    std::exception_ptr error{};
};

inline std::chrono::milliseconds coro_time_limit()
{
    const char* seconds = std::getenv("LEVERET_TEST_TIMEOUT");
    return std::chrono::seconds(seconds != nullptr ? std::atol(seconds) : 20);
}

/// Runs the coroutine that `body()` returns, and everything that it starts, to the end or the limit.
template <class Body>
coro_result run_coro(Body body, std::chrono::milliseconds limit = coro_time_limit())
{
    const auto deadline = std::chrono::steady_clock::now() + limit;
    bool is_complete = false;
    std::exception_ptr error;
    asio::io_context context{1};
    try {
        asio::co_spawn(context, std::move(body), [&](std::exception_ptr thrown) {
            is_complete = true;
            error = thrown;
        });
        while (error == nullptr && context.run_one_until(deadline) != 0) {
        }
    } catch (...) { // out of a handler that is not the body's
        error = std::current_exception();
    }
    if (error != nullptr)
        return {coro_outcome::threw, error};
    if (!context.stopped())
        return {is_complete ? coro_outcome::running : coro_outcome::waiting};
    return {is_complete ? coro_outcome::completed : coro_outcome::abandoned};
}

template <class Body>
void run_coro_test_case(Body body, std::chrono::milliseconds limit = coro_time_limit())
{
    const auto result = run_coro(body, limit);
    switch (result.outcome) {
    case coro_outcome::completed: break;
    case coro_outcome::threw:
        std::rethrow_exception(result.error); // doctest prints it, and knows its own from REQUIRE
    case coro_outcome::waiting:
        FAIL("the test coroutine hangs: not complete after " << limit.count() << " ms");
        break;
    case coro_outcome::running:
        FAIL("the test coroutine is complete, but what it started still runs after "
             << limit.count() << " ms");
        break;
    case coro_outcome::abandoned:
        FAIL("the test coroutine can never complete: nothing is left to run that would resume it");
        break;
    }
}

} // namespace leveret::test

#define LEVERET_CORO_TEST_CASE_IMPL(function, ...)                                                 \
    static ::asio::awaitable<void> function();                                                     \
    TEST_CASE(__VA_ARGS__) { ::leveret::test::run_coro_test_case(&function); }                     \
    static ::asio::awaitable<void> function()

#define LEVERET_CORO_TEST_CASE(...)                                                                \
    LEVERET_CORO_TEST_CASE_IMPL(DOCTEST_ANONYMOUS(leveret_coro_test_), __VA_ARGS__)
