// The ends of channels and connections, by either side, with things pending.
#include "conformance/conformance.hpp"
#include "interop/task.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace leveret::test;

LEVERET_CONFORMANCE_CASE("channel.close: operations after it fail, others go on")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    CHECK(channel.is_open());
    co_await channel.close();
    CHECK(!channel.is_open());
    const auto declare = co_await refused(channel.declare_queue(queue, {.passive = true}));
    const auto publish = co_await refused(channel.publish("", queue, "x"));
    const auto get = co_await refused(channel.get(queue));
    const auto consume = co_await refused(channel.consume(queue));
    const auto confirmed = co_await refused(channel.publish_confirmed("", queue, "x"));
    for (const auto& e : {declare, publish, get, consume, confirmed}) {
        CHECK(e.closed() == refusal::level::channel);
        CHECK(e.code() == 0); // nobody said anything
    }
    CHECK(other.is_open());
    const auto left = co_await drain(other, queue);
    CHECK(left == "");
}

LEVERET_CONFORMANCE_CASE("channel.close: twice is no error, nor after the broker closed it")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    co_await channel.close();
    co_await channel.close();
    channel = co_await connection.open_channel();
    const auto e = co_await refused(channel.get(t.name("missing")));
    CHECK(e.code() == 404);
    co_await channel.close();
    CHECK(connection.is_open());
}

LEVERET_CONFORMANCE_CASE("channel.close: what was published and settled before it counts")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 2);
    auto got = co_await channel.get(queue);
    REQUIRE(got);
    got->ack();
    co_await channel.publish("", queue, "3");
    co_await channel.close();
    const auto left = co_await arrivals(other, queue, 2);
    CHECK(left == "2 3");
}

LEVERET_CONFORMANCE_CASE("channel.close: what waits on it fails")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto consumer = co_await channel.consume(queue);
    using delivery = std::optional<typename Transport::delivery>;
    task<delivery> reading(connection.get_executor(), consumer.next());
    task<refusal> waiting(connection.get_executor(), refused(channel.next_return()));
    co_await channel.flow(true); // both wait
    CHECK(!reading.is_done());
    CHECK(!waiting.is_done());
    co_await channel.close();
    const auto next_failed = co_await refused(reading.join());
    const auto return_failed = co_await waiting.join();
    CHECK(next_failed.closed() == refusal::level::channel);
    CHECK(return_failed.closed() == refusal::level::channel);
    const auto later = co_await refused(consumer.next());
    CHECK(later.closed() == refusal::level::channel);
}

LEVERET_CONFORMANCE_CASE("channel.close: its consumers are gone")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto consuming = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto first = co_await consuming.consume(queue);
    auto second = co_await consuming.consume(queue);
    const bool two = co_await has_consumers(channel, queue, 2);
    CHECK(two);
    co_await consuming.close();
    const bool none = co_await has_consumers(channel, queue, 0);
    CHECK(none);
}

LEVERET_CONFORMANCE_CASE("a channel that nobody holds any more is closed")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 2);
    {
        auto forgotten = co_await connection.open_channel();
        auto got = co_await forgotten.get(queue);
        REQUIRE(got);
        const auto tag = got->release(); // nothing of the client's gives it back
        CHECK(tag == 1);
        auto copy = forgotten; // the same channel
        CHECK(copy.number() == forgotten.number());
    }
    const auto left = co_await arrivals(channel, queue, 2);
    const bool both = left == "1* 2" || left == "2 1*"; // 2 may be taken before 1 is back
    CHECK(both);
}

LEVERET_CONFORMANCE_CASE("an error of a channel reaches all that waits on it, and nothing else")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const auto missing = t.name("missing");
    auto consumer = co_await channel.consume(queue);
    const auto other_queue = co_await filled_queue(other, 0);
    auto unharmed = co_await other.consume(other_queue);
    using delivery = std::optional<typename Transport::delivery>;
    task<delivery> reading(connection.get_executor(), consumer.next());
    task<refusal> waiting(connection.get_executor(), refused(channel.next_return()));
    co_await channel.flow(true);
    const auto cause = co_await refused(channel.purge_queue(missing));
    const auto next_failed = co_await refused(reading.join());
    const auto return_failed = co_await waiting.join();
    const auto expected = no_queue(missing, ids::queue_purge);
    CHECK(cause == expected);
    CHECK(next_failed == expected);
    CHECK(return_failed == expected);
    const auto later = co_await refused(channel.get(queue));
    CHECK(later == expected); // for ever
    co_await other.publish("", other_queue, "x");
    const auto got = co_await receive(unharmed, 1);
    CHECK(got == "x");
}

LEVERET_CONFORMANCE_CASE("an error of a channel gives back what it held, in order")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 4);
    auto consumer = co_await channel.consume(queue, {.prefetch = 3});
    auto held = co_await hold(consumer, 3);
    CHECK(held[1].ack());
    const auto e = co_await refused(channel.commit());
    CHECK(e == precondition_failed("channel is not transactional", ids::tx_commit));
    CHECK(held[0].is_settled());
    CHECK(held[0].body() == "1"); // can still be read
    const auto left = co_await arrivals(other, queue, 3);
    CHECK((left == "1* 3* 4" || left == "1* 3* 4*")); // which may have been on its way
}

LEVERET_CONFORMANCE_CASE("after an error another channel is opened, a hundred times")
{
    auto connection = co_await t.connect();
    const auto missing = t.name("missing");
    int good = 0;
    for (int i = 0; i < 100; ++i) {
        auto channel = co_await connection.open_channel();
        const auto e = co_await refused(channel.get(missing));
        good += e.code() == 404;
    }
    CHECK(good == 100);
    CHECK(connection.is_open());
}

LEVERET_CONFORMANCE_CASE("connection.close: operations after it fail")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    CHECK(connection.is_open());
    CHECK(!connection.is_blocked());
    CHECK(connection.blocked_reason().empty());
    co_await connection.close();
    CHECK(!connection.is_open());
    CHECK(!channel.is_open());
    co_await connection.close(); // twice is no error
    co_await channel.close();
    const auto opened = co_await refused(connection.open_channel());
    const auto declared = co_await refused(channel.declare_queue());
    const auto published = co_await refused(channel.publish("", "q", "x"));
    CHECK(opened.closed() == refusal::level::connection);
    CHECK(declared.closed() == refusal::level::connection);
    CHECK(published.closed() == refusal::level::connection);
}

LEVERET_CONFORMANCE_CASE("connection.close: what waits on it fails")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto consumer = co_await channel.consume(queue);
    using delivery = std::optional<typename Transport::delivery>;
    task<delivery> reading(connection.get_executor(), consumer.next());
    task<refusal> waiting(connection.get_executor(), refused(other.next_return()));
    co_await channel.flow(true);
    CHECK(!reading.is_done());
    co_await connection.close();
    const auto next_failed = co_await refused(reading.join());
    const auto return_failed = co_await waiting.join();
    CHECK(next_failed.closed() == refusal::level::connection);
    CHECK(return_failed.closed() == refusal::level::connection);
}

LEVERET_CONFORMANCE_CASE("connection.close: what was published and settled before it counts")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto dying = co_await t.connect();
    auto dying_channel = co_await dying.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue);
    co_await fill(channel, queue, 2);
    const bool two = co_await holds(channel, queue, 2);
    CHECK(two);
    auto got = co_await dying_channel.get(queue);
    REQUIRE(got);
    got->ack();
    co_await dying_channel.publish("", queue, "3");
    co_await dying.close();
    const auto left = co_await arrivals(channel, queue, 2);
    CHECK(left == "2 3");
    CHECK(got->body() == "1"); // can still be read
    CHECK(!got->nack());
}

LEVERET_CONFORMANCE_CASE("a connection that nobody holds any more is closed, as its exclusive queues show")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    {
        auto forgotten = co_await t.connect();
        auto its_channel = co_await forgotten.open_channel();
        co_await its_channel.declare_queue(queue, {.exclusive = true});
        forgotten = typename Transport::connection(); // the channel keeps it open
        const auto result = co_await its_channel.publish_confirmed("", queue, "x");
        CHECK(result.is_confirmed());
    }
    lv::publish_result result;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    do {
        result = co_await channel.publish_confirmed("", queue, "x");
    } while (!result.is_unroutable() && std::chrono::steady_clock::now() < deadline);
    CHECK(result.is_unroutable());
}

LEVERET_CONFORMANCE_CASE("an error of a connection ends all its channels, and no other connection")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other_channel = co_await connection.open_channel();
    auto unharmed = co_await t.connect();
    auto witness = co_await unharmed.open_channel();
    const auto queue = t.name("q");
    co_await witness.declare_queue(queue);
    co_await fill(witness, queue, 1);
    const bool ready = co_await holds(witness, queue, 1);
    CHECK(ready);
    auto consumer = co_await other_channel.consume(queue);
    auto held = co_await next(consumer);
    const auto empty = co_await filled_queue(other_channel, 0);
    auto idle = co_await other_channel.consume(empty);
    using delivery = std::optional<typename Transport::delivery>;
    task<delivery> reading(connection.get_executor(), idle.next());
    const auto e = co_await refused(channel.flow(false));
    const auto expected = closes_connection(540, "NOT_IMPLEMENTED - active=false", ids::channel_flow);
    CHECK(e == expected);
    const auto next_failed = co_await refused(reading.join());
    CHECK(next_failed == expected);
    CHECK(!connection.is_open());
    CHECK(!other_channel.is_open());
    CHECK(held.is_settled());
    const auto opened = co_await refused(connection.open_channel());
    CHECK(opened == expected);
    CHECK(unharmed.is_open());
    const auto left = co_await arrivals(witness, queue, 1);
    CHECK(left == "1*");
}

LEVERET_CONFORMANCE_CASE("channel.flow(true) is answered and changes nothing")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    CHECK(channel.flow_active());
    co_await channel.flow(true);
    CHECK(channel.flow_active());
    CHECK(channel.is_open());
}
