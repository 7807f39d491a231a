// amqp::publisher with a real RabbitMQ: windows, reports, and what happens when something goes wrong.
#include "interop/broker.hpp"
#include "interop/task.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

using namespace leveret::test;
using lv::amqp::publisher;

namespace {

struct stage {
    stage() = default;
    lv::amqp::connection connection;
    lv::amqp::channel channel; ///< publishes
    lv::amqp::channel other;   ///< looks
    std::string queue;
};
asio::awaitable<stage> set_up(lv::queue_options options = {.exclusive = true})
{
    stage s;
    s.connection = co_await connect();
    s.channel = co_await s.connection.open_channel();
    s.other = co_await s.connection.open_channel();
    s.queue = unique("publisher");
    co_await s.other.declare_queue(s.queue, options);
    co_return std::move(s);
}

std::map<std::uint64_t, lv::publish_outcome> failures(const lv::amqp::flush_report& report)
{
    std::map<std::uint64_t, lv::publish_outcome> found;
    for (const auto& f : report.failures())
        found.emplace(f.number(), f.result().outcome());
    CHECK(found.size() == report.failures().size());
    return found;
}

} // namespace

LEVERET_CORO_TEST_CASE("RabbitMQ: a publisher numbers its messages and keeps to its window")
{
    auto s = co_await set_up();
    for (const std::size_t window : {std::size_t{1}, std::size_t{2}, std::size_t{10}}) {
        publisher out(s.channel, {.window = window});
        std::size_t most = 0;
        for (std::uint64_t i = 1; i <= 300; ++i) {
            const auto number = co_await out.publish("", s.queue, "message");
            REQUIRE(number == i);
            most = std::max(most, out.in_flight());
        }
        CHECK(most == window);
        const auto report = co_await out.flush();
        CHECK(report);
        CHECK(report.confirmed() == 300);
        CHECK(report.failures().empty());
        CHECK(out.in_flight() == 0);
        CHECK(out.bytes_in_flight() == 0);
        CHECK(out.confirmed() == 0);
        const auto nothing = co_await out.flush();
        CHECK(nothing);
        CHECK(nothing.confirmed() == 0);
    }
    const bool all = co_await holds(s.other, s.queue, 900);
    CHECK(all);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a publisher's window of bytes")
{
    auto s = co_await set_up();
    publisher out(s.channel, {.window_bytes = 1000});
    const auto m = lv::message(std::string(300, 'x'));
    std::size_t most = 0;
    for (int i = 0; i < 100; ++i) {
        co_await out.publish("", s.queue, m);
        most = std::max(most, out.bytes_in_flight());
        REQUIRE(out.in_flight() <= 3);
    }
    CHECK(most == 900);
    const std::string large(5000, 'y');
    for (int i = 0; i < 10; ++i) { // one that is larger than the window goes alone
        co_await out.publish("", s.queue, large);
        REQUIRE(out.in_flight() == 1);
        REQUIRE(out.bytes_in_flight() == 5000);
    }
    const auto report = co_await out.flush();
    CHECK(report.confirmed() == 110);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: many coroutines share a publisher and its window")
{
    auto s = co_await set_up();
    publisher out(s.channel, {.window = 7});
    std::size_t most = 0;
    std::vector<std::uint64_t> numbers;
    const auto work = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 50; ++i) {
            const auto number = co_await out.publish("", s.queue, "x");
            numbers.push_back(number);
            most = std::max(most, out.in_flight());
        }
    };
    std::vector<task<void>> tasks;
    for (int i = 0; i < 20; ++i)
        tasks.emplace_back(s.connection.get_executor(), work());
    for (auto& t : tasks)
        co_await t.join();
    CHECK(most == 7);
    std::sort(numbers.begin(), numbers.end());
    REQUIRE(numbers.size() == 1000);
    CHECK(numbers.front() == 1);
    CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
    CHECK(numbers.back() == 1000);
    const auto report = co_await out.flush();
    CHECK(report.confirmed() == 1000);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a flush reports what was rejected and what was unroutable, by number")
{
    auto s = co_await set_up({.exclusive = true,
                              .max_length = 2,
                              .overflow = lv::overflow::reject_publish});
    publisher out(s.channel);
    using outcome = lv::publish_outcome;
    std::map<std::uint64_t, outcome> expected;
    for (std::uint64_t i = 1; i <= 40; ++i) {
        const bool routable = i % 3 != 0;
        const std::string key = routable ? s.queue : std::string("nobody's");
        const auto number = co_await out.publish("", key, std::to_string(i));
        CHECK(number == i);
        if (!routable)
            expected.emplace(i, outcome::unroutable);
        else if (i > 2)
            expected.emplace(i, outcome::rejected);
    }
    const auto report = co_await out.flush();
    CHECK(!report);
    CHECK(report.confirmed() == 2);
    const auto found = failures(report);
    CHECK(found == expected);
    for (const auto& f : report.failures()) {
        const bool unroutable = f.result().is_unroutable();
        CHECK(f.result().reply_text() == (unroutable ? "NO_ROUTE" : ""));
        CHECK((f.result().reply_code() == lv::reply_code::no_route) == unroutable);
    }

    co_await s.other.purge_queue(s.queue); // the next report is about what came later
    const auto number = co_await out.publish("", s.queue, "fits again");
    CHECK(number == 41);
    const auto next = co_await out.flush();
    CHECK(next);
    CHECK(next.confirmed() == 1);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a publisher that is not told what is unroutable")
{
    auto s = co_await set_up();
    publisher out(s.channel, {.mandatory = false});
    for (int i = 0; i < 10; ++i)
        co_await out.publish("", "nobody's", "x");
    const auto report = co_await out.flush();
    CHECK(report);
    CHECK(report.confirmed() == 10);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a channel error in the middle of publishing")
{
    auto s = co_await set_up();
    publisher out(s.channel, {.window = 2000});
    for (int i = 0; i < 10; ++i)
        co_await out.publish("", s.queue, "good");
    const auto good = co_await out.flush();
    CHECK(good.confirmed() == 10);
    for (int i = 0; i < 5; ++i)
        co_await out.publish(unique("no such exchange"), "", "bad");
    const auto e = co_await failure_of<lv::channel_error>(out.flush());
    CHECK(e.code() == lv::reply_code::not_found);
    CHECK(e.diagnostics().operation == "publisher.flush");
    CHECK(e.diagnostics().operation_fate == lv::fate::unknown);
    CHECK(contains(e.what(), "no exchange"));
    CHECK(out.in_flight() == 5);
    const auto late = co_await failure_of<lv::channel_error>(out.publish("", s.queue, "too late"));
    CHECK(late.diagnostics().operation_fate == lv::fate::never_sent);
    CHECK(out.in_flight() == 5);
    const auto again = co_await failure_of<lv::channel_error>(out.flush());
    CHECK(again.code() == lv::reply_code::not_found);
    CHECK(out.unconfirmed() == std::vector<std::uint64_t>{11, 12, 13, 14, 15});
    const bool only_good = co_await holds(s.other, s.queue, 10);
    CHECK(only_good);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a channel error wakes those who wait for the window")
{
    auto s = co_await set_up();
    publisher out(s.channel, {.window = 3});
    for (int i = 0; i < 3; ++i)
        co_await out.publish("no such exchange", "", "bad");
    task<std::uint64_t> one(s.connection.get_executor(), out.publish("", s.queue, "waits"));
    task<std::uint64_t> two(s.connection.get_executor(), out.publish("", s.queue, "waits as well"));
    const auto a = co_await failure_of<lv::channel_error>(one.join());
    const auto b = co_await failure_of<lv::channel_error>(two.join());
    CHECK(a.code() == lv::reply_code::not_found);
    CHECK(a.diagnostics().operation_fate == lv::fate::never_sent);
    CHECK(b.diagnostics().operation_fate == lv::fate::never_sent);
    CHECK(out.in_flight() == 3);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a connection that is closed while messages are in flight")
{
    auto s = co_await set_up();
    publisher out(s.channel);
    for (int i = 0; i < 100; ++i)
        co_await out.publish("", s.queue, "x");
    task<lv::amqp::flush_report> flush(s.connection.get_executor(), out.flush());
    co_await turns(2);
    co_await s.connection.close();
    const auto e = co_await failure_of<lv::error>(flush.join());
    CHECK(e.diagnostics().operation_fate == lv::fate::unknown);
    CHECK(out.in_flight() + out.confirmed() == 100);
}

LEVERET_CORO_TEST_CASE("RabbitMQ: two publishers and publish_confirmed on one channel")
{
    auto s = co_await set_up();
    publisher a(s.channel, {.window = 5});
    publisher b(s.channel, {.window = 50});
    std::map<std::uint64_t, lv::publish_outcome> lost_a, lost_b;
    for (std::uint64_t i = 1; i <= 200; ++i) {
        const std::string key = i % 7 == 0 ? "nobody's" : s.queue;
        const auto in_a = co_await a.publish("", key, "same");
        REQUIRE(in_a == i);
        if (i % 7 == 0)
            lost_a.emplace(i, lv::publish_outcome::unroutable);
        if (i % 2 == 0) {
            const auto in_b = co_await b.publish("", key, "same");
            REQUIRE(in_b == i / 2);
            if (i % 7 == 0)
                lost_b.emplace(i / 2, lv::publish_outcome::unroutable);
        }
        if (i % 20 == 0) {
            const auto direct = co_await s.channel.publish_confirmed("", key, "same");
            REQUIRE(direct.is_unroutable() == (i % 7 == 0));
            co_await s.channel.publish("", s.queue, "by itself");
        }
        REQUIRE(a.in_flight() <= 5);
        REQUIRE(b.in_flight() <= 50);
    }
    const auto of_b = co_await b.flush();
    const auto of_a = co_await a.flush();
    CHECK(of_a.confirmed() == 200 - lost_a.size());
    CHECK(of_b.confirmed() == 100 - lost_b.size());
    CHECK(failures(of_a) == lost_a);
    CHECK(failures(of_b) == lost_b);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a publisher that goes lets its messages go on")
{
    auto s = co_await set_up();
    for (int i = 0; i < 5; ++i) {
        auto out = std::make_unique<publisher>(s.channel);
        for (int n = 0; n < 20; ++n)
            co_await out->publish("", n % 2 == 0 ? std::string_view(s.queue) : "nobody's", "x");
        CHECK(out->in_flight() > 0);
        out.reset();
    }
    const auto after = co_await s.channel.publish_confirmed("", s.queue, "x");
    CHECK(after.is_confirmed());
    const bool arrived = co_await holds(s.other, s.queue, 51);
    CHECK(arrived);

    publisher first(s.channel);
    co_await first.publish("", s.queue, "x");
    publisher second = std::move(first);
    CHECK(second.in_flight() == 1);
    const auto report = co_await second.flush();
    CHECK(report.confirmed() == 1);
    first = publisher(s.channel);
    const auto number = co_await first.publish("", s.queue, "x");
    CHECK(number == 1);
    second = std::move(first);
    const auto moved = co_await second.flush();
    CHECK(moved.confirmed() == 1);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: flush and publish that run out of time or are cancelled can be repeated")
{
    auto s = co_await set_up();
    publisher out(s.channel, {.window = 1, .timeout = lv::duration::nanoseconds(1)});
    const std::string large(8'000'000, 'x'); // on its way for longer than the test needs
    co_await out.publish("", s.queue, large);
    const auto full = co_await failure_of<lv::timeout_error>(out.publish("", s.queue, "no room"));
    CHECK(full.diagnostics().operation_fate == lv::fate::never_sent);
    const auto slow = co_await failure_of<lv::timeout_error>(out.flush());
    CHECK(slow.diagnostics().operation_fate == lv::fate::unknown);
    CHECK(contains(slow.what(), "confirmation of 1 message"));
    task<lv::amqp::flush_report> flush(s.connection.get_executor(), out.flush(30s));
    task<lv::amqp::flush_report> other(s.connection.get_executor(), out.flush(30s));
    co_await turns(1);
    flush.cancel();
    const auto cancelled = co_await failure_of<std::system_error>(flush.join());
    CHECK(cancelled.code() == asio::error::operation_aborted);
    const auto report = co_await other.join();
    CHECK(report.confirmed() == 1);
    const auto number = co_await out.publish("", s.queue, "second");
    CHECK(number == 2); // what found no room has no number
    const auto rest = co_await out.flush(30s);
    CHECK(rest.confirmed() == 1);
    const bool two = co_await holds(s.other, s.queue, 2);
    CHECK(two);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: publishers that can't be")
{
    auto s = co_await set_up();
    CHECK_THROWS_AS(publisher(s.channel, {.window = 0}), lv::usage_error);
    CHECK_THROWS_AS(publisher(s.channel, {.window = 65537}), lv::usage_error);
    co_await s.channel.select_transactions();
    CHECK_THROWS_AS(publisher out(s.channel), lv::usage_error);
    publisher out(s.other);
    CHECK_THROWS_AS(static_cast<void>(out.publish("", std::string(256, 'k'), "x")), lv::usage_error);
    CHECK(out.in_flight() == 0);
    const auto report = co_await out.flush();
    CHECK(report.confirmed() == 0);
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: what a publisher knew when its channel failed can be had, and what it did not know")
{
    auto s = co_await set_up();
    publisher out(s.channel, {.window = 2000});
    co_await out.publish("", s.queue, "good");
    co_await out.publish("", unique("no such queue"), "returned");
    while (out.in_flight() != 0)
        static_cast<void>(co_await s.channel.declare_queue(s.queue, {.passive = true}));
    co_await out.publish(unique("no such exchange"), "", "bad");
    const auto e = co_await failure_of<lv::channel_error>(out.flush());
    CHECK(e.code() == lv::reply_code::not_found);
    const auto report = out.report();
    CHECK(report.confirmed() == 1);
    REQUIRE(report.failures().size() == 1);
    CHECK(report.failures()[0].number() == 2);
    CHECK(report.failures()[0].result().is_unroutable());
    CHECK(out.unconfirmed() == std::vector<std::uint64_t>{3});
    const auto empty = out.report();
    CHECK(empty.confirmed() == 0);
    CHECK(empty.failures().empty());
    co_await s.connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: on a headers exchange returned twins are told apart by their properties")
{
    auto s = co_await set_up();
    const auto exchange = unique("headers");
    co_await s.channel.declare_exchange(exchange, lv::exchange_type::headers, {.auto_delete = true});
    lv::table wanted;
    wanted.set("x-match", "all").set("side", "left");
    co_await s.channel.bind_queue(s.queue, exchange, "", {.arguments = wanted});
    const auto left = lv::message("twin").header("side", "left").header("n", 1).persistent();
    const auto right = lv::message("twin").header("side", "right").header("n", 1).persistent();
    publisher out(s.channel);
    for (int i = 0; i < 10; ++i) {
        co_await out.publish(exchange, "", left);
        co_await out.publish(exchange, "", right);
    }
    const auto report = co_await out.flush();
    CHECK(report.confirmed() == 10);
    std::vector<std::uint64_t> returned;
    for (const auto& f : report.failures())
        returned.push_back(f.number());
    std::sort(returned.begin(), returned.end());
    CHECK(returned == std::vector<std::uint64_t>{2, 4, 6, 8, 10, 12, 14, 16, 18, 20});
    co_await s.connection.close();
}
