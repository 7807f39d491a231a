#include "support/allocated.hpp"
#include "unit/broker/fixture.hpp"

using namespace leveret;
using namespace leveret::test;

TEST_CASE("consumers take turns")
{
    one_client c;
    c.channel.declare("q");
    c.channel.publish("", "q", "0");
    c.channel.consume("q", "a");
    CHECK(c.channel.take() == lines{"a:0 #1"});
    c.channel.consume("q", "b");
    c.channel.consume("q", "c");
    for (const char* body : {"1", "2", "3", "4"})
        c.channel.publish("", "q", body);
    CHECK(c.channel.take() == lines{"a:1 #2", "b:2 #3", "c:3 #4", "a:4 #5"});
    c.channel->cancel("b");
    for (const char* body : {"5", "6"})
        c.channel.publish("", "q", body);
    CHECK(c.channel.take() == lines{"c:5 #6", "a:6 #7"});
}

TEST_CASE("prefetch of a consumer, and of a channel")
{
    one_client c;
    c.channel.declare("q");
    c.channel.ok(c.channel->set_prefetch(0, 2, false));
    c.channel.consume("q", "a", false);
    for (const char* body : {"1", "2", "3", "4"})
        c.channel.publish("", "q", body);
    CHECK(c.channel.take() == lines{"a:1 #1", "a:2 #2"});
    c.channel.ok(c.channel->ack(1));
    CHECK(c.channel.take() == lines{"a:3 #3"});
    c.channel.ok(c.channel->ack(3, true));
    CHECK(c.channel.take() == lines{"a:4 #4"});

    // Of the channel, over its consumers; those without acknowledgement don't count.
    test_channel both(*c.session);
    both.declare("r");
    both.ok(both->set_prefetch(0, 1, true));
    both.consume("r", "x", false);
    both.consume("r", "y", false);
    for (const char* body : {"1", "2", "3"})
        both.publish("", "r", body);
    CHECK(both.take() == lines{"x:1 #1"});
    both.ok(both->set_prefetch(0, 2, true));
    CHECK(both.take() == lines{"y:2 #2"});
    both.ok(both->ack(2, true));
    CHECK(both.take() == lines{"x:3 #3"});
    both.consume("r", "z");
    both.publish("", "r", "4");
    CHECK(both.take() == lines{"x:4 #4"});
    both.publish("", "r", "5");
    CHECK(both.take() == lines{"z:5 #5"});
    CHECK(text(both->set_prefetch(1024, 1, false)) ==
          "connection: NOT_IMPLEMENTED - prefetch_size!=0 (1024)");
}

TEST_CASE("consumers of higher priority come first as long as they take something")
{
    one_client c;
    c.channel.declare("q");
    c.channel.ok(c.channel->set_prefetch(0, 1, false));
    c.channel.consume("q", "low", false, {{"x-priority", -1}});
    c.channel.consume("q", "plain", false);
    c.channel.consume("q", "high", false, {{"x-priority", 10}});
    for (const char* body : {"1", "2", "3", "4"})
        c.channel.publish("", "q", body);
    CHECK(c.channel.take() == lines{"high:1 #1", "plain:2 #2", "low:3 #3"});
    c.channel.ok(c.channel->ack(1));
    CHECK(c.channel.take() == lines{"high:4 #4"});
    const table wrong{{"x-priority", "high"}};
    CHECK(text(c.channel->consume({.queue = "q", .arguments = &wrong})) ==
          "PRECONDITION_FAILED - invalid arg 'x-priority' for queue 'q' in vhost '/': \"expected "
          "integer, got longstr\"");
}

TEST_CASE("exclusive consumers and tags, in RabbitMQ's words")
{
    one_client c;
    c.channel.declare("mis.q");
    const std::string in_use = "ACCESS_REFUSED - queue 'mis.q' in vhost '/' in exclusive use";
    c.channel.consume("mis.q", "t");
    CHECK(text(c.channel->consume({.queue = "mis.q", .exclusive = true})) == in_use);
    CHECK(text(c.channel->consume({.queue = "mis.q", .tag = "t"})) ==
          "connection: NOT_ALLOWED - attempt to reuse consumer tag 't'");
    c.channel->cancel("t");
    c.channel.ok(c.channel->consume({.queue = "mis.q", .tag = "t", .exclusive = true}));
    CHECK(text(c.channel->consume({.queue = "mis.q"})) == in_use);
    c.channel->cancel("t");
    const auto made = c.channel->consume({.queue = "mis.q"});
    REQUIRE(made);
    CHECK((*made)->tag().starts_with("amq.ctag-"));
    c.channel.declare("sac", {{"x-single-active-consumer", true}});
    CHECK(text(c.channel->consume({.queue = "sac", .exclusive = true})) ==
          "ACCESS_REFUSED - queue 'sac' in vhost '/' in exclusive use");
}

TEST_CASE("a single active consumer, and who follows it")
{
    one_client c;
    c.channel.declare("q", {{"x-single-active-consumer", true}});
    c.channel.ok(c.channel->set_prefetch(0, 1, false));
    c.channel.consume("q", "a", false);
    c.channel.consume("q", "b", false);
    c.channel.publish("", "q", "1");
    c.channel.publish("", "q", "2");
    CHECK(c.channel.take() == lines{"a:1 #1"}); // b does not help out
    c.channel->cancel("a");
    CHECK(c.channel.take() == lines{"b:2 #2"});
    c.channel.ok(c.channel->reject(1, true));
    CHECK(c.channel.take().empty());
    c.channel.ok(c.channel->ack(2));
    CHECK(c.channel.take() == lines{"b:1 #3!"});
}

TEST_CASE("auto-delete queues go with their last consumer, not before they had one")
{
    one_client c;
    c.channel.ok(c.channel->declare_queue({.name = "q", .auto_delete = true}));
    c.channel.publish("", "q", "1");
    CHECK(c.channel.get("q") == "1");
    c.channel.consume("q", "a");
    test_channel other(*c.session);
    other.consume("q", "b");
    c.channel->cancel("a");
    CHECK(c.channel.count("q") == 0);
    other.close();
    CHECK(c.broker.find_virtual_host("/")->find_queue("q") == nullptr);
}

TEST_CASE("consumers hear that their queue is gone")
{
    one_client c;
    c.channel.declare("q");
    c.channel.consume("q", "a", false);
    c.channel.publish("", "q", "1");
    test_channel other(*c.session);
    other.consume("q", "b");
    c.channel.take();
    other.ok(other->delete_queue("q"));
    CHECK(c.channel.take() == lines{"cancelled a"});
    CHECK(other.take() == lines{"cancelled b"});
    CHECK(c.channel->consumer_count() == 0);
    c.channel.ok(c.channel->ack(1)); // of a queue that is gone: fine
    CHECK(c.broker.memory() == 0);
}

TEST_CASE("a channel that had enough gets no more before it resumes")
{
    one_client c;
    c.channel.declare("q");
    c.channel.capacity = 2;
    c.channel.consume("q", "a");
    for (const char* body : {"1", "2", "3"})
        c.channel.publish("", "q", body);
    CHECK(c.channel.take() == lines{"a:1 #1", "a:2 #2"});
    CHECK(c.channel->is_paused());
    CHECK(c.channel.count("q") == 1);
    c.channel->resume();
    CHECK(c.channel.take() == lines{"a:3 #3"});
    c.channel->pause();
    c.channel.publish("", "q", "4");
    test_channel other(*c.session);
    other.consume("q", "b");
    CHECK(other.take() == lines{"b:4 #1"});
}

TEST_CASE("unknown delivery tags")
{
    one_client c;
    c.channel.declare("q");
    c.channel.publish("", "q", "1");
    const auto unknown = [](std::uint64_t tag) {
        return "PRECONDITION_FAILED - unknown delivery tag " + std::to_string(tag);
    };
    CHECK(text(c.channel->ack(0)) == unknown(0));
    CHECK(text(c.channel->ack(0, true)) == "ok");
    CHECK(text(c.channel->ack(1)) == unknown(1));
    REQUIRE(c.channel->get("q", false)->has_value());
    CHECK(text(c.channel->ack(2, true)) == unknown(2));
    CHECK(text(c.channel->ack(1)) == "ok");
    CHECK(text(c.channel->ack(1)) == unknown(1));
    CHECK(text(c.channel->reject(1, true)) == unknown(1));
    c.channel.publish("", "q", "2");
    REQUIRE(c.channel->get("q", true)->has_value());
    CHECK(text(c.channel->ack(2)) == unknown(2)); // without acknowledgement
    CHECK(text(c.channel->recover(false)) == "connection: NOT_IMPLEMENTED - requeue=false");
}

TEST_CASE("what returns takes its old place and is marked")
{
    one_client c;
    c.channel.declare("q");
    for (const char* body : {"1", "2", "3", "4", "5"})
        c.channel.publish("", "q", body);
    for (int i = 0; i < 4; ++i)
        REQUIRE(c.channel->get("q", false)->has_value());
    c.channel.ok(c.channel->reject(3, true));
    c.channel.ok(c.channel->nack(2, true, true));
    CHECK_FALSE((*c.channel->get("q", true))->redelivered == false);
    CHECK(c.channel.drain("q") == "2 3 5");
    c.channel.ok(c.channel->recover(true));
    CHECK(c.channel.drain("q") == "4");
    CHECK(c.channel->unacknowledged_count() == 0);
}

TEST_CASE("the messages of a channel that ends return in order")
{
    one_client c;
    c.channel.declare("q");
    test_channel other(*c.session);
    other.consume("q", "a", false);
    for (int i = 0; i < 500; ++i)
        c.channel.publish("", "q", std::to_string(i));
    CHECK(other->unacknowledged_count() == 500);
    other.ok(other->ack(250));
    other.close();
    for (int i = 0; i < 500; ++i)
        if (i != 249)
            REQUIRE(c.channel.get("q") == std::to_string(i));
    CHECK(c.channel.get("q") == "-");
    CHECK(c.broker.memory() == 0);
}

TEST_CASE("a channel with one delivery that stays open keeps its size")
{
    one_client c;
    c.channel.declare("q");
    c.channel.publish("", "q", "stuck");
    REQUIRE(c.channel->get("q", false)->has_value());
    const payload body("passes");
    const auto round = [&] {
        for (int i = 0; i < 10'000; ++i) {
            c.channel.ok(c.channel->publish({.routing_key = "q"}, body));
            c.channel.ok(c.channel->ack((*c.channel->get("q", false))->tag));
        }
    };
    round();
    const allocation_watch watch;
    round();
    CHECK(watch.grown() == 0);
    CHECK(c.channel->unacknowledged_count() == 1);
    c.channel.ok(c.channel->reject(1, true));
    CHECK(c.channel.drain("q") == "stuck");
}

TEST_CASE("one delivery that stays unacknowledged does not make the others cost memory")
{
    lb::unacked_ring ring;
    auto* some_queue = reinterpret_cast<lb::queue*>(&ring); // only compared with null
    for (std::uint64_t tag = 1; tag <= 100'000; ++tag) {
        ring.push({tag * 2, {}, some_queue, nullptr});
        if (tag > 1 && tag % 3 != 0) {
            REQUIRE(ring.find(tag * 2) < ring.slots());
            static_cast<void>(ring.settle(ring.find(tag * 2)));
            REQUIRE(ring.find(tag * 2) == ring.slots());
            ring.trim();
        }
        if (tag > 4 && tag % 3 == 0 && tag % 9 != 0) {
            static_cast<void>(ring.settle(ring.find(tag * 2)));
            ring.trim();
        }
        if (tag % 9 == 0 && tag > 9) {
            static_cast<void>(ring.settle(ring.find((tag - 9) * 2)));
            ring.trim();
        }
    }
    CHECK(ring.size() <= 4);
    CHECK(ring.slots() <= 64);
    CHECK(ring.find(2) == 0);
    CHECK(ring.find(3) == ring.slots());
    CHECK(ring.find(~std::uint64_t{0}) == ring.slots());
}

TEST_CASE("a consumer that gives several messages back is in line again before they go out")
{
    one_client c;
    c.channel.declare("q");
    c.channel.ok(c.channel->set_prefetch(0, 2, false));
    c.channel.consume("q", "full", false);
    c.channel.publish("", "q", "a");
    c.channel.publish("", "q", "b");
    c.channel.take();
    test_channel other(*c.session);
    other.ok(other->set_prefetch(0, 3, false));
    other.consume("q", "free", false);
    c.channel.publish("", "q", "c"); // now the full one is out of line
    CHECK(other.take() == lines{"free:c #1"});
    c.channel.ok(c.channel->settle(2, true, lb::settlement::requeue));
    CHECK(other.take() == lines{"free:a #2!"});
    CHECK(c.channel.take() == lines{"full:b #3!"});
}

TEST_CASE("single active consumer: what expired with a channel is not the successor's")
{
    one_client c;
    c.channel.declare("q", {{"x-single-active-consumer", true}, {"x-message-ttl", 300}});
    test_channel first(*c.session), second(*c.session);
    first.consume("q", "a", false);
    second.consume("q", "b", false);
    c.channel.publish("", "q", "old");
    CHECK(first.take() == lines{"a:old #1"});
    c.pass(leveret::duration::milliseconds(400));
    first.close();
    CHECK(second.take().empty());
    c.channel.publish("", "q", "new");
    CHECK(second.take() == lines{"b:new #1"});
}

TEST_CASE("x-expires: a passive declaration is a use of the queue")
{
    one_client c;
    c.channel.declare("q", {{"x-expires", 600}});
    for (int i = 0; i < 8; ++i) {
        c.pass(leveret::duration::milliseconds(250));
        REQUIRE(c.channel->declare_queue({.name = "q", .passive = true}));
    }
    c.pass(leveret::duration::milliseconds(700));
    CHECK_FALSE(c.channel->declare_queue({.name = "q", .passive = true}));
}
