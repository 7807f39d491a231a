// An operation of the broker core for which there is no memory: it throws std::bad_alloc, and what comes after it finds
// everything in order.
#include "leveret/broker/broker.hpp"
#include "support/allocated.hpp"
#include "transport/counted_malloc.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

using namespace leveret;
namespace lb = leveret::broker;

#if !defined(LEVERET_TEST_SANITIZED) // their allocators never fail

namespace {

/// Counts what it is told, without memory.
struct silent final : lb::channel_listener, lb::session_listener {
    std::uint64_t deliveries = 0;
    std::uint64_t last_tag = 0;

    lb::flow deliver(lb::consumer&, const lb::delivery& d) noexcept override
    {
        ++deliveries;
        last_tag = d.tag;
        return lb::flow::more;
    }
    void returned(lb::stored_message&, reply_code, std::string_view) noexcept override {}
    void confirmed(std::uint64_t, bool, bool) noexcept override {}
    void consumer_cancelled(lb::consumer&) noexcept override {}
    void blocked(std::string_view) noexcept override {}
    void unblocked() noexcept override {}
};

/// A queue with dead letters, of which two consumers of each of two channels have open deliveries.
struct scene {
    explicit scene(bool transactional)
    {
        session = std::move(*core.open_session("/", "guest", ears[2]));
        for (int i = 0; i < 2; ++i)
            channels[i] = std::move(*session->open_channel(ears[i]));
        lb::channel& a = *channels[0];
        const table dead_letters{{"x-dead-letter-exchange", ""}, {"x-dead-letter-routing-key", "dead"}};
        REQUIRE(a.declare_queue({.name = "q", .arguments = &dead_letters}));
        REQUIRE(a.declare_queue({.name = "dead"}));
        REQUIRE(a.declare_queue({.name = "other"}));
        for (const auto& c : channels) {
            REQUIRE(c->set_prefetch(0, 7, false));
            for (const char* tag : {"one", "two"})
                REQUIRE(c->consume({.queue = "q", .tag = tag}));
        }
        REQUIRE(a.consume({.queue = "other", .tag = "three"}));
        for (int i = 0; i < 100; ++i)
            REQUIRE(a.publish({.exchange = "", .routing_key = "q"}, payload("a message that is no short one, " +
                                                                            std::to_string(i))));
        if (transactional)
            REQUIRE(a.select_transactions());
    }

    lb::broker core;
    silent ears[3];
    std::unique_ptr<lb::session> session;
    std::unique_ptr<lb::channel> channels[2];
};

template <class Operation>
void check(Operation operation, bool transactional = false)
{
    int failures = 0;
    for (std::uint64_t n = 0;; ++n) {
        scene s(transactional);
        bool is_over = false;
        lb::channel& a = *s.channels[0];
        test::fail_allocation_after(n);
        try {
            operation(a, s.ears[0].last_tag);
        } catch (const std::bad_alloc&) {
            ++failures;
        }
        is_over = test::allocations_succeed();
        if (transactional) { // what was to be done is done, or forgotten, and not done later
            REQUIRE(a.publish({.exchange = "", .routing_key = "other"}, payload("one more")));
            REQUIRE(a.commit());
            REQUIRE(a.rollback());
        }
        // What the channel was at when that happened is over with it; the others go on.
        a.cancel("one");
        s.channels[0].reset();
        lb::channel& b = *s.channels[1];
        REQUIRE(b.ack(0, true));
        while (s.ears[1].deliveries != 0) {
            s.ears[1].deliveries = 0;
            REQUIRE(b.ack(0, true));
        }
        for (const char* q : {"q", "dead", "other"}) {
            if (std::string_view(q) == "q")
                CHECK(b.declare_queue({.name = q, .passive = true})->message_count == 0);
            REQUIRE(b.purge(q));
        }
        s.channels[1].reset();
        CHECK(s.core.memory() == 0);
        if (is_over)
            break;
        REQUIRE(n < 10'000);
    }
    CHECK(failures > 0);
}

} // namespace

TEST_CASE("out of memory: settling and what follows from it")
{
    check([](lb::channel& c, std::uint64_t last) {
        static_cast<void>(c.settle(last, true, lb::settlement::discard));
        for (int i = 0; i < 3; ++i)
            static_cast<void>(c.recover(true));
    });
    check([](lb::channel& c, std::uint64_t) {
        for (int i = 0; i < 5; ++i) {
            static_cast<void>(c.recover(true));
            static_cast<void>(c.ack(0, true));
        }
    });
}

TEST_CASE("out of memory: publishing")
{
    check([](lb::channel& c, std::uint64_t) {
        for (const char* key : {"q", "other", "dead"})
            for (int i = 0; i < 40; ++i)
                static_cast<void>(c.publish({.exchange = "", .routing_key = key}, payload("what is allocated by itself")));
    });
}

TEST_CASE("out of memory: consuming and getting")
{
    check([](lb::channel& c, std::uint64_t) {
        static_cast<void>(c.consume({.queue = "q", .tag = "four"}));
        static_cast<void>(c.get("q", false));
        static_cast<void>(c.cancel("two"));
        static_cast<void>(c.set_prefetch(0, 50, true));
    });
}

TEST_CASE("out of memory: a transaction")
{
    check(
        [](lb::channel& c, std::uint64_t last) {
            for (int i = 0; i < 5; ++i)
                static_cast<void>(c.publish({.exchange = "", .routing_key = "q"}, payload("in a transaction, and long")));
            static_cast<void>(c.settle(last, false, lb::settlement::requeue));
            static_cast<void>(c.settle(last - 1, true, lb::settlement::discard));
            static_cast<void>(c.commit());
        },
        true);
}

TEST_CASE("out of memory: queues, exchanges and bindings")
{
    check([](lb::channel& c, std::uint64_t) {
        static_cast<void>(c.declare_exchange({.name = "x", .type = "topic"}));
        static_cast<void>(c.declare_queue({.name = "fresh"}));
        for (const char* key : {"a.#", "*.b", "c"})
            static_cast<void>(c.bind_queue({.source = "x", .destination = "fresh", .routing_key = key}));
        static_cast<void>(c.publish({.exchange = "x", .routing_key = "a.b"}, payload("a message for a fresh queue")));
        static_cast<void>(c.unbind_queue({.source = "x", .destination = "fresh", .routing_key = "c"}));
        static_cast<void>(c.delete_queue("fresh", false, false));
        static_cast<void>(c.delete_exchange("x", false));
    });
}

#endif
