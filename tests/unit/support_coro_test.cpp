#include "support/coro_test.hpp"

#include <asio/async_result.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using leveret::test::coro_outcome;
using leveret::test::run_coro;
using leveret::test::run_coro_test_case;

namespace {

using timer = asio::steady_timer;

asio::awaitable<void> sleep(std::chrono::nanoseconds duration)
{
    timer t(co_await asio::this_coro::executor, duration);
    co_await t.async_wait(asio::use_awaitable);
}

// Destroys the handler that would resume the coroutine, as a faulty operation would.
asio::awaitable<void> wait_on_a_lost_handler()
{
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>([](auto) {},
                                                                          asio::use_awaitable);
}

int bodies_run = 0;

} // namespace

TEST_CASE("run_coro: a body that completes")
{
    const auto result = run_coro([]() -> asio::awaitable<void> { co_await sleep(1ms); });
    CHECK(result.outcome == coro_outcome::completed);
}

TEST_CASE("run_coro: a body that throws, at once and after it waited")
{
    for (const auto wait : {0ms, 1ms}) {
        const auto result = run_coro([wait]() -> asio::awaitable<void> {
            if (wait != 0ms)
                co_await sleep(wait);
            throw std::runtime_error("as it must");
        });
        CHECK(result.outcome == coro_outcome::threw);
        CHECK_THROWS_WITH(std::rethrow_exception(result.error), "as it must");
    }
}

TEST_CASE("run_coro: a body that hangs")
{
    const auto started = std::chrono::steady_clock::now();
    const auto result = run_coro([]() -> asio::awaitable<void> { co_await sleep(1h); }, 30ms);
    CHECK(result.outcome == coro_outcome::waiting);
    CHECK(std::chrono::steady_clock::now() - started >= 30ms);
}

TEST_CASE("run_coro: a body that never pauses hangs as well")
{
    const auto spin = []() -> asio::awaitable<void> {
        for (;;)
            co_await asio::post(asio::use_awaitable);
    };
    CHECK(run_coro(spin, 30ms).outcome == coro_outcome::waiting);
}

TEST_CASE("run_coro: a complete body that leaves something running")
{
    const auto body = []() -> asio::awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        asio::co_spawn(executor, sleep(1h), [](std::exception_ptr) {});
    };
    CHECK(run_coro(body, 30ms).outcome == coro_outcome::running);
}

TEST_CASE("run_coro: a body that nothing can resume")
{
    CHECK(run_coro(&wait_on_a_lost_handler, 10s).outcome == coro_outcome::abandoned);
}

TEST_CASE("run_coro: an exception out of a handler beside the body")
{
    const auto result = run_coro([]() -> asio::awaitable<void> {
        asio::post(co_await asio::this_coro::executor, [] { throw std::runtime_error("beside"); });
        co_await sleep(1h);
    });
    CHECK(result.outcome == coro_outcome::threw);
    CHECK_THROWS_WITH(std::rethrow_exception(result.error), "beside");
}

LEVERET_CORO_TEST_CASE("LEVERET_CORO_TEST_CASE runs its body")
{
    co_await sleep(1ms);
    ++bodies_run;
    CHECK(bodies_run > 0);
}

LEVERET_CORO_TEST_CASE("LEVERET_CORO_TEST_CASE: decorators, and one run for each subcase" *
                       doctest::timeout(60))
{
    static std::string seen;
    co_await sleep(1ms);
    SUBCASE("a")
    {
        co_await sleep(1ms);
        seen += 'a';
        CHECK(seen == "a");
    }
    SUBCASE("b")
    {
        co_await sleep(1ms);
        seen += 'b';
        CHECK(seen == "ab");
    }
}

LEVERET_CORO_TEST_CASE("LEVERET_CORO_TEST_CASE fails when its body throws" * doctest::should_fail())
{
    co_await sleep(1ms);
    throw std::runtime_error("as it must");
}

LEVERET_CORO_TEST_CASE("LEVERET_CORO_TEST_CASE fails when a REQUIRE does" * doctest::should_fail())
{
    co_await sleep(1ms);
    REQUIRE(bodies_run < 0);
}

TEST_CASE("LEVERET_CORO_TEST_CASE fails when its body hangs" * doctest::should_fail())
{
    run_coro_test_case([]() -> asio::awaitable<void> { co_await sleep(1h); }, 30ms);
}

TEST_CASE("LEVERET_CORO_TEST_CASE fails when nothing can resume its body" * doctest::should_fail())
{
    run_coro_test_case(&wait_on_a_lost_handler, 10s);
}
