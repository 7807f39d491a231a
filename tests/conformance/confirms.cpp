// Confirms: publish_confirmed and the publisher.
#include "conformance/conformance.hpp"
#include "interop/task.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace leveret::test;

LEVERET_CONFORMANCE_CASE("publish_confirmed: confirmed, when the message is in its queue")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const auto result =
        co_await channel.publish_confirmed("", queue, lv::message{"safe"}.persistent());
    CHECK(result);
    CHECK(result.outcome() == lv::publish_outcome::confirmed);
    CHECK(result.reply_code() == lv::reply_code::success);
    CHECK(result.reply_text() == "");
    const auto got = co_await drain(other, queue);
    CHECK(got == "safe");
}

LEVERET_CONFORMANCE_CASE("publish_confirmed: unroutable, with code and text")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto nobody = t.name("nobody");
    const auto result = co_await channel.publish_confirmed("", nobody, "x");
    CHECK(!result);
    CHECK(result.is_unroutable());
    CHECK(result.reply_code() == lv::reply_code::no_route);
    CHECK(result.reply_text() == "NO_ROUTE");
    const auto unasked = co_await channel.publish_confirmed("", nobody, "x", {.mandatory = false});
    CHECK(unasked.is_confirmed()); // dropped, as it may be
}

LEVERET_CONFORMANCE_CASE("publish_confirmed: a return belongs to its message, however equal others are")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const auto nobody = t.name("nobody");
    std::vector<task<lv::publish_result>> tasks;
    for (int i = 0; i < 30; ++i) {
        const std::string key = i % 3 == 0 ? queue : nobody;
        tasks.emplace_back(connection.get_executor(), channel.publish_confirmed("", key, "same"));
        if (i % 10 == 0) // and some by themselves, in between
            co_await channel.publish("", nobody, "same", {.mandatory = true});
    }
    int good = 0;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const auto result = co_await tasks[i].join();
        good += i % 3 == 0 ? result.is_confirmed() : result.is_unroutable();
    }
    CHECK(good == 30);
    for (int i = 0; i < 3; ++i) {
        const auto returned = co_await channel.next_return({.timeout = patience});
        CHECK(returned.message().text() == "same");
    }
}

LEVERET_CONFORMANCE_CASE("publish_confirmed: a missing exchange is an error of the channel and no outcome")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto missing = t.name("missing");
    const auto e = co_await refused(channel.publish_confirmed(missing, "k", "x"));
    CHECK(e == no_exchange(missing, ids::basic_publish));
}

LEVERET_CONFORMANCE_CASE("publish_confirmed: to a queue that is not durable, and to one without consumers")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto durable = t.name("durable");
    co_await channel.declare_queue(durable, {.durable = true});
    const auto transient_there = co_await channel.publish_confirmed("", durable, "1");
    const auto persistent_there =
        co_await channel.publish_confirmed("", durable, lv::message{"2"}.persistent());
    CHECK(transient_there.is_confirmed());
    CHECK(persistent_there.is_confirmed());
    const auto got = co_await drain(channel, durable);
    CHECK(got == "1 2");
}

LEVERET_CONFORMANCE_CASE("select_confirms: twice is no error")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    co_await channel.select_confirms();
    co_await channel.select_confirms();
    co_await channel.publish("", queue, "1"); // confirmed, and nobody asks
    const auto result = co_await channel.publish_confirmed("", queue, "2");
    CHECK(result.is_confirmed());
    const auto got = co_await drain(channel, queue);
    CHECK(got == "1 2");
}

LEVERET_CONFORMANCE_CASE("confirms: after a transaction and the other way round, refused")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    co_await channel.select_transactions();
    const auto confirms = co_await refused(channel.select_confirms());
    CHECK(confirms == precondition_failed("cannot switch from tx to confirm mode", ids::confirm_select));
    channel = co_await connection.open_channel();
    co_await channel.select_confirms();
    const auto transactions = co_await refused(channel.select_transactions());
    CHECK(transactions == precondition_failed("cannot switch from confirm to tx mode", ids::tx_select));
}

LEVERET_CONFORMANCE_CASE("publisher: numbers from one, a clean report when all is confirmed")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    typename Transport::publisher out(channel, {.window = 10});
    for (std::uint64_t i = 1; i <= 100; ++i) {
        const auto number = co_await out.publish("", queue, std::to_string(i));
        if (number != i)
            FAIL_CHECK("message " << i << " has the number " << number);
        if (out.in_flight() > 10)
            FAIL_CHECK("more in flight than the window");
    }
    const auto report = co_await out.flush();
    CHECK(report);
    CHECK(report.confirmed() == 100);
    CHECK(report.failures().empty());
    CHECK(out.in_flight() == 0);
    CHECK(out.bytes_in_flight() == 0);
    const auto nothing = co_await out.flush();
    CHECK(nothing.confirmed() == 0);
    const bool all = co_await holds(channel, queue, 100);
    CHECK(all);
}

LEVERET_CONFORMANCE_CASE("publisher: failures with their numbers and reasons")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto nobody = t.name("nobody");
    const auto full = t.name("full");
    co_await channel.declare_queue(
        full, {.exclusive = true, .max_length = 1, .overflow = lv::overflow::reject_publish});
    typename Transport::publisher out(channel, {});
    co_await out.publish("", full, "1");
    co_await out.publish("", nobody, "2");
    co_await out.publish("", full, lv::message{"3"}.type("refused"));
    const auto report = co_await out.flush();
    CHECK(!report);
    CHECK(report.confirmed() == 1);
    REQUIRE(report.failures().size() == 2);
    for (const auto& failure : report.failures()) {
        if (failure.number() == 2) {
            CHECK(failure.result().is_unroutable());
            CHECK(failure.result().reply_text() == "NO_ROUTE");
        } else {
            CHECK(failure.number() == 3);
            CHECK(failure.result().is_rejected());
        }
    }
    co_await channel.purge_queue(full);
    co_await out.publish("", full, "4");
    const auto better = co_await out.flush();
    CHECK(better);
    CHECK(better.confirmed() == 1);
}

LEVERET_CONFORMANCE_CASE("publisher: not mandatory, what reaches no queue is confirmed")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto nobody = t.name("nobody");
    typename Transport::publisher out(channel, {.window = 1, .mandatory = false});
    for (int i = 0; i < 5; ++i)
        co_await out.publish("", nobody, "x");
    const auto report = co_await out.flush();
    CHECK(report);
    CHECK(report.confirmed() == 5);
}

LEVERET_CONFORMANCE_CASE("publisher: a window of bytes holds back, and one larger message still goes")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    typename Transport::publisher out(channel, {.window = 100, .window_bytes = 1000});
    const std::string body(400, 'x');
    for (int i = 0; i < 20; ++i) {
        co_await out.publish("", queue, body);
        if (out.bytes_in_flight() > 1000)
            FAIL_CHECK("more bytes in flight than the window");
    }
    const std::string large(5000, 'y');
    co_await out.publish("", queue, large);
    const auto report = co_await out.flush();
    CHECK(report.confirmed() == 21);
    const bool all = co_await holds(channel, queue, 21);
    CHECK(all);
}

LEVERET_CONFORMANCE_CASE("publisher: two of one channel keep their own numbers and reports")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const auto nobody = t.name("nobody");
    typename Transport::publisher good(channel, {});
    typename Transport::publisher bad(channel, {});
    for (int i = 0; i < 3; ++i) {
        co_await good.publish("", queue, "g");
        co_await bad.publish("", nobody, "b");
    }
    const auto last = co_await good.publish("", queue, "g");
    CHECK(last == 4);
    const auto of_good = co_await good.flush();
    const auto of_bad = co_await bad.flush();
    CHECK(of_good.confirmed() == 4);
    CHECK(of_good.failures().empty());
    CHECK(of_bad.confirmed() == 0);
    CHECK(of_bad.failures().size() == 3);
}

LEVERET_CONFORMANCE_CASE("publisher: the channel ends, and what was in flight is counted")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto missing = t.name("missing");
    typename Transport::publisher out(channel, {});
    co_await out.publish(missing, "k", "x");
    const auto e = co_await refused(out.flush());
    CHECK(e == no_exchange(missing, ids::basic_publish));
    CHECK(out.in_flight() == 1);
    const auto again = co_await refused(out.publish(missing, "k", "y"));
    CHECK(again.closed() == refusal::level::channel);
}

LEVERET_CONFORMANCE_CASE("publisher: refuses windows that can't be")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    using publisher = typename Transport::publisher;
    CHECK_THROWS_AS(publisher(channel, {.window = 0}), lv::usage_error);
    CHECK_THROWS_AS(publisher(channel, {.window = 65'537}), lv::usage_error);
    CHECK(channel.is_open());
}
