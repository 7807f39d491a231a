// Queues of type quorum, as far as one node can show them: declared, counted, limited in deliveries.
#include "conformance/conformance.hpp"

#include <cstdint>
#include <string>

using namespace leveret::test;

namespace {

/// The header that tells how often a message was delivered before, or -1.
template <class Delivery>
std::int64_t delivery_count(const Delivery& d)
{
    const auto headers = d.headers();
    const auto* count = headers.find("x-delivery-count");
    return count == nullptr ? -1 : count->integer(-2);
}

} // namespace

LEVERET_CONFORMANCE_CASE("quorum queue: messages come, in order, and once")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("quorum");
    const auto made =
        co_await channel.declare_queue(queue, {.durable = true, .type = lv::queue_type::quorum});
    CHECK(made.message_count() == 0);
    for (int i = 1; i <= 20; ++i) {
        const auto result = co_await channel.publish_confirmed("", queue, std::to_string(i));
        if (!result.is_confirmed())
            FAIL_CHECK("message " << i << " is not confirmed");
    }
    auto consumer = co_await channel.consume(queue, {.prefetch = 5});
    int good = 0;
    for (int i = 1; i <= 20; ++i) {
        auto d = co_await next(consumer);
        good += d.body() == std::to_string(i) && delivery_count(d) == -1 && d.ack();
    }
    CHECK(good == 20);
    co_await consumer.cancel();
    const bool empty = co_await holds(channel, queue, 0);
    CHECK(empty);
    co_await channel.delete_queue(queue);
}

LEVERET_CONFORMANCE_CASE("quorum queue: must be durable, not exclusive and not auto-delete")
{
    auto connection = co_await t.connect();
    const auto queue = t.name("quorum");
    auto channel = co_await connection.open_channel();
    const auto transient =
        co_await refused(channel.declare_queue(queue, {.type = lv::queue_type::quorum}));
    CHECK(transient == precondition_failed("invalid property 'non-durable' for queue '" + queue +
                                               "' in vhost '/'",
                                           ids::queue_declare));
    channel = co_await connection.open_channel();
    const auto exclusive = co_await refused(channel.declare_queue(
        queue, {.durable = true, .exclusive = true, .type = lv::queue_type::quorum}));
    CHECK(exclusive == precondition_failed("invalid property 'exclusive-owner' for queue '" + queue +
                                               "' in vhost '/'",
                                           ids::queue_declare));
    channel = co_await connection.open_channel();
    const auto auto_delete = co_await refused(channel.declare_queue(
        queue, {.durable = true, .auto_delete = true, .type = lv::queue_type::quorum}));
    CHECK(auto_delete == precondition_failed("invalid property 'auto-delete' for queue '" + queue +
                                                 "' in vhost '/'",
                                             ids::queue_declare));
}

LEVERET_CONFORMANCE_CASE("quorum queue: declared again as classic, and a classic one as quorum")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto quorum = t.name("quorum");
    const auto classic = t.name("classic");
    co_await channel.declare_queue(quorum, {.durable = true, .type = lv::queue_type::quorum});
    co_await channel.declare_queue(classic, {.durable = true});
    co_await channel.declare_queue(classic, {.durable = true, .type = lv::queue_type::classic});
    const auto as_classic = co_await refused(channel.declare_queue(quorum, {.durable = true}));
    CHECK(as_classic ==
          precondition_failed("inequivalent arg 'x-queue-type' for queue '" + quorum +
                                  "' in vhost '/': received none but current is the value 'quorum' of "
                                  "type 'longstr'",
                              ids::queue_declare));
    channel = co_await connection.open_channel();
    const auto as_quorum = co_await refused(
        channel.declare_queue(classic, {.durable = true, .type = lv::queue_type::quorum}));
    CHECK(as_quorum ==
          precondition_failed("inequivalent arg 'x-queue-type' for queue '" + classic +
                                  "' in vhost '/': received the value 'quorum' of type 'longstr' but "
                                  "current is none",
                              ids::queue_declare));
    channel = co_await connection.open_channel();
    co_await channel.delete_queue(quorum);
    co_await channel.delete_queue(classic);
}

LEVERET_CONFORMANCE_CASE("quorum queue: x-delivery-count tells how often, redelivered that")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("quorum");
    co_await channel.declare_queue(queue, {.durable = true, .type = lv::queue_type::quorum});
    co_await channel.publish("", queue, "x");
    auto consumer = co_await channel.consume(queue);
    for (std::int64_t i = 0; i < 4; ++i) {
        auto d = co_await next(consumer);
        CHECK(delivery_count(d) == (i == 0 ? -1 : i));
        CHECK(d.redelivered() == (i > 0));
        if (i < 3)
            d.nack();
        else
            d.ack();
    }
    co_await channel.delete_queue(queue);
}

LEVERET_CONFORMANCE_CASE("quorum queue: more deliveries than x-delivery-limit are a death of their own")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto dead = co_await filled_queue(channel, 0);
    const auto queue = t.name("quorum");
    co_await channel.declare_queue(queue, {.durable = true,
                                           .dead_letter_exchange = "",
                                           .dead_letter_routing_key = dead,
                                           .type = lv::queue_type::quorum,
                                           .delivery_limit = 2});
    co_await channel.publish("", queue, "poison");
    auto consumer = co_await channel.consume(queue);
    for (int i = 0; i < 3; ++i) {
        auto d = co_await next(consumer);
        CHECK(d.nack());
    }
    auto letters = co_await channel.consume(dead);
    auto letter = co_await next(letters);
    CHECK(letter.body() == "poison");
    const auto headers = letter.headers();
    const auto* reason = headers.find("x-first-death-reason");
    REQUIRE(reason != nullptr);
    CHECK(reason->text() == "delivery_limit");
    letter.ack();
    CHECK(!consumer.try_next());
    co_await channel.delete_queue(queue);
}
