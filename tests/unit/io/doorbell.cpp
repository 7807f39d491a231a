// The doorbell: every way in which a wait can end, and every order in which two of them can meet.
#include "support/coro_test.hpp"

#include <leveret/core/deadlines.hpp>
#include <leveret/io/doorbell.hpp>
#include <leveret/transport/detail/waiting.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using leveret::instant;
using leveret::transport_detail::timed_bell;
using leveret::transport_detail::wait_queue;
using leveret::deadlines;
using leveret::io::doorbell;
using leveret::io::wait_list;
using leveret::io::wake;

namespace {

asio::awaitable<void> turn() { co_await asio::post(asio::use_awaitable); }

/// A coroutine that waits once, and what ended the wait.
class waiter {
public:
    waiter(const asio::any_io_executor& executor, wait_list& list) : bell(list)
    {
        bell.ring(); // before the wait: not remembered
        asio::co_spawn(executor, wait_once(*this),
                       asio::bind_cancellation_slot(signal.slot(), [this](std::exception_ptr e) {
                           is_done = true;
                           error = e;
                       }));
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;

    doorbell bell;
    asio::cancellation_signal signal;
    std::optional<wake> why;
    std::exception_ptr error;
    bool is_done = false;

    void cancel() { signal.emit(asio::cancellation_type::terminal); }

private:
    static asio::awaitable<void> wait_once(waiter& self)
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        self.why = co_await self.bell.wait();
    }
};

} // namespace

LEVERET_CORO_TEST_CASE("doorbell: rung here, the waiter goes on before that returns, if it is on the same executor")
{
    const auto executor = co_await asio::this_coro::executor;
    wait_list list;
    waiter w(executor, list);
    co_await turn();
    w.bell.ring_here(executor);
    CHECK(w.why == wake::rung);
    CHECK(w.is_done);
    CHECK(list.empty());

    asio::io_context other;
    waiter elsewhere(other.get_executor(), list);
    other.poll();
    REQUIRE(elsewhere.bell.is_waiting());
    elsewhere.bell.ring_here(executor);
    CHECK_FALSE(elsewhere.why); // nobody runs it now
    other.poll();
    CHECK(elsewhere.why == wake::rung);
    CHECK(elsewhere.is_done);
}

LEVERET_CORO_TEST_CASE("doorbell: nobody waits, so ringing does nothing and is not remembered")
{
    const auto executor = co_await asio::this_coro::executor;
    wait_list list;
    doorbell quiet(list);
    quiet.ring();
    list.ring_all();
    CHECK(!quiet.is_waiting());
    CHECK(list.empty());

    waiter w(executor, list);
    co_await turn();
    co_await turn();
    CHECK(w.bell.is_waiting());
    CHECK(!w.is_done);
    w.bell.ring();
    CHECK(!w.why); // by a post, never inside of ring
    CHECK(!w.bell.is_waiting());
    co_await turn();
    CHECK(w.why == wake::rung);
    CHECK(list.empty());
}

LEVERET_CORO_TEST_CASE("doorbell: what is looked at before and after waiting is not lost")
{
    const auto executor = co_await asio::this_coro::executor;
    wait_list list;
    doorbell bell(list);
    std::deque<int> queue;
    std::vector<int> got;
    asio::co_spawn(
        executor,
        [&]() -> asio::awaitable<void> {
            for (int i = 0; i < 1000; ++i) {
                queue.push_back(i);
                bell.ring();
                for (int n = i % 4; n > 0; --n)
                    co_await turn();
            }
        },
        [](std::exception_ptr) {});
    while (got.size() < 1000) {
        while (queue.empty()) {
            const auto why = co_await bell.wait();
            CHECK(why == wake::rung);
        }
        got.push_back(queue.front());
        queue.pop_front();
    }
    for (int i = 0; i < 1000; ++i)
        REQUIRE(got[static_cast<std::size_t>(i)] == i);
    CHECK(list.empty());
}

LEVERET_CORO_TEST_CASE("doorbell: cancellation wakes the waiter and says so")
{
    const auto executor = co_await asio::this_coro::executor;
    wait_list list;
    waiter w(executor, list);
    co_await turn();
    REQUIRE(w.bell.is_waiting());
    w.cancel();
    CHECK(!w.is_done);
    co_await turn();
    CHECK(w.why == wake::cancelled);
    CHECK(!w.error);
    CHECK(list.empty());
    w.bell.ring(); // too late, and no harm
    w.cancel();
    co_await turn();
    CHECK(w.why == wake::cancelled);
}

LEVERET_CORO_TEST_CASE("doorbell: rung and cancelled in one turn, the first one counts")
{
    const auto executor = co_await asio::this_coro::executor;
    wait_list list;
    waiter rung(executor, list);
    waiter cancelled(executor, list);
    co_await turn();
    rung.bell.ring();
    rung.cancel();
    rung.bell.ring();
    cancelled.cancel();
    cancelled.bell.ring();
    cancelled.cancel();
    co_await turn();
    co_await turn();
    CHECK(rung.why == wake::rung);
    CHECK(cancelled.why == wake::cancelled);
    CHECK(rung.is_done);
    CHECK(cancelled.is_done);
}

LEVERET_CORO_TEST_CASE("doorbell: one bell serves wait after wait")
{
    const auto executor = co_await asio::this_coro::executor;
    wait_list list;
    doorbell bell(list);
    for (int i = 0; i < 100; ++i) {
        asio::post(executor, [&bell] { bell.ring(wake::timed_out); });
        const auto why = co_await bell.wait();
        REQUIRE(why == wake::timed_out);
    }
}

LEVERET_CORO_TEST_CASE("doorbell: many waiters, rung together and from the middle")
{
    const auto executor = co_await asio::this_coro::executor;
    wait_list list;
    std::vector<std::unique_ptr<waiter>> all;
    for (int i = 0; i < 100; ++i)
        all.push_back(std::make_unique<waiter>(executor, list));
    co_await turn();
    for (std::size_t i = 1; i < 100; i += 2) // unlinked from anywhere in the list
        all[i]->bell.ring();
    all[0]->cancel();
    all[98]->cancel();
    co_await turn();
    for (std::size_t i = 0; i < 100; ++i)
        REQUIRE(all[i]->is_done == (i % 2 == 1 || i == 0 || i == 98));
    CHECK(!list.empty());
    list.ring_all();
    CHECK(list.empty());
    co_await turn();
    for (const auto& w : all)
        REQUIRE(w->is_done);
}

LEVERET_CORO_TEST_CASE("doorbell: a timed bell rings when its time has come")
{
    const auto executor = co_await asio::this_coro::executor;
    wait_list list;
    deadlines times;
    wait_queue queue;
    timed_bell bell(list, times);
    queue.enter(bell);
    bell.arm(instant(100));
    asio::post(executor, [&] {
        times.expire(instant(99)); // too early
        times.expire(instant(100));
        queue.ring_all(); // rung and timed out in one turn: the first one counts
    });
    const auto why = co_await bell.bell.wait();
    CHECK(why == wake::timed_out);
    CHECK(!bell.is_armed());
    CHECK(queue.empty());
}

LEVERET_CORO_TEST_CASE("doorbell: a timed bell that is rung in time leaves nothing behind")
{
    const auto executor = co_await asio::this_coro::executor;
    wait_list list;
    deadlines times;
    wait_queue queue;
    {
        timed_bell first(list, times);
        timed_bell second(list, times);
        timed_bell third(list, times);
        queue.enter(first);
        queue.enter(second);
        queue.enter(third);
        first.arm(instant(1));
        second.arm(instant(2));
        third.arm(instant::never());
        queue.leave(second);
        asio::post(executor, [&] { queue.ring_all(); });
        const auto why = co_await third.bell.wait();
        CHECK(why == wake::rung);
        CHECK(queue.empty());
        queue.enter(third); // again, and gone without being rung
        queue.enter(first);
        CHECK(times.next() == instant(1));
    }
    CHECK(queue.empty());
    CHECK(times.next() == instant::never());
}

TEST_CASE("doorbell: who waits when the list goes is destroyed, not resumed")
{
    bool resumed = false;
    auto guard = std::make_shared<int>(1);
    asio::io_context context;
    {
        wait_list list;
        for (int i = 0; i < 10; ++i)
            asio::co_spawn(
                context,
                [](wait_list& waits, bool& after, std::shared_ptr<int>) -> asio::awaitable<void> {
                    doorbell bell(waits);
                    static_cast<void>(co_await bell.wait());
                    after = true;
                }(list, resumed, guard),
                [](std::exception_ptr) {});
        context.poll();
        CHECK(guard.use_count() == 11);
    }
    context.restart();
    context.run(); // Asio destroys coroutines by a post
    CHECK(guard.use_count() == 1);
    CHECK(!resumed);
}

TEST_CASE("doorbell: rung, and then the io_context is destroyed before the waiter has run")
{
    bool resumed = false;
    const auto guard = std::make_shared<int>(1);
    wait_list list;
    {
        asio::io_context context;
        for (int i = 0; i < 2; ++i)
            asio::co_spawn(
                context,
                [](wait_list& waits, bool& after, std::shared_ptr<int>) -> asio::awaitable<void> {
                    doorbell bell(waits);
                    static_cast<void>(co_await bell.wait());
                    after = true;
                }(list, resumed, guard),
                [](std::exception_ptr) {});
        context.poll();
        list.ring_all();
        CHECK(guard.use_count() == 3);
    }
    CHECK(guard.use_count() == 1);
    CHECK(!resumed);
    CHECK(list.empty());
}

TEST_CASE("doorbell: a bell that goes takes its waiter with it")
{
    const auto guard = std::make_shared<int>(1);
    wait_list list;
    asio::io_context context;
    auto bell = std::make_unique<doorbell>(list);
    asio::co_spawn(
        context,
        [](doorbell& b, std::shared_ptr<int>) -> asio::awaitable<void> {
            static_cast<void>(co_await b.wait());
        }(*bell, guard),
        [](std::exception_ptr) {});
    context.poll();
    CHECK(bell->is_waiting());
    bell.reset();
    CHECK(list.empty());
    context.restart();
    context.run();
    CHECK(guard.use_count() == 1);
}
