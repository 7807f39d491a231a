// Every operation, cancelled at every moment: before it is sent, after, when its answer is here, and
// anywhere between. It ends as if it had never been or as if nothing had happened, and its channel and
// connection are as good as before.
#include "fault/stepping.hpp"
#include "support/coro_test.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lv = leveret;
namespace wire = leveret::wire;
using lv::test::at_every_step;
using lv::test::background;
using lv::test::outcome;
using lv::test::outcome_of;
using lv::test::small_broker;
using lv::test::stepper;
using lv::test::world;

namespace {

struct operation {
    const char* name;
    lv::test::operation_under_test run;
    /// How the server gets to know of it, for those that it answers.
    const char* request = "";
    int deliveries = 0;
    bool has_message = false;
    /// What becomes of it when the answer does not come.
    lv::fate unanswered = lv::fate::unknown;
};

using lv::amqp::delivery;

const operation operations[] = {
    {"open_channel",
     [](world& w) -> asio::awaitable<void> {
         auto channel = co_await w.connection.open_channel();
         CHECK(channel.is_open());
     },
     "2 channel.open"},
    {"declare_queue",
     [](world& w) -> asio::awaitable<void> {
         auto queue = co_await w.channel.declare_queue("matrix");
         CHECK(queue.name() == "matrix");
     },
     "1 queue.declare queue=matrix"},
    {"consume",
     [](world& w) -> asio::awaitable<void> {
         auto consumer = co_await w.channel.consume("q", {.tag = "matrix"});
         CHECK(consumer.tag() == "matrix");
     },
     "1 basic.consume", 3},
    {"get, nothing there",
     [](world& w) -> asio::awaitable<void> {
         auto message = co_await w.channel.get("q");
         CHECK_FALSE(message);
     },
     "1 basic.get"},
    {"get, a message",
     [](world& w) -> asio::awaitable<void> {
         auto message = co_await w.channel.get("q");
         REQUIRE(message);
         message->ack();
     },
     "1 basic.get", 0, true},
    {"publish",
     [](world& w) -> asio::awaitable<void> { co_await w.channel.publish("", "matrix", "x"); }},
    {"publish_confirmed",
     [](world& w) -> asio::awaitable<void> {
         const auto result = co_await w.channel.publish_confirmed("", "matrix", "x");
         CHECK(result.is_confirmed());
     },
     "1 basic.publish"},
    {"publisher and flush",
     [](world& w) -> asio::awaitable<void> {
         lv::amqp::publisher out(w.channel, {.window = 2});
         for (int i = 0; i < 5; ++i)
             static_cast<void>(co_await out.publish("", "matrix", "x"));
         const auto report = co_await out.flush();
         CHECK(report.confirmed() == 5);
     },
     "1 basic.publish", 0, false, lv::fate::never_sent}, // the third, which waits for the window

    {"commit",
     [](world& w) -> asio::awaitable<void> { co_await w.channel.set_prefetch(5); },
     "1 basic.qos"},
    {"update_secret",
     [](world& w) -> asio::awaitable<void> { co_await w.connection.update_secret("s"); },
     "0 connection.update-secret"},
    {"channel.close of another channel",
     [](world& w) -> asio::awaitable<void> {
         auto other = co_await w.connection.open_channel();
         co_await other.close();
     },
     "2 channel.close"},
};

/// That the channel and the connection of `w` work, and nothing is left of what was done to them.
asio::awaitable<void> check_usable(world& w)
{
    CHECK(w.connection.is_open());
    CHECK(w.channel.is_open());
    // Twice: what the client undoes when an answer comes is before the second.
    auto again = co_await w.channel.declare_queue("after");
    CHECK(again.name() == "after");
    static_cast<void>(co_await w.channel.declare_queue("after"));
    const auto result = co_await w.channel.publish_confirmed("", "q", "after");
    CHECK(result.is_confirmed());
    auto other = co_await w.connection.open_channel();
    static_cast<void>(co_await other.declare_queue("after"));
    const auto count = [&](std::string_view what) {
        return std::count_if(w.broker().seen.begin(), w.broker().seen.end(),
                             [&](const std::string& s) { return s.find(what) != std::string::npos; });
    };
    CHECK(count("basic.consume") == count("basic.cancel"));
    CHECK(w.broker().unsettled() == 0);
}

/// One operation in a world of its own; `act` in at_every_step gets at it by way of `target`.
asio::awaitable<void> one_life(const operation& op, stepper& s, std::optional<background>& target)
{
    world w(co_await asio::this_coro::executor);
    w.deliveries = op.deliveries;
    w.has_message = op.has_message;
    w.serve();
    co_await w.connect();
    s.begin();
    target.emplace(w.executor, op.run(w));
    const outcome end = co_await target->join();
    s.end();
    target.reset();
    CAPTURE(end);
    CHECK((end.ok() || end.was_cancelled()));
    co_await check_usable(w);
    co_await w.connection.close();
}

/// Cancelled when the server has the request and does not answer it before the operation has ended.
asio::awaitable<void> cancel_unanswered(const operation& op)
{
    world w(co_await asio::this_coro::executor);
    w.deliveries = op.deliveries;
    w.has_message = op.has_message;
    w.serve();
    co_await w.connect();
    lv::test::latch sent(w.executor);
    w.broker().on_method = [&](const lv::test::owned_frame& f) {
        if (!f.text().starts_with(op.request))
            return;
        w.broker().holds = true;
        sent.fire();
    };
    background b(w.executor, op.run(w));
    co_await sent.wait();
    b.cancel();
    const outcome end = co_await b.join();
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::cancelled);
    CHECK(end.code() == asio::error::operation_aborted);
    CHECK(end.details().operation_fate == op.unanswered);
    w.broker().on_method = nullptr;
    co_await w.broker().release();
    co_await check_usable(w);
    co_await w.connection.close();
}

} // namespace

TEST_CASE("cancellation: every operation at every step" * doctest::timeout(300))
{
    for (const operation& op : operations) {
        CAPTURE(std::string(op.name));
        std::optional<background> target;
        at_every_step([&](stepper& s) { return one_life(op, s, target); }, [&] { target->cancel(); });
    }
}

LEVERET_CORO_TEST_CASE("cancellation: every operation while the server does not answer")
{
    for (const operation& op : operations) {
        CAPTURE(std::string(op.name));
        if (*op.request != '\0')
            co_await cancel_unanswered(op);
    }
}

TEST_CASE("cancellation: next at every step loses nothing")
{
    std::optional<background> target;
    const auto life = [&](stepper& s) -> asio::awaitable<void> {
        world w(co_await asio::this_coro::executor);
        w.deliveries = 3;
        w.serve();
        co_await w.connect();
        auto consumer = co_await w.channel.consume("q");
        int got = 0;
        const auto take_all = [](lv::amqp::consumer& c, int& n) -> asio::awaitable<void> {
            while (n < 3) {
                auto d = co_await c.next();
                REQUIRE(d);
                REQUIRE(d->delivery_tag() == static_cast<std::uint64_t>(n) + 1);
                d->ack();
                ++n;
            }
        };
        s.begin();
        target.emplace(w.executor, take_all(consumer, got));
        const outcome end = co_await target->join();
        s.end();
        target.reset();
        CHECK((end.ok() || end.was_cancelled()));
        co_await take_all(consumer, got);
        co_await consumer.cancel();
        co_await check_usable(w);
        co_await w.connection.close();
    };
    at_every_step(life, [&] { target->cancel(); });
}

TEST_CASE("cancellation: consumer.cancel at every step, and its handle dropped after")
{
    std::optional<background> target;
    const auto life = [&](stepper& s) -> asio::awaitable<void> {
        world w(co_await asio::this_coro::executor);
        w.deliveries = 3;
        w.serve();
        co_await w.connect();
        {
            auto consumer = co_await w.channel.consume("q");
            s.begin();
            target.emplace(w.executor, consumer.cancel());
            const outcome end = co_await target->join();
            s.end();
            target.reset();
            CHECK((end.ok() || end.was_cancelled()));
        }
        co_await check_usable(w);
        co_await w.connection.close();
    };
    at_every_step(life, [&] { target->cancel(); });
}

TEST_CASE("cancellation: connect at every step leaves nothing running")
{
    std::optional<background> target;
    const auto life = [&](stepper& s) -> asio::awaitable<void> {
        world w(co_await asio::this_coro::executor);
        w.serve();
        const auto connect = [](world& at) -> asio::awaitable<void> {
            at.connection = co_await lv::amqp::connect(at.server.url());
        };
        s.begin();
        target.emplace(w.executor, connect(w));
        const outcome end = co_await target->join();
        s.end();
        target.reset();
        CHECK((end.ok() || end.was_cancelled()));
        if (end.ok())
            co_await w.connection.close();
    };
    at_every_step(life, [&] { target->cancel(); });
}

TEST_CASE("cancellation: close at every step; the connection ends all the same")
{
    std::optional<background> target;
    for (const bool whole_connection : {true, false}) {
        const auto life = [&](stepper& s) -> asio::awaitable<void> {
            world w(co_await asio::this_coro::executor);
            w.serve();
            co_await w.connect();
            background waits(w.executor, w.channel.next_return());
            s.begin();
            target.emplace(w.executor, whole_connection ? w.connection.close() : w.channel.close());
            const outcome end = co_await target->join();
            s.end();
            target.reset();
            CHECK((end.ok() || end.was_cancelled()));
            if (!whole_connection) {
                auto other = co_await w.connection.open_channel();
                static_cast<void>(co_await other.declare_queue("after"));
            }
            co_await w.connection.close();
            const outcome told = co_await waits.join();
            CHECK_FALSE(told.ok());
        };
        at_every_step(life, [&] { target->cancel(); });
    }
}

TEST_CASE("cancellation: publish while the connection is blocked")
{
    std::optional<background> target;
    const auto life = [&](stepper& s) -> asio::awaitable<void> {
        world w(co_await asio::this_coro::executor);
        w.serve();
        co_await w.connect();
        w.broker().instead = lv::test::frame(0, wire::connection::blocked{}) +
                            lv::test::frame(1, wire::basic::qos_ok{});
        co_await w.channel.set_prefetch(1);
        REQUIRE(w.connection.is_blocked());
        const auto publish = [](world& at) -> asio::awaitable<void> {
            co_await at.channel.publish("", "matrix", "x");
        };
        s.begin();
        target.emplace(w.executor, publish(w));
        background other(w.executor, w.channel.set_prefetch(2)); // something to take steps
        static_cast<void>(co_await other.join());
        target->cancel();
        const outcome end = co_await target->join();
        s.end();
        target.reset();
        CHECK(end.was_cancelled());
        w.broker().instead = lv::test::frame(0, wire::connection::unblocked{}) +
                            lv::test::frame(1, wire::basic::qos_ok{});
        co_await w.channel.set_prefetch(3);
        co_await check_usable(w);
        CHECK_FALSE(w.broker().has_seen("1 basic.publish routing-key=matrix"));
        co_await w.connection.close();
    };
    at_every_step(life, [&] { target->cancel(); });
}

TEST_CASE("cancellation: the connection is lost at every step of every operation" * doctest::timeout(300))
{
    for (const operation& op : operations) {
        CAPTURE(std::string(op.name));
        std::shared_ptr<lv::test::server_side> side;
        const auto life = [&](stepper& s) -> asio::awaitable<void> {
            world w(co_await asio::this_coro::executor);
            w.deliveries = op.deliveries;
            w.has_message = op.has_message;
            w.serve();
            co_await w.connect();
            side = w.side;
            s.begin();
            const outcome end = co_await outcome_of(op.run(w));
            s.end();
            CAPTURE(end);
            CHECK((end.ok() || end.what() == outcome::kind::connection));
            if (!end.ok()) {
                const outcome late = co_await outcome_of(w.channel.declare_queue("after"));
                CHECK(late.what() == outcome::kind::connection);
                const outcome opened = co_await outcome_of(w.connection.open_channel());
                CHECK(opened.what() == outcome::kind::connection);
            }
            co_await w.connection.close();
        };
        at_every_step(life, [&] {
            if (side->peer != nullptr)
                side->peer->close();
        });
    }
}

TEST_CASE("cancellation: next that is cancelled before it has ended takes nothing")
{
    std::optional<background> target;
    bool was_running = false;
    int taken = 0;
    const auto life = [&](stepper& s) -> asio::awaitable<void> {
        world w(co_await asio::this_coro::executor);
        w.deliveries = 1;
        w.serve();
        co_await w.connect();
        w.broker().holds = true; // so that next waits for what is sent now
        background consuming(w.executor, [](world& at) -> asio::awaitable<void> {
            at.consumer = co_await at.channel.consume("q", {.no_ack = true});
        }(w));
        while (!w.broker().has_seen("1 basic.consume"))
            co_await lv::test::pause(w.executor, std::chrono::milliseconds(0));
        co_await w.broker().release();
        const outcome started = co_await consuming.join();
        REQUIRE(started.ok());
        taken = 0;
        const auto next = [](world& at, int& n) -> asio::awaitable<void> {
            auto d = co_await at.consumer.next();
            n += d ? 1 : 0;
        };
        was_running = false;
        s.begin();
        target.emplace(w.executor, next(w, taken));
        const outcome end = co_await target->join();
        s.end();
        target.reset();
        CHECK((end.ok() || end.was_cancelled()));
        CHECK(end.ok() == !was_running);
        if (!end.ok()) {
            CHECK(taken == 0);
            auto d = co_await w.consumer.next({.timeout = lv::duration::seconds(5)});
            CHECK(d.has_value());
        }
        co_await w.connection.close();
    };
    at_every_step(life, [&] {
        was_running = taken == 0;
        target->cancel();
    });
}
