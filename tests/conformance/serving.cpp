// Serving: how many handlers run, what becomes of each delivery, and how it ends.
#include "conformance/conformance.hpp"
#include "interop/task.hpp"
#include "support/eventually.hpp"

#include <leveret/transport/serve.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace leveret::test;
using lv::on_error;

namespace {

template <class Transport>
struct stage {
    stage() = default;
    typename Transport::connection connection;
    typename Transport::channel channel; ///< serves
    typename Transport::channel other;   ///< publishes and looks
    std::string queue;
    std::string dead; ///< where messages go that the queue drops
};
/// With messages "0", "1"... in the queue.
template <class Transport>
asio::awaitable<stage<Transport>> set_up(under_test<Transport>& t, int messages)
{
    stage<Transport> s;
    s.connection = co_await t.connect();
    s.channel = co_await s.connection.open_channel();
    s.other = co_await s.connection.open_channel();
    s.queue = t.name("serve");
    s.dead = t.name("serve.dead");
    co_await s.other.declare_queue(s.dead, {.exclusive = true});
    co_await s.other.declare_queue(s.queue, {.exclusive = true,
                                             .dead_letter_exchange = "",
                                             .dead_letter_routing_key = s.dead});
    lv::publisher_of<typename Transport::channel> out(s.other);
    for (int i = 0; i < messages; ++i)
        co_await out.publish("", s.queue, std::to_string(i));
    co_await out.flush();
    co_return std::move(s);
}
/// How many messages the queue has when the serving channel is gone, and with it what it held.
template <class Transport>
asio::awaitable<bool> has_at_the_end(stage<Transport>& s, std::uint32_t count)
{
    const bool now = co_await holds(s.other, s.queue, count);
    co_await s.channel.close();
    const bool still = co_await holds(s.other, s.queue, count);
    co_return now && still;
}

/// Handlers that wait at a gate.
struct gate {
    bool is_open = false;
    std::size_t inside = 0;
    std::size_t most = 0;
    [[nodiscard]] asio::awaitable<void> pass()
    {
        most = std::max(most, ++inside);
        co_await eventually([this] { return is_open; });
        --inside;
    }
};

} // namespace

LEVERET_CONFORMANCE_CASE("serve: runs as many handlers at once as it may, and no more")
{
    auto s = co_await set_up(t, 40);
    std::size_t running = 0;
    std::size_t most = 0;
    std::multiset<std::string> seen;
    const auto handler = [&](typename Transport::delivery& d) -> asio::awaitable<void> {
        most = std::max(most, ++running);
        seen.insert(std::string(d.body()));
        co_await eventually([&] { return most == 4; }); // for ever, were they not parallel
        co_await s.channel.publish("", s.dead, d.body()); // the channel is theirs as well
        --running;
    };
    auto server = lv::serve(s.channel, s.queue, handler, {.concurrency = 4, .prefetch = 20});
    task<void> run(s.connection.get_executor(), server.run());
    co_await eventually([&] {
        CHECK(server.active() <= 4);
        return server.handled() == 40;
    });
    CHECK(most == 4);
    server.stop();
    co_await run.join();
    CHECK(seen.size() == 40);
    CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 40);
    CHECK(server.failed() == 0);
    CHECK(server.active() == 0);
    const bool replied = co_await holds(s.other, s.dead, 40);
    CHECK(replied);
    const bool acked = co_await has_at_the_end(s, 0);
    CHECK(acked);
    co_await s.connection.close();
}

LEVERET_CONFORMANCE_CASE("serve: one handler at a time keeps the order")
{
    auto s = co_await set_up(t, 20);
    std::string order;
    const auto handler = [&](typename Transport::delivery& d) -> asio::awaitable<void> {
        const std::string body(d.body());
        co_await turns(std::stoi(body) % 5);
        order += body + " ";
    };
    auto server = lv::serve(s.channel, s.queue, handler, {.prefetch = 10});
    task<void> run(s.connection.get_executor(), server.run());
    co_await eventually([&] { return server.handled() == 20; });
    server.stop();
    co_await run.join();
    CHECK(order == "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 ");
    co_await s.connection.close();
}

LEVERET_CONFORMANCE_CASE("serve: a stopped server waits for what runs and gives back the rest")
{
    auto s = co_await set_up(t, 10);
    gate g;
    const auto handler = [&](typename Transport::delivery&) { return g.pass(); };
    auto server = lv::serve(s.channel, s.queue, handler, {.concurrency = 3, .prefetch = 6});
    task<void> run(s.connection.get_executor(), server.run());
    co_await eventually([&] { return g.inside == 3; });
    server.stop();
    co_await pause(20ms);
    CHECK(!run.is_done());
    CHECK(server.active() == 3);
    g.is_open = true;
    co_await run.join();
    CHECK(g.most == 3);
    CHECK(server.handled() == 3);
    const bool back = co_await has_at_the_end(s, 7);
    CHECK(back);
    co_await s.connection.close();
}

LEVERET_CONFORMANCE_CASE("serve: a cancelled server does the same, and then says that it was cancelled")
{
    auto s = co_await set_up(t, 10);
    gate g;
    const auto handler = [&](typename Transport::delivery&) { return g.pass(); };
    auto server = lv::serve(s.channel, s.queue, handler, {.concurrency = 3, .prefetch = 6});
    task<void> run(s.connection.get_executor(), server.run());
    co_await eventually([&] { return g.inside == 3; });
    run.cancel();
    co_await pause(20ms);
    CHECK(!run.is_done());
    run.cancel(); // impatience changes nothing
    co_await turns(5);
    g.is_open = true;
    const auto cancelled = co_await failure_of<lv::operation_cancelled>(run.join());
    CHECK(contains(cancelled.what(), "server.run was cancelled"));
    CHECK(server.handled() == 3);
    const bool back = co_await has_at_the_end(s, 7);
    CHECK(back);
    co_await s.connection.close();
}

LEVERET_CONFORMANCE_CASE("serve: a server that is cancelled at any moment loses nothing and acks nothing wrongly")
{
    auto s = co_await set_up(t, 60);
    std::size_t handled = 0;
    for (int moment = 0; moment < 60; moment += 1 + moment / 8) {
        auto handler = [&](typename Transport::delivery& d) -> asio::awaitable<void> {
            co_await turns(static_cast<int>(d.delivery_tag() % 7));
            ++handled;
        };
        auto server = lv::serve(s.channel, s.queue, handler, {.concurrency = 3, .prefetch = 5});
        task<void> run(s.connection.get_executor(), server.run());
        co_await turns(moment);
        run.cancel();
        const auto failure = co_await failure_of<std::system_error>(run.join());
        CHECK(failure.code() == asio::error::operation_aborted);
        CHECK(server.active() == 0);
        const bool rest = co_await holds(s.other, s.queue, static_cast<std::uint32_t>(60 - handled));
        REQUIRE(rest);
    }
    const bool right = co_await has_at_the_end(s, static_cast<std::uint32_t>(60 - handled));
    CHECK(right);
    co_await s.connection.close();
}

LEVERET_CONFORMANCE_CASE("serve: a handler may stop its server, and so may somebody before it runs")
{
    auto s = co_await set_up(t, 5);
    lv::server<typename Transport::channel, std::function<asio::awaitable<void>(typename Transport::delivery&)>>* self = nullptr;
    std::function<asio::awaitable<void>(typename Transport::delivery&)> handler =
        [&](typename Transport::delivery&) -> asio::awaitable<void> {
        self->stop();
        co_return;
    };
    auto server = lv::serve(s.channel, s.queue, handler);
    self = &server;
    co_await server.run();
    CHECK(server.handled() == 1);

    auto early = lv::serve(s.channel, s.queue, handler);
    early.stop();
    co_await early.run();
    CHECK(early.handled() == 0);
    const bool back = co_await has_at_the_end(s, 4);
    CHECK(back);
    co_await s.connection.close();
}

LEVERET_CONFORMANCE_CASE("serve: a handler may cancel its server, even in its first step")
{
    auto s = co_await set_up(t, 40);
    for (std::uint32_t i = 1; i <= 20; ++i) {
        std::optional<task<void>> run;
        const auto handler = [&](typename Transport::delivery&) -> asio::awaitable<void> {
            if (!run) // it began within the line that makes it
                co_await turns();
            run->cancel();
        };
        auto server = lv::serve(s.channel, s.queue, handler);
        run.emplace(s.connection.get_executor(), server.run());
        const auto failure = co_await failure_of<std::system_error>(run->join());
        CHECK(failure.code() == asio::error::operation_aborted);
        CHECK(server.handled() == 1);
        const bool rest = co_await holds(s.other, s.queue, 40 - i);
        REQUIRE(rest);
    }
    co_await s.connection.close();
}

LEVERET_CONFORMANCE_CASE("serve: what becomes of a delivery whose handler throws")
{
    struct policy {
        on_error what;
        int throws;   ///< this many times, then it returns
        std::uint64_t handled, failed;
        std::uint32_t dead;
    };
    const std::vector<policy> policies{
        {on_error::requeue_once, 9, 0, 2, 1}, {on_error::requeue_once, 1, 1, 1, 0},
        {on_error::requeue, 5, 1, 5, 0},      {on_error::discard, 9, 0, 1, 1},
        {on_error::discard, 0, 1, 0, 0},
    };
    for (const policy& p : policies) {
        auto s = co_await set_up(t, 1);
        int calls = 0;
        const auto handler = [&](typename Transport::delivery& d) -> asio::awaitable<void> {
            CHECK(d.redelivered() == (calls != 0));
            if (++calls % 2 == 0)
                co_await turns(3);
            if (calls <= p.throws && calls == 1)
                throw std::runtime_error("a handler's own affair");
            if (calls <= p.throws)
                throw 42;
        };
        auto server = lv::serve(s.channel, s.queue, handler, {.on_error = p.what});
        task<void> run(s.connection.get_executor(), server.run());
        co_await eventually(
            [&] { return server.handled() == p.handled && server.failed() == p.failed; });
        const bool dead = co_await holds(s.other, s.dead, p.dead);
        CHECK(dead);
        server.stop();
        co_await run.join();
        CHECK(server.handled() == p.handled);
        CHECK(server.failed() == p.failed);
        const bool empty = co_await has_at_the_end(s, 0);
        CHECK(empty);
        co_await s.connection.close();
    }
}

LEVERET_CONFORMANCE_CASE("serve: a handler may settle its delivery itself, or take it")
{
    auto s = co_await set_up(t, 8);
    std::vector<typename Transport::delivery> taken;
    std::uint64_t released = 0;
    const auto handler = [&](typename Transport::delivery& d) -> asio::awaitable<void> {
        co_await turns(1);
        switch (std::stoi(std::string(d.body()))) {
        case 0: d.ack(); break;
        case 1: d.reject(); break;
        case 2: d.nack({.requeue = false}); break;
        case 3: d.ack(); throw std::runtime_error("after it was settled");
        case 4: taken.push_back(std::move(d)); break;
        case 5: taken.push_back(std::move(d)); throw std::runtime_error("after it was taken");
        case 6: released = d.release(); break;
        default: break;
        }
    };
    auto server = lv::serve(s.channel, s.queue, handler, {.concurrency = 2, .prefetch = 8});
    task<void> run(s.connection.get_executor(), server.run());
    co_await eventually([&] { return server.handled() + server.failed() == 8; });
    CHECK(server.failed() == 2);
    server.stop();
    co_await run.join();
    REQUIRE(s.channel.is_open()); // nothing was settled twice
    const bool refused = co_await holds(s.other, s.dead, 2);
    CHECK(refused);
    REQUIRE(taken.size() == 2);
    CHECK(taken[0].ack());
    CHECK(s.channel.ack(released));
    taken.clear(); // the other one goes back
    const bool back = co_await has_at_the_end(s, 1);
    CHECK(back);
    co_await s.connection.close();
}

LEVERET_CONFORMANCE_CASE("serve: a queue that is deleted, or a channel that ends, ends its server after the handlers")
{
    for (const bool whole_channel : {false, true}) {
        auto s = co_await set_up(t, 4);
        gate g;
        const auto handler = [&](typename Transport::delivery&) { return g.pass(); };
        auto server = lv::serve(s.channel, s.queue, handler, {.concurrency = 2, .prefetch = 4});
        task<void> run(s.connection.get_executor(), server.run());
        co_await eventually([&] { return g.inside == 2; });
        if (whole_channel) {
            const auto e = co_await failure_of<lv::channel_error>(s.channel.purge_queue("nowhere"));
            CHECK(e.code() == lv::reply_code::not_found);
        } else {
            co_await s.other.delete_queue(s.queue);
        }
        co_await pause(20ms);
        CHECK(!run.is_done());
        CHECK(server.active() == 2);
        g.is_open = true;
        if (whole_channel) {
            const auto e = co_await failure_of<lv::channel_error>(run.join());
            CHECK(e.code() == lv::reply_code::not_found);
            const bool back = co_await holds(s.other, s.queue, 4);
            CHECK(back);
        } else {
            const auto e = co_await failure_of<lv::consumer_cancelled>(run.join());
            CHECK(e.code() == lv::errc::consumer_cancelled);
            co_await s.channel.declare_queue(); // the channel goes on
        }
        CHECK(server.active() == 0);
        co_await s.connection.close();
    }
}

LEVERET_CONFORMANCE_CASE("serve: servers that can't be")
{
    auto s = co_await set_up(t, 0);
    const auto handler = [](typename Transport::delivery&) -> asio::awaitable<void> { co_return; };
    CHECK_THROWS_AS(static_cast<void>(lv::serve(s.channel, "q", handler, {.concurrency = 0})),
                    lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(lv::serve(s.channel, "q", handler, {.concurrency = 4097})),
                    lv::usage_error);
    auto server = lv::serve(s.channel, t.name("nowhere"), handler);
    const auto missing = co_await failure_of<lv::channel_error>(server.run());
    CHECK(missing.code() == lv::reply_code::not_found);
    co_await s.connection.close();
}

LEVERET_CONFORMANCE_CASE("serve: an io_context that is destroyed while a server runs takes it along")
{
    const auto guard = std::make_shared<int>(0);
    using under_test = lv::test::under_test<Transport>;
    const auto serve_until_destroyed = [](under_test& u, std::shared_ptr<int> inside, int how) -> asio::awaitable<void> {
        auto s = co_await set_up(u, 9);
        const auto handler = [&](typename Transport::delivery&) -> asio::awaitable<void> {
            const auto held = inside;
            ++*inside;
            switch ((how + *inside) % 3) {
            case 0: co_await pause(1h); break;
            case 1: static_cast<void>(co_await s.other.next_return()); break;
            default: co_await eventually([] { return false; });
            }
        };
        auto server = lv::serve(s.channel, s.queue, handler, {.concurrency = 4, .prefetch = 9});
        co_await server.run();
    };
    for (int how = 0; how < 3; ++how) {
        *guard = 0;
        {
            asio::io_context context;
            std::optional<under_test> own; // a server in this process runs in the context of who connects first
            if constexpr (requires(Transport & x) { x.stop(); })
                own.emplace();
            asio::co_spawn(context, serve_until_destroyed(own ? *own : t, guard, how), [](std::exception_ptr e) {
                if (e)
                    std::rethrow_exception(e);
            });
            while (*guard < 4 && context.run_one_for(10s) != 0) {
            }
            CHECK(*guard == 4);
        }
        CHECK(guard.use_count() == 1);
    }
    co_return;
}
