// Direct reply-to: answers to a channel without a queue.
#include "conformance/conformance.hpp"

#include <string>

using namespace leveret::test;

namespace {

constexpr const char* here = "amq.rabbitmq.reply-to";

/// Asks over `queue` and gives the address that the answerer sees.
template <class Channel>
asio::awaitable<std::string> address_of(Channel channel, std::string queue)
{
    co_await channel.publish("", queue, lv::message{"ask"}.reply_to(here));
    auto got = co_await channel.get(queue, {.no_ack = true});
    co_return got ? std::string(got->properties().reply_to()) : std::string();
}

} // namespace

LEVERET_CONFORMANCE_CASE("direct reply-to: a question and its answer, over two connections")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto questions = t.name("questions");
    auto other = co_await t.connect();
    auto others = co_await other.open_channel();
    co_await others.declare_queue(questions, {.exclusive = true});
    auto served = co_await others.consume(questions);

    auto answers = co_await channel.consume(here, {.no_ack = true});
    const lv::message question = lv::message{"question"}.reply_to(here).correlation_id("7");
    co_await channel.publish("", questions, question);
    auto asked = co_await next(served);
    CHECK(asked.body() == "question");
    const std::string address(asked.properties().reply_to());
    CHECK(address.starts_with(std::string(here) + "."));
    CHECK(address.size() <= 255);
    const lv::message reply =
        lv::message{"answer"}.correlation_id(asked.properties().correlation_id()).header("h", 1);
    co_await others.publish("", address, reply);
    auto answer = co_await next(answers);
    CHECK(answer.body() == "answer");
    CHECK(answer.exchange() == "");
    CHECK(answer.routing_key() == address);
    CHECK(answer.properties().correlation_id() == "7");
    CHECK(answer.headers().contains("h"));
    CHECK(!answer.redelivered());
    CHECK(answer.is_settled());
    asked.ack();
}

LEVERET_CONFORMANCE_CASE("direct reply-to: every channel has an address of its own")
{
    auto connection = co_await t.connect();
    auto one = co_await connection.open_channel();
    auto two = co_await connection.open_channel();
    const auto queue = co_await filled_queue(one, 0);
    auto at_one = co_await one.consume(here, {.no_ack = true});
    auto at_two = co_await two.consume(here, {.no_ack = true});
    const auto address_one = co_await address_of(one, queue);
    const auto address_two = co_await address_of(two, queue);
    CHECK(address_one != address_two);
    co_await two.publish("", address_one, "1");
    co_await one.publish("", address_two, "2");
    auto first = co_await next(at_one);
    auto second = co_await next(at_two);
    CHECK(first.body() == "1");
    CHECK(second.body() == "2");
}

LEVERET_CONFORMANCE_CASE("direct reply-to: an address stays good for many answers, in order")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto answers = co_await channel.consume(here, {.no_ack = true});
    const auto address = co_await address_of(channel, queue);
    const auto again = co_await address_of(channel, queue);
    CHECK(address == again);
    co_await send(other, "", address, "1 2 3");
    const auto got = co_await receive(answers, 3);
    CHECK(got == "1 2 3");
}

LEVERET_CONFORMANCE_CASE("direct reply-to: other values of reply_to are nobody's business")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    co_await channel.publish("", queue, lv::message{"x"}.reply_to("amq.rabbitmq"));
    auto got = co_await channel.get(queue, {.no_ack = true});
    REQUIRE(got);
    CHECK(got->properties().reply_to() == "amq.rabbitmq");
}

LEVERET_CONFORMANCE_CASE("direct reply-to: acknowledgements are refused")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto e = co_await refused(channel.consume(here));
    CHECK(e == precondition_failed("reply consumer cannot acknowledge", ids::basic_consume));
}

LEVERET_CONFORMANCE_CASE("direct reply-to: one consumer on a channel")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto first = co_await channel.consume(here, {.no_ack = true});
    const auto e = co_await refused(channel.consume(here, {.no_ack = true}));
    CHECK(e == precondition_failed("reply consumer already set", ids::basic_consume));
}

LEVERET_CONFORMANCE_CASE("direct reply-to: asking without a consumer for the answer is refused")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const lv::message question = lv::message{"x"}.reply_to(here);
    const auto e = co_await refused_publish(channel, "", queue, question);
    CHECK(e == precondition_failed("fast reply consumer does not exist", ids::basic_publish));
}

LEVERET_CONFORMANCE_CASE("direct reply-to: after a cancel the address is no longer one, and another may follow")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto first = co_await channel.consume(here, {.no_ack = true});
    const auto old = co_await address_of(channel, queue);
    co_await first.cancel();
    auto second = co_await channel.consume(here, {.no_ack = true});
    const auto address = co_await address_of(channel, queue);
    CHECK(address != old);
    co_await send(other, "", old, "lost");
    co_await send(other, "", address, "found");
    const auto got = co_await receive(second, 1);
    CHECK(got == "found");
    CHECK(other.is_open());
}

LEVERET_CONFORMANCE_CASE("direct reply-to: whether somebody waits can be asked by declaring the address")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto asking = co_await connection.open_channel();
    auto answers = co_await asking.consume(here, {.no_ack = true});
    co_await asking.publish("", queue, lv::message{"ask"}.reply_to(here));
    const bool asked = co_await holds(channel, queue, 1);
    CHECK(asked);
    auto got = co_await channel.get(queue, {.no_ack = true});
    REQUIRE(got);
    const std::string address(got->properties().reply_to());
    const auto info = co_await channel.declare_queue(address, {.passive = true});
    CHECK(info.name() == address);
    CHECK(info.message_count() == 0);
    CHECK(info.consumer_count() == 1);
    co_await asking.close();
    const auto e = co_await refused(channel.declare_queue(address, {.passive = true}));
    CHECK(e == no_queue(address, ids::queue_declare));
}

LEVERET_CONFORMANCE_CASE("direct reply-to: an answer is no route: mandatory, it is delivered and returned")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    auto answers = co_await channel.consume(here, {.no_ack = true});
    const auto address = co_await address_of(channel, queue);
    const auto result = co_await other.publish_confirmed("", address, "1");
    CHECK(result.is_unroutable());
    const auto plain = co_await other.publish_confirmed("", address, "2", {.mandatory = false});
    CHECK(plain.is_confirmed());
    const auto got = co_await receive(answers, 2);
    CHECK(got == "1 2");
}

LEVERET_CONFORMANCE_CASE("direct reply-to: answers have no numbers of their own")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    auto other = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 3);
    auto answers = co_await channel.consume(here, {.no_ack = true});
    co_await channel.publish("", queue, lv::message{"ask"}.reply_to(here));
    auto one = co_await channel.get(queue);
    auto two = co_await channel.get(queue);
    auto three = co_await channel.get(queue, {.no_ack = true});
    auto asked = co_await channel.get(queue);
    REQUIRE(asked);
    CHECK(asked->delivery_tag() == 4);
    const std::string address(asked->properties().reply_to());
    co_await send(other, "", address, "a b");
    for (int i = 0; i < 2; ++i) {
        auto answer = co_await next(answers);
        CHECK(answer.delivery_tag() == 5); // the next one's, each time
        CHECK(!answer.ack());
    }
    co_await channel.publish("", queue, "after");
    auto after = co_await channel.get(queue);
    REQUIRE(after);
    CHECK(after->body() == "after");
    CHECK(after->delivery_tag() == 5);
    CHECK(after->ack({.multiple = true})); // of all that are numbered
    CHECK(one->is_settled());
    CHECK(channel.is_open());
}

LEVERET_CONFORMANCE_CASE("direct reply-to: the name itself is no queue, though it can be declared")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto info = co_await channel.declare_queue(here);
    CHECK(info.name() == here);
    CHECK(info.message_count() == 0);
    CHECK(info.consumer_count() == 1);
    const auto e = co_await refused(channel.get(here));
    CHECK(e == no_queue(here, ids::basic_get));
}
