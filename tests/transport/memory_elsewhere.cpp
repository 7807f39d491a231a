// Connections whose executor is not the broker's home. Here the home runs when a case lets it, on the same thread, so
// that each moment can be looked at; the conformance suite runs all of it with the home on another thread.
#include "support/broker_home.hpp"
#include "support/coro_test.hpp"
#include "support/outcome.hpp"
#include "transport/two_places.hpp"

#include <leveret/memory.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lv = leveret;
using namespace std::chrono_literals;
using lv::test::outcome;
using lv::test::outcome_of;
using lv::test::two_places;

namespace {

[[nodiscard]] std::string words_of(const std::exception_ptr& e)
{
    try {
        std::rethrow_exception(e);
    } catch (const std::exception& x) {
        return x.what();
    }
}

} // namespace

TEST_CASE("memory elsewhere: what a channel asks for is done in its order, waited for or not")
{
    two_places p;
    p.run(p.open());
    const auto work = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 300; ++i) {
            const std::string name = "q" + std::to_string(i);
            static_cast<void>(co_await p.channel.declare_queue(name, {.no_wait = true}));
            co_await p.channel.publish("", name, "one");
            co_await p.channel.publish("", name, "two");
        }
        for (int i = 0; i < 300; ++i) {
            const auto info = co_await p.channel.declare_queue("q" + std::to_string(i), {.passive = true});
            CHECK(info.message_count() == 2);
        }
    };
    p.run(work());
}

TEST_CASE("memory elsewhere: a home that does not run is a timeout, at connecting and at each operation")
{
    two_places p;
    p.run(p.open());
    outcome connecting, declaring, publishing;
    const auto work = [&]() -> asio::awaitable<void> {
        connecting = co_await outcome_of(lv::memory::connect(p.broker, {.timeout = 20ms}));
        declaring = co_await outcome_of(p.channel.declare_queue("late", {.timeout = 20ms}));
    };
    const auto done = p.start(work());
    const auto limit = std::chrono::steady_clock::now() + lv::test::coro_time_limit();
    p.elsewhere->restart();
    while (!*done && std::chrono::steady_clock::now() < limit)
        p.elsewhere->run_for(5ms);
    REQUIRE(*done);
    CHECK(connecting.what() == outcome::kind::timeout);
    CHECK(declaring.what() == outcome::kind::timeout);
    CHECK(declaring.details().operation_fate == lv::fate::unknown);
    const auto late = [&]() -> asio::awaitable<void> { // it was asked for, and is done when the home runs again
        static_cast<void>(co_await p.channel.declare_queue("late", {.passive = true}));
    };
    p.run(late());
}

TEST_CASE("memory elsewhere: publishing waits when the broker does not keep up, and goes on")
{
    two_places p;
    p.run(p.open());
    const auto declare = [&]() -> asio::awaitable<void> { static_cast<void>(co_await p.channel.declare_queue("q")); };
    p.run(declare());
    std::uint64_t sent = 0;
    while (p.channel.try_publish("", "q", "x")) {
        ++sent;
        REQUIRE(sent < 100'000);
    }
    CHECK(sent == 4096);
    outcome late;
    const auto wait = [&]() -> asio::awaitable<void> {
        late = co_await outcome_of(p.channel.publish("", "q", "late", {.timeout = 10ms}));
    };
    const auto timed_out = p.start(wait());
    p.elsewhere->restart();
    while (!*timed_out)
        p.elsewhere->run_for(5ms);
    CHECK(late.what() == outcome::kind::timeout);
    CHECK(late.details().operation_fate == lv::fate::never_sent);
    const auto go_on = [&]() -> asio::awaitable<void> {
        co_await p.channel.publish("", "q", "x");
        const auto info = co_await p.channel.declare_queue("q", {.passive = true});
        CHECK(info.message_count() == 4097);
    };
    p.run(go_on());
    const std::string large(1'000'000, 'x'); // bytes are limited as well, and one message always goes
    int parts = 0;
    while (p.channel.try_publish("", "q", large))
        ++parts;
    CHECK(parts == 5); // of 4 MiB, the one that passes the limit included
    p.step();
    CHECK(p.channel.try_publish("", "q", std::string(8'000'000, 'x')));
    p.step();
}

TEST_CASE("memory elsewhere: what was asked for by one who waits no more is undone, or done")
{
    two_places p;
    p.run(p.open());
    const auto prepare = [&]() -> asio::awaitable<void> {
        co_await p.channel.declare_queue("q");
        co_await p.channel.publish("", "q", "x");
        co_await p.channel.declare_queue("empty");
    };
    p.run(prepare());
    std::vector<std::function<asio::awaitable<void>()>> operations{
        [&]() -> asio::awaitable<void> { static_cast<void>(co_await p.channel.get("q")); },
        [&]() -> asio::awaitable<void> { static_cast<void>(co_await p.channel.consume("empty")); },
        [&]() -> asio::awaitable<void> { static_cast<void>(co_await p.connection.open_channel()); },
        [&]() -> asio::awaitable<void> { co_await p.channel.recover(); },
        [&]() -> asio::awaitable<void> { static_cast<void>(co_await lv::memory::connect(p.broker)); },
    };
    for (const auto& operation : operations) {
        asio::cancellation_signal cancel;
        const auto done = p.start(operation(), &cancel);
        p.elsewhere->restart();
        p.elsewhere->poll(); // asked
        REQUIRE_FALSE(*done);
        cancel.emit(asio::cancellation_type::terminal);
        p.elsewhere->poll();
        REQUIRE(*done);
        CHECK(words_of(**done).find("cancelled") != std::string::npos);
        p.step();
    }
    const auto look = [&]() -> asio::awaitable<void> {
        const auto empty = co_await p.channel.declare_queue("empty", {.passive = true});
        CHECK(empty.consumer_count() == 0);
        auto d = co_await p.channel.get("q");
        REQUIRE(d);
        CHECK(d->redelivered());
        CHECK(d->ack());
        auto consumer = co_await p.channel.consume("q");
        co_await p.channel.publish("", "q", "after the recover that nobody waited for");
        auto next = co_await consumer.next();
        REQUIRE(next);
        CHECK(next->ack());
    };
    p.run(look());
}

TEST_CASE("memory elsewhere: the context of a connection goes with everything pending; its messages go back")
{
    two_places p;
    std::vector<lv::memory::delivery> deliveries;
    std::vector<lv::memory::consumer> consumers;
    p.run(p.open());
    const auto live = [&]() -> asio::awaitable<void> {
        co_await p.channel.declare_queue("q");
        co_await p.channel.declare_queue("mine", {.exclusive = true});
        for (int i = 0; i < 10; ++i)
            co_await p.channel.publish("", "q", "held " + std::to_string(i));
        auto consumer = co_await p.channel.consume("q");
        for (int i = 0; i < 5; ++i) {
            auto d = co_await consumer.next();
            deliveries.push_back(std::move(*d));
        }
        consumers.push_back(std::move(consumer));
    };
    p.run(live());
    const auto forever = [&]() -> asio::awaitable<void> {
        auto idle = co_await p.channel.consume("mine", {.no_ack = true});
        static_cast<void>(co_await idle.next());
    };
    static_cast<void>(p.start(forever()));
    p.step();
    p.elsewhere.reset();
    CHECK_FALSE(p.connection.is_open());
    CHECK(deliveries[0].body() == "held 0");
    CHECK_FALSE(deliveries[0].ack());
    p.step();
    const auto look = [&]() -> asio::awaitable<void> {
        auto channel = co_await p.first.open_channel();
        const auto info = co_await channel.declare_queue("q", {.passive = true});
        CHECK(info.message_count() == 10);
        CHECK(info.consumer_count() == 0);
        const outcome gone = co_await outcome_of(channel.declare_queue("mine", {.passive = true}));
        CHECK(gone.code() == lv::reply_code::not_found);
    };
    p.run(*p.home, look());
    CHECK(deliveries[4].body() == "held 4");
}

TEST_CASE("memory elsewhere: the home goes; whoever uses the broker elsewhere is told, and it may have another home")
{
    two_places p;
    p.run(p.open());
    std::optional<lv::memory::delivery> held;
    const auto prepare = [&]() -> asio::awaitable<void> {
        co_await p.channel.declare_queue("q", {.message_ttl = 1h});
        co_await p.channel.publish("", "q", "held");
        co_await p.channel.publish("", "q", "stays");
        held = co_await p.channel.get("q");
    };
    p.run(prepare());
    outcome waiting, asking;
    const auto wait = [&]() -> asio::awaitable<void> {
        auto consumer = co_await p.channel.consume("q");
        auto first = co_await consumer.next();
        static_cast<void>(first);
        waiting = co_await outcome_of(consumer.next());
    };
    const auto done = p.start(wait());
    p.step();
    const auto ask = [&]() -> asio::awaitable<void> {
        asking = co_await outcome_of(p.channel.declare_queue("never answered"));
    };
    const auto asked = p.start(ask());
    p.elsewhere->restart();
    p.elsewhere->poll();
    p.first = {};
    p.home.reset();
    p.step();
    REQUIRE(*done);
    REQUIRE(*asked);
    CHECK(waiting.what() == outcome::kind::connection);
    CHECK(asking.what() == outcome::kind::connection);
    CHECK(asking.words().find("the execution context of its broker was destroyed") != std::string::npos);
    CHECK_FALSE(p.connection.is_open());
    CHECK(held->body() == "held");
    const auto again = [&]() -> asio::awaitable<void> {
        auto connection = co_await lv::memory::connect(p.broker);
        auto channel = co_await connection.open_channel();
        const auto info = co_await channel.declare_queue("q", {.passive = true, .message_ttl = 1h});
        CHECK(info.message_count() == 2);
        co_await connection.close();
    };
    p.run(again());
    CHECK(held->body() == "held");
}

TEST_CASE("memory elsewhere: nothing keeps the contexts running when all is closed, and an open connection does")
{
    two_places p;
    p.run(p.open());
    p.home->restart();
    p.first = {};
    static_cast<void>(p.home->run_for(20ms));
    CHECK_FALSE(p.home->stopped()); // for the connection elsewhere
    const auto close = [&]() -> asio::awaitable<void> { co_await p.connection.close(); };
    p.run(close());
    p.elsewhere->restart();
    p.elsewhere->run_for(5s);
    CHECK(p.elsewhere->stopped());
    p.home->restart();
    p.home->run_for(5s);
    CHECK(p.home->stopped());
}

TEST_CASE("memory elsewhere: several threads with a connection each, all through one broker")
{
    lv::test::broker_home home;
    constexpr int threads = 3, messages = 2'000;
    std::atomic<int> received{0};
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t)
        all.emplace_back([&, t] {
            asio::io_context context{1};
            const std::string name = "q" + std::to_string(t);
            const std::string next = "q" + std::to_string((t + 1) % threads);
            const auto work = [&]() -> asio::awaitable<void> {
                auto connection = co_await lv::memory::connect(home.broker);
                auto channel = co_await connection.open_channel();
                co_await channel.declare_queue(name);
                co_await channel.declare_queue(next);
                auto consumer = co_await channel.consume(name, {.prefetch = 50});
                const lv::message m = lv::message("from " + name).type("greeting").header("n", t);
                for (int i = 0; i < messages; ++i) {
                    if (i % 10 == 0) {
                        const auto r = co_await channel.publish_confirmed("", next, m);
                        if (!r)
                            throw std::runtime_error("not confirmed");
                    } else {
                        co_await channel.publish("", next, m);
                    }
                    if (i >= 20) {
                        auto d = co_await consumer.next();
                        if (!d || d->properties().type() != "greeting" || d->headers().size() != 1)
                            throw std::runtime_error("not what was sent");
                        const auto body = d->payload();
                        d->ack();
                        ++received;
                    }
                }
                for (int i = 0; i < 20; ++i) {
                    auto d = co_await consumer.next();
                    d->ack();
                    ++received;
                }
                co_await connection.close();
            };
            auto done = asio::co_spawn(context, work(), asio::use_future);
            context.run();
            done.get();
        });
    for (auto& thread : all)
        thread.join();
    CHECK(received == threads * messages);
}
