// An io_context that is destroyed at any moment takes with it whatever waits there, and handles that
// outlive it do no harm. What goes wrong here shows with a sanitizer.
#include "fault/stepping.hpp"

#include <doctest/doctest.h>

#include <asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lv = leveret;
using namespace std::chrono_literals;
using lv::test::background;
using lv::test::outcome_of;
using lv::test::world;

namespace {

/// Handles that a program keeps outside of its coroutines.
struct kept_handles {
    std::optional<lv::amqp::connection> connection;
    std::vector<lv::amqp::channel> channels;
    std::vector<lv::amqp::consumer> consumers;
    std::vector<lv::amqp::publisher> publishers;
    std::vector<lv::amqp::delivery> deliveries;
    std::vector<lv::payload> payloads;
};

/// A bit of everything, with coroutines that wait for all there is to wait for. `kept` may be null.
asio::awaitable<void> live(std::shared_ptr<world> w, kept_handles* kept)
{
    w->deliveries = 5;
    w->has_message = true;
    w->serve();
    co_await w->connect();
    auto consumer = co_await w->channel.consume("q");
    auto other = co_await w->connection.open_channel();
    auto empty = co_await other.consume("q", {.no_ack = true});
    lv::amqp::publisher out(other, {.window = 3});
    background returns(w->executor, other.next_return());
    background next(w->executor, [](lv::amqp::consumer& c) -> asio::awaitable<void> {
        for (;;)
            static_cast<void>(co_await c.next());
    }(empty));
    auto first = co_await consumer.next();
    auto fetched = co_await w->channel.get("q");
    if (kept != nullptr) {
        kept->channels.push_back(w->channel);
        kept->payloads.push_back(first->payload());
        kept->deliveries.push_back(std::move(*first));
    }
    for (int i = 0; i < 10; ++i)
        static_cast<void>(co_await out.publish("", "q", std::string(20'000, 'x')));
    background confirmed(w->executor, w->channel.publish_confirmed("", "q", "x"));
    static_cast<void>(co_await w->channel.declare_queue("q"));
    if (kept != nullptr) {
        kept->consumers.push_back(std::move(consumer));
        kept->publishers.push_back(std::move(out));
        kept->deliveries.push_back(std::move(*fetched));
        kept->connection = std::move(w->connection);
        co_await kept->connection->close();
        co_return;
    }
    static_cast<void>(co_await out.flush());
    co_await w->connection.close();
}

/// Runs so many handlers and destroys the rest; true if there was none. `drop_first` takes the handles
/// away before that, so that what they start in the background is destroyed as well.
bool live_for(std::size_t handlers, kept_handles* kept, bool drop_first)
{
    asio::io_context context{1};
    auto w = std::make_shared<world>(context.get_executor());
    asio::co_spawn(context, live(w, kept), [](std::exception_ptr thrown) {
        if (thrown)
            std::rethrow_exception(thrown);
    });
    const auto limit = std::chrono::steady_clock::now() + 20s;
    for (; handlers > 0; --handlers)
        if (context.run_one_until(limit) == 0)
            return true;
    if (drop_first) {
        w->connection = {};
        w->channel = {};
    }
    return false;
}

} // namespace

TEST_CASE("lifetime: the io_context is destroyed at any moment" * doctest::timeout(300))
{
    for (std::size_t n = 0; !live_for(n, nullptr, false); ++n)
        CAPTURE(n);
    for (std::size_t n = 0; !live_for(n, nullptr, true); n += 3)
        CAPTURE(n);
}

TEST_CASE("lifetime: handles outlive an io_context that is destroyed at any moment" * doctest::timeout(300))
{
    for (std::size_t n = 0;; ++n) {
        CAPTURE(n);
        kept_handles kept;
        const bool complete = live_for(n, &kept, false);
        for (auto& c : kept.channels) {
            CHECK_FALSE(c.is_open());
            CHECK_THROWS_AS(c.try_publish("", "q", "x"), lv::error);
        }
        for (auto& c : kept.consumers)
            static_cast<void>(c.try_next());
        for (auto& d : kept.deliveries) {
            CHECK(d.body() == "message");
            static_cast<void>(d.ack());
        }
        for (auto& p : kept.payloads)
            CHECK(p.view() == "message");
        if (n % 3 == 0) // in another order than that of their declaration
            kept.connection.reset();
        if (n % 3 == 1)
            kept.consumers.clear();
        if (complete)
            break;
    }
}

TEST_CASE("lifetime: handles outlive the io_context of an idle connection, and of one that does not read")
{
    for (const bool is_paused : {false, true}) {
        CAPTURE(is_paused);
        kept_handles kept;
        {
            asio::io_context context{1};
            world w(context.get_executor());
            w.deliveries = is_paused ? 50'000 : 0; // far above the backlog's limit
            w.serve();
            const auto open = [&]() -> asio::awaitable<void> {
                kept.connection = co_await lv::amqp::connect(w.server.url(), {.backlog_high_water = 1000});
                kept.channels.push_back(co_await kept.connection->open_channel());
                auto consumer = co_await kept.channels[0].consume("q");
                kept.consumers.push_back(std::move(consumer));
            };
            asio::co_spawn(context, open, [](std::exception_ptr thrown) {
                if (thrown)
                    std::rethrow_exception(thrown);
            });
            const auto limit = std::chrono::steady_clock::now() + 20s;
            while (kept.consumers.empty() && context.run_one_until(limit) != 0) {
            }
            while (context.poll_one() != 0) {
            }
            REQUIRE(kept.consumers.size() == 1);
        }
        for (auto& c : kept.consumers) {
            auto d = c.try_next();
            CHECK(d.has_value() == is_paused);
        }
        kept.consumers.clear();
        kept.channels.clear();
        kept.connection.reset();
    }
}

TEST_CASE("lifetime: handles are dropped one by one, and the connection ends by itself")
{
    asio::io_context context{1};
    auto w = std::make_shared<world>(context.get_executor());
    const auto open = [&]() -> asio::awaitable<void> {
        w->deliveries = 3;
        w->serve();
        co_await w->connect();
        auto consumer = co_await w->channel.consume("q");
        w->connection = {};
        w->channel = {};
        auto d = co_await consumer.next(); // it still lives, for the consumer's sake
        REQUIRE(d);
        consumer = {};
        CHECK(d->ack());
    };
    bool complete = false;
    asio::co_spawn(context, open, [&](std::exception_ptr thrown) {
        if (thrown)
            std::rethrow_exception(thrown);
        complete = true;
    });
    context.run_for(20s);
    CHECK(complete);
    CHECK(context.stopped()); // nothing holds the connection, nothing keeps it open
}

TEST_CASE("lifetime: awaitables that are made and never awaited")
{
    asio::io_context context{1};
    auto w = std::make_shared<world>(context.get_executor());
    const auto open = [&]() -> asio::awaitable<void> {
        w->serve();
        co_await w->connect();
        {
            auto unused1 = lv::amqp::connect(w->server.url());
            auto unused2 = w->connection.open_channel();
            auto unused3 = w->channel.declare_queue("never");
            auto unused4 = w->channel.publish("", "never", std::string(100'000, 'x'));
            auto unused5 = w->channel.publish_confirmed("", "never", "x");
            auto unused6 = w->channel.consume("never", {.tag = "never"});
            auto unused7 = w->channel.get("never");
            auto unused8 = w->channel.close();
            auto unused9 = w->connection.close();
        }
        static_cast<void>(co_await w->channel.declare_queue("q"));
        for (const std::string& s : w->broker().seen)
            CHECK(s.find("never") == std::string::npos);
        CHECK_FALSE(w->broker().has_seen("1 basic."));
        co_await w->connection.close();
    };
    bool complete = false;
    asio::co_spawn(context, open, [&](std::exception_ptr thrown) {
        if (thrown)
            std::rethrow_exception(thrown);
        complete = true;
    });
    context.run_for(20s);
    CHECK(complete);
    CHECK(context.stopped());
}
