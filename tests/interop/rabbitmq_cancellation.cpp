// Cancellation of each awaiting operation, at every moment between its start and its end: afterwards
// connection and channel do what they did before, and nothing is lost or left behind.
#include "interop/broker.hpp"
#include "interop/task.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <asio/error.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace leveret::test;
using delivery = std::optional<lv::amqp::delivery>;

namespace {

/// A channel with a queue, and what is checked after each cancellation.
struct stage {
    stage() = default;
    lv::amqp::connection connection;
    lv::amqp::channel channel;
    std::string queue;
};
asio::awaitable<stage> set_up(lv::amqp::connect_options options = {})
{
    stage s;
    s.connection = co_await connect(options);
    s.channel = co_await s.connection.open_channel();
    s.queue = unique("cancellation");
    co_await s.channel.declare_queue(s.queue, {.exclusive = true});
    co_return std::move(s);
}

/// Whether requests are still answered, each with its own answer.
asio::awaitable<void> check_usable(stage& s)
{
    const auto declared = co_await s.channel.declare_queue(s.queue, {.passive = true});
    REQUIRE(declared.name() == s.queue);
    co_await s.channel.publish("", s.queue, "probe");
    for (bool found = false; !found;) { // in front of it may lie what a cancelled publish has sent
        auto got = co_await s.channel.get(s.queue);
        REQUIRE(got);
        found = got->body() == "probe";
        REQUIRE(got->ack());
    }
}

/// Starts the operation again and again, cancelling it later each time, until it is faster.
template <class T>
asio::awaitable<void> cancel_at_every_moment(stage& s, std::function<asio::awaitable<T>()> operation)
{
    int cancelled = 0;
    for (int moment = 1;; moment += 1 + moment / 4) {
        task<T> t(s.connection.get_executor(), operation());
        co_await turns(moment);
        const bool was_done = t.is_done();
        t.cancel();
        bool is_cancelled = false;
        try {
            static_cast<void>(co_await t.join());
        } catch (const std::system_error& e) { // ours, or Asio's own between two steps
            is_cancelled = true;
            CHECK(e.code() == asio::error::operation_aborted);
        }
        REQUIRE(!(was_done && is_cancelled));
        cancelled += is_cancelled;
        co_await check_usable(s);
        if (was_done)
            break;
    }
    CHECK(cancelled > 0);
}
template <class Start>
asio::awaitable<void> cancel_at_every_moment(stage& s, Start start)
{
    using result = typename decltype(start())::value_type;
    return cancel_at_every_moment<result>(s, std::function<asio::awaitable<result>()>(start));
}

} // namespace

LEVERET_CORO_TEST_CASE("RabbitMQ: cancelling connect")
{
    const auto executor = co_await asio::this_coro::executor;
    int cancelled = 0;
    for (int moment = 1;; moment += 1 + moment / 4) {
        task<lv::amqp::connection> t(executor, connect());
        co_await turns(moment);
        const bool was_done = t.is_done();
        t.cancel();
        try {
            auto connection = co_await t.join();
            co_await connection.close();
        } catch (const std::system_error& e) { // ours, or Asio's own between two steps
            ++cancelled;
            CHECK(e.code() == asio::error::operation_aborted);
        }
        if (was_done)
            break;
    }
    CHECK(cancelled > 2);
}

LEVERET_CORO_TEST_CASE("RabbitMQ: cancelling open_channel frees its number")
{
    auto s = co_await set_up({.channel_max = 4});
    const auto open = [&] { return s.connection.open_channel(); };
    co_await cancel_at_every_moment(s, open);
    std::vector<lv::amqp::channel> rest;
    for (int i = 1; i < 4; ++i)
        rest.push_back(co_await s.connection.open_channel());
    CHECK(rest.back().is_open());
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: cancelling requests of exchanges and queues")
{
    auto s = co_await set_up();
    const auto exchange = unique("cancelled");
    co_await s.channel.declare_exchange(exchange, "fanout");
    const auto declare_exchange = [&] { return s.channel.declare_exchange(exchange, "fanout"); };
    const auto bind_exchange = [&] { return s.channel.bind_exchange(exchange, "amq.fanout"); };
    const auto unbind_exchange = [&] { return s.channel.unbind_exchange(exchange, "amq.fanout"); };
    const auto declare_queue = [&] { return s.channel.declare_queue(s.queue, {.exclusive = true}); };
    const auto name_queue = [&] { return s.channel.declare_queue("", {.exclusive = true}); };
    const auto bind_queue = [&] { return s.channel.bind_queue(s.queue, exchange); };
    const auto unbind_queue = [&] { return s.channel.unbind_queue(s.queue, exchange); };
    const auto purge_queue = [&] { return s.channel.purge_queue(s.queue); };
    const auto delete_queue = [&] { return s.channel.delete_queue("not there"); };
    const auto delete_exchange = [&] { return s.channel.delete_exchange("not there"); };
    co_await cancel_at_every_moment(s, declare_exchange);
    co_await cancel_at_every_moment(s, bind_exchange);
    co_await cancel_at_every_moment(s, unbind_exchange);
    co_await cancel_at_every_moment(s, declare_queue);
    co_await cancel_at_every_moment(s, name_queue);
    co_await cancel_at_every_moment(s, bind_queue);
    co_await cancel_at_every_moment(s, unbind_queue);
    co_await cancel_at_every_moment(s, purge_queue);
    co_await cancel_at_every_moment(s, delete_queue);
    co_await cancel_at_every_moment(s, delete_exchange);
    co_await s.channel.delete_exchange(exchange);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: cancelling consume leaves no consumer behind")
{
    auto s = co_await set_up();
    const auto queue = unique("consumed");
    co_await s.channel.declare_queue(queue, {.exclusive = true});
    for (int i = 0; i < 50; ++i)
        co_await s.channel.publish("", queue, "x");
    const auto consume = [&] { return s.channel.consume(queue, {.prefetch = 10}); };
    co_await cancel_at_every_moment(s, consume);
    const bool all_back = co_await holds(s.channel, queue, 50);
    CHECK(all_back);
    const auto left = co_await consumers(s.channel, queue);
    CHECK(left == 0);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: cancelling next loses no delivery")
{
    auto s = co_await set_up();
    auto publishing = co_await s.connection.open_channel();
    const auto queue = unique("next");
    co_await publishing.declare_queue(queue, {.exclusive = true});
    auto consumer = co_await s.channel.consume(queue);
    int got = 0;
    int sent = 0;
    int cancelled = 0;
    for (int moment = 0; moment < 400; moment += 1 + moment / 10) {
        co_await publishing.publish("", queue, std::to_string(sent++));
        task<delivery> t(s.connection.get_executor(), consumer.next());
        co_await turns(moment);
        t.cancel();
        try {
            auto d = co_await t.join();
            REQUIRE(d);
            CHECK(d->body() == std::to_string(got++));
            d->ack();
        } catch (const lv::operation_cancelled&) {
            ++cancelled;
        } catch (const std::system_error& e) { // Asio's own: it had not even begun
            CHECK(e.code() == asio::error::operation_aborted);
        }
    }
    CHECK(cancelled > 0);
    while (got < sent) {
        auto d = co_await consumer.next();
        REQUIRE(d);
        CHECK(d->body() == std::to_string(got++));
        d->ack();
    }
    co_await check_usable(s);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: cancelling get gives the message back")
{
    auto s = co_await set_up();
    const auto queue = unique("got");
    co_await s.channel.declare_queue(queue, {.exclusive = true});
    co_await s.channel.publish("", queue, std::string(200'000, 'x'));
    const auto get = [&]() -> asio::awaitable<void> {
        auto got = co_await s.channel.get(queue);
    };
    co_await cancel_at_every_moment(s, get);
    const bool back = co_await holds(s.channel, queue, 1);
    CHECK(back);
    const auto get_empty = [&] { return s.channel.get(s.queue); };
    co_await cancel_at_every_moment(s, get_empty);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: cancelling publishes sends them whole or not at all")
{
    auto s = co_await set_up();
    const std::string large(4'000'000, 'x'); // more than output buffer and socket take
    const auto publish = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i)
            co_await s.channel.publish("", s.queue, large);
    };
    const auto confirmed = [&] { return s.channel.publish_confirmed("", s.queue, large); };
    const auto unroutable = [&] { return s.channel.publish_confirmed("", "nobody's", large); };
    co_await cancel_at_every_moment(s, publish);
    co_await cancel_at_every_moment(s, confirmed);
    co_await cancel_at_every_moment(s, unroutable);
    const auto still = co_await s.channel.publish_confirmed("", s.queue, "x");
    CHECK(still.is_confirmed());
    const auto lost = co_await s.channel.publish_confirmed("", "nobody's", "x");
    CHECK(lost.is_unroutable());
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: cancelling what a channel is told")
{
    auto s = co_await set_up();
    auto transactional = co_await s.connection.open_channel();
    co_await transactional.select_transactions();
    auto confirming = co_await s.connection.open_channel();
    const auto set_prefetch = [&] { return s.channel.set_prefetch(10); };
    const auto flow = [&] { return s.channel.flow(true); };
    const auto recover = [&] { return s.channel.recover(); };
    const auto commit = [&] { return transactional.commit(); };
    const auto rollback = [&] { return transactional.rollback(); };
    const auto select = [&] { return transactional.select_transactions(); };
    const auto select_confirms = [&] { return confirming.select_confirms(); };
    const auto update_secret = [&] { return s.connection.update_secret("another"); };
    co_await cancel_at_every_moment(s, set_prefetch);
    co_await cancel_at_every_moment(s, flow);
    co_await cancel_at_every_moment(s, recover);
    co_await cancel_at_every_moment(s, commit);
    co_await cancel_at_every_moment(s, rollback);
    co_await cancel_at_every_moment(s, select);
    co_await cancel_at_every_moment(s, select_confirms);
    co_await cancel_at_every_moment(s, update_secret);
    co_await transactional.publish("", s.queue, "committed");
    co_await transactional.commit();
    const bool committed = co_await holds(s.channel, s.queue, 1);
    CHECK(committed);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: cancelling next_return, a consumer's cancel and a channel's close")
{
    auto s = co_await set_up();
    task<lv::amqp::returned_message> waiting(s.connection.get_executor(), s.channel.next_return());
    co_await turns(3);
    waiting.cancel();
    const auto e = co_await failure_of<lv::operation_cancelled>(waiting.join());
    CHECK(e.code() == asio::error::operation_aborted);
    co_await s.channel.publish("", "nobody's", "back", {.mandatory = true});
    const auto returned = co_await s.channel.next_return();
    CHECK(returned.message().text() == "back");

    const auto cancel = [&]() -> asio::awaitable<void> {
        auto consumer = co_await s.channel.consume(s.queue);
        co_await consumer.cancel();
    };
    co_await cancel_at_every_moment(s, cancel);
    const auto left = co_await consumers(s.channel, s.queue);
    CHECK(left == 0);

    const auto close = [&]() -> asio::awaitable<void> {
        auto channel = co_await s.connection.open_channel();
        co_await channel.close();
    };
    co_await cancel_at_every_moment(s, close);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: cancelling a connection's close leaves it closing")
{
    for (int moment = 1; moment < 5; ++moment) {
        auto connection = co_await connect();
        task<void> t(connection.get_executor(), connection.close());
        co_await turns(moment);
        t.cancel();
        try {
            co_await t.join();
        } catch (const lv::operation_cancelled& e) {
            CHECK(contains(e.what(), "connection.close was cancelled"));
        }
        CHECK(!connection.is_open());
        co_await connection.close();
    }
}
