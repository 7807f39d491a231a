// What crosses on its way between a connection and a broker whose home is another executor: each was once a mistake.
#include "support/coro_test.hpp"
#include "support/outcome.hpp"
#include "transport/two_places.hpp"

#include <leveret/memory.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
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

TEST_CASE("memory elsewhere: closed connection elsewhere, home destroyed, then the handle goes")
{
    two_places p;
    p.run(p.open());
    const auto close = [&]() -> asio::awaitable<void> { co_await p.connection.close(); };
    p.run(close());
    p.channel = {};
    p.first = {};
    p.step();
    p.home.reset();
    p.connection = {};
    p.step();
}

TEST_CASE("memory elsewhere: a home that was destroyed takes nobody until what it left behind is gone")
{
    two_places p;
    p.home.reset();
    outcome refused, again;
    const auto connect = [&](outcome& o) -> asio::awaitable<void> {
        o = co_await outcome_of(lv::memory::connect(p.broker, {.timeout = 5s}));
    };
    p.run(connect(refused));
    CHECK(refused.what() == outcome::kind::connection);
    CHECK(refused.words().find("handles that it left behind are still held") != std::string::npos);
    p.first = {};
    p.run(connect(again));
    CHECK(again.ok());
}

TEST_CASE("memory elsewhere: a home that is destroyed while others join it")
{
    for (int i = 0; i < 300; ++i) {
        two_places p;
        std::atomic<bool> is_about{false};
        outcome o;
        std::thread other([&] {
            asio::io_context context{1};
            const auto join = [&]() -> asio::awaitable<void> {
                o = co_await outcome_of(lv::memory::connect(p.broker, {.timeout = 20s}));
            };
            asio::co_spawn(context, join(), asio::detached);
            is_about = true;
            context.run();
        });
        while (!is_about)
            std::this_thread::yield();
        for (int spin = 0; spin < i % 100; ++spin)
            is_about.exchange(true);
        p.home.reset();
        other.join();
        // It had joined, or learned that there is no home: it never waits for one that is gone.
        const bool told = o.ok() || o.what() == outcome::kind::connection;
        CHECK_MESSAGE(told, o.words());
        p.first = {};
    }
}

TEST_CASE("memory elsewhere: a home whose last handle goes while it does not run is a home no more")
{
    two_places p;
    p.first = {};
    outcome o;
    const auto c = [&]() -> asio::awaitable<void> { o = co_await outcome_of(lv::memory::connect(p.broker, {.timeout = 50ms})); };
    const auto done = p.start(c());
    p.elsewhere->restart();
    for (int i = 0; i < 100 && !*done; ++i)
        p.elsewhere->run_for(5ms);
    REQUIRE(*done);
    CHECK(o.words() == "");
}

TEST_CASE("memory elsewhere: delivery of a gone consumer before a recover's answer")
{
    two_places p;
    p.run(p.open());
    std::optional<lv::memory::consumer> consumer;
    const auto prepare = [&]() -> asio::awaitable<void> {
        co_await p.channel.declare_queue("q");
        consumer = co_await p.channel.consume("q");
    };
    p.run(prepare());
    REQUIRE(p.channel.try_publish("", "q", "x"));
    const auto rec = [&]() -> asio::awaitable<void> { co_await p.channel.recover(); };
    const auto done = p.start(rec());
    p.elsewhere->restart();
    p.elsewhere->poll();
    p.home->restart();
    p.home->poll();
    consumer.reset();
    p.step();
    REQUIRE(*done);
    CHECK(!**done);
    CHECK(p.channel.is_open());
}

TEST_CASE("memory elsewhere: a get that nobody waits for, and a recover")
{
    two_places p;
    p.run(p.open());
    const auto prepare = [&]() -> asio::awaitable<void> {
        co_await p.channel.declare_queue("q");
        co_await p.channel.publish("", "q", "x");
    };
    p.run(prepare());
    asio::cancellation_signal cancel;
    const auto get = [&]() -> asio::awaitable<void> { static_cast<void>(co_await p.channel.get("q")); };
    const auto got = p.start(get(), &cancel);
    p.elsewhere->restart();
    p.elsewhere->poll();
    cancel.emit(asio::cancellation_type::terminal);
    const auto rec = [&]() -> asio::awaitable<void> { co_await p.channel.recover(); };
    const auto done = p.start(rec());
    p.elsewhere->poll();
    p.step();
    REQUIRE(*done);
    CHECK(p.channel.is_open());
}

TEST_CASE("memory elsewhere: a get that somebody waits for, and a recover")
{
    two_places p;
    p.run(p.open());
    const auto prepare = [&]() -> asio::awaitable<void> {
        co_await p.channel.declare_queue("q");
        co_await p.channel.publish("", "q", "x");
    };
    p.run(prepare());
    const auto get = [&]() -> asio::awaitable<void> {
        auto d = co_await p.channel.get("q");
    };
    const auto got = p.start(get());
    const auto rec = [&]() -> asio::awaitable<void> { co_await p.channel.recover(); };
    const auto done = p.start(rec());
    p.elsewhere->restart();
    p.elsewhere->poll();
    p.step();
    REQUIRE(*done);
    REQUIRE(*got);
    CHECK(p.channel.is_open());
}

TEST_CASE("memory elsewhere: a tag used again after the broker cancelled its consumer")
{
    for (bool far : {false, true}) {
        CAPTURE(far);
        two_places p;
        const auto work = [&]() -> asio::awaitable<void> {
            co_await p.open();
            co_await p.channel.declare_queue("a");
            co_await p.channel.declare_queue("b");
            auto c = co_await p.channel.consume("a", {.tag = "t"});
            static_cast<void>(co_await p.channel.delete_queue("a"));
            const outcome o = co_await outcome_of(c.next());
            c = co_await p.channel.consume("b", {.tag = "t"});
            co_await p.channel.publish("", "b", "x");
            const auto info = co_await p.channel.declare_queue("b", {.passive = true});
            CHECK(info.consumer_count() == 1);
            const outcome n = co_await outcome_of(c.next({.timeout = 50ms}));
            CHECK(n.words() == "");
        };
        p.run(far ? *p.elsewhere : *p.home, work());
        p.channel = {};
        p.connection = {};
        p.step();
    }
}

TEST_CASE("memory elsewhere: two channels opened at once have two numbers")
{
    two_places p;
    p.run(p.open());
    lv::memory::channel a, b;
    const auto oa = [&]() -> asio::awaitable<void> { a = co_await p.connection.open_channel(); };
    const auto ob = [&]() -> asio::awaitable<void> { b = co_await p.connection.open_channel(); };
    const auto da = p.start(oa());
    const auto db = p.start(ob());
    p.step();
    REQUIRE(*da);
    REQUIRE(*db);
    CHECK(a.number() != b.number());
}

TEST_CASE("memory elsewhere: confirms before an error of the channel")
{
    for (bool far : {false, true}) {
        CAPTURE(far);
        two_places p;
        const auto work = [&]() -> asio::awaitable<void> {
            co_await p.open();
            co_await p.channel.declare_queue("q");
            lv::memory::publisher out{p.channel};
            static_cast<void>(co_await out.publish("", "q", "x"));
            co_await p.channel.publish("nope", "q", "x");
            static_cast<void>(co_await outcome_of(out.flush()));
            CHECK(out.unconfirmed().size() == 0);
        };
        p.run(far ? *p.elsewhere : *p.home, work());
        p.channel = {};
        p.connection = {};
        p.step();
    }
}

TEST_CASE("memory elsewhere: a reply for a consumer that is gone takes the tag of the next delivery")
{
    two_places p;
    p.run(p.open());
    std::optional<lv::memory::consumer> replies;
    std::string address;
    lv::memory::channel server;
    const auto prepare = [&]() -> asio::awaitable<void> {
        co_await p.channel.declare_queue("q");
        co_await p.channel.declare_queue("requests");
        replies = co_await p.channel.consume("amq.rabbitmq.reply-to", {.no_ack = true});
        co_await p.channel.publish("", "requests", lv::message("r").reply_to("amq.rabbitmq.reply-to"));
        co_await p.channel.publish("", "q", "work");
    };
    p.run(prepare());
    const auto answer = [&]() -> asio::awaitable<void> {
        server = co_await p.first.open_channel();
        auto d = co_await server.get("requests");
        address = std::string(d->properties().reply_to());
        d->ack();
    };
    p.run(*p.home, answer());
    REQUIRE(server.try_publish("", address, "reply")); // event in the mailbox
    replies.reset();                                   // not yet heard
    p.step();
    const auto look = [&]() -> asio::awaitable<void> {
        auto d = co_await p.channel.get("q");
        REQUIRE(d);
        CHECK(d->ack());
    };
    p.run(look());
    p.channel = {};
    p.step();
    const auto left = [&]() -> asio::awaitable<void> {
        const auto info = co_await server.declare_queue("q", {.passive = true});
        CHECK(info.message_count() == 0);
    };
    p.run(*p.home, left());
    server = {};
}

TEST_CASE("memory elsewhere: select_confirms that yields, and a publish meanwhile")
{
    int bad = 0;
    for (bool far : {false, true})
        for (int n = 240; n < 262; ++n) {
            two_places p;
            const auto prepare = [&]() -> asio::awaitable<void> {
                co_await p.open();
                co_await p.channel.declare_queue("q");
                for (int i = 0; i < n; ++i)
                    co_await p.channel.publish("", "q", "x");
            };
            p.run(far ? *p.elsewhere : *p.home, prepare());
            outcome second;
            bool done1 = false, done2 = false;
            auto& ctx = far ? *p.elsewhere : *p.home;
            const auto one = [&]() -> asio::awaitable<void> { co_await p.channel.select_confirms(); done1 = true; };
            const auto two = [&]() -> asio::awaitable<void> {
                co_await p.channel.publish("", "q", "y");
                second = co_await outcome_of(p.channel.publish_confirmed("", "q", "z", {.timeout = 50ms}));
                done2 = true;
            };
            asio::co_spawn(ctx, one(), [](std::exception_ptr) {});
            asio::co_spawn(ctx, two(), [](std::exception_ptr) {});
            const auto limit = std::chrono::steady_clock::now() + 1s;
            while (!(done1 && done2) && std::chrono::steady_clock::now() < limit)
                p.step();
            if (second.what() != outcome::kind::ok) {
                ++bad;
                MESSAGE("far " << far << " n " << n << ": " << second.words());
            }
            p.channel = {};
            p.connection = {};
            p.step();
        }
    CHECK(bad == 0);
}

TEST_CASE("memory elsewhere: recover that yields, near, and a publish meanwhile")
{
    int bad = 0;
    for (bool far : {false, true})
    for (int n = 240; n < 262; ++n) {
        two_places p;
        auto& ctx = far ? *p.elsewhere : *p.home;
        std::optional<lv::memory::consumer> c;
        const auto prepare = [&]() -> asio::awaitable<void> {
            co_await p.open();
            co_await p.channel.declare_queue("q");
            co_await p.channel.declare_queue("other");
            c = co_await p.channel.consume("q");
            for (int i = 0; i < n; ++i)
                co_await p.channel.publish("", "other", "x");
        };
        p.run(ctx, prepare());
        const auto one = [&]() -> asio::awaitable<void> { co_await p.channel.recover(); };
        const auto two = [&]() -> asio::awaitable<void> { p.channel.try_publish("", "q", "y"); co_return; };
        asio::co_spawn(ctx, one(), [](std::exception_ptr) {});
        asio::co_spawn(ctx, two(), [](std::exception_ptr) {});
        p.step();
        int got = 0;
        while (auto d = c->try_next()) {
            ++got;
            d->ack();
        }
        p.step();
        if (got != 1 || !p.channel.is_open()) {
            ++bad;
            MESSAGE("far " << far << " n " << n << ": got " << got << " open " << p.channel.is_open());
        }
        c.reset();
        p.channel = {};
        p.connection = {};
        p.step();
    }
    CHECK(bad == 0);
}

TEST_CASE("memory elsewhere: a no_ack consumer that goes while a delivery is on its way")
{
    two_places p;
    p.run(p.open());
    std::optional<lv::memory::consumer> consumer;
    const auto prepare = [&]() -> asio::awaitable<void> {
        co_await p.channel.declare_queue("q");
        consumer = co_await p.channel.consume("q", {.no_ack = true});
    };
    p.run(prepare());
    REQUIRE(p.channel.try_publish("", "q", "x"));
    p.home->restart();
    p.home->poll();
    consumer.reset();
    p.step();
    CHECK(p.channel.is_open());
}
TEST_CASE("memory elsewhere: a no_ack delivery on its way while the channel recovers is not lost")
{
    two_places p;
    p.run(p.open());
    std::optional<lv::memory::consumer> consumer;
    const auto prepare = [&]() -> asio::awaitable<void> {
        co_await p.channel.declare_queue("q");
        consumer = co_await p.channel.consume("q", {.no_ack = true});
    };
    p.run(prepare());
    REQUIRE(p.channel.try_publish("", "q", "x"));
    const auto rec = [&]() -> asio::awaitable<void> { co_await p.channel.recover(); };
    const auto done = p.start(rec());
    p.step();
    REQUIRE(*done);
    CHECK(consumer->try_next().has_value());
}

TEST_CASE("memory elsewhere: operations without an answer wait for it when thousands are on their way")
{
    two_places p;
    p.run(p.open());
    int told = 0;
    const auto tell = [&]() -> asio::awaitable<void> {
        for (; told < 5000; ++told)
            co_await p.channel.delete_queue("nothing", {.no_wait = true});
    };
    const auto done = p.start(tell());
    for (int i = 0; i < 100; ++i) {
        p.elsewhere->restart();
        p.elsewhere->poll();
    }
    CHECK(told == 4096);
    CHECK(!done->has_value());
    for (int i = 0; i < 1000 && !done->has_value(); ++i)
        p.step();
    REQUIRE(done->has_value());
    CHECK(**done == nullptr);
    CHECK(told == 5000);
}

TEST_CASE("memory elsewhere: deliveries that come after the end of their channel name nobody at the broker")
{
    two_places p;
    p.run(p.open());
    std::optional<lv::memory::consumer> tasks;
    const auto consume = [&]() -> asio::awaitable<void> {
        co_await p.channel.declare_queue("q");
        tasks = co_await p.channel.consume("q", {.no_ack = true});
    };
    p.run(consume());
    const auto publish = [&]() -> asio::awaitable<void> {
        auto channel = co_await p.first.open_channel();
        const std::string big(5 << 20, 'x'); // more than the far end collects before it tells
        for (int i = 0; i < 2; ++i)
            co_await channel.publish("", "q", big);
    };
    asio::co_spawn(*p.home, publish(), [](std::exception_ptr e) { CHECK(e == nullptr); });
    p.home->restart();
    p.home->poll();
    tasks.reset();
    p.channel = {};
    p.step(); // with a sanitizer: no use of what is gone
    CHECK(p.connection.is_open());
}
