// Headers exchanges.
#include "conformance/conformance.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace leveret::test;

namespace {

/// A headers exchange and a queue bound to it with these arguments.
template <class Channel>
asio::awaitable<std::string> bound_by(Channel channel, std::string exchange, lv::table arguments)
{
    const auto info = co_await channel.declare_queue("", {.exclusive = true});
    const std::string queue = info.name();
    co_await channel.bind_queue(queue, exchange, "", {.arguments = arguments});
    co_return queue;
}
/// Publishes with these headers; the body is for the one who looks at the queues.
template <class Channel>
asio::awaitable<void> put(Channel channel, std::string exchange, std::string body, lv::table headers)
{
    const lv::message m = lv::message{body}.headers(std::move(headers));
    co_await channel.publish(exchange, "", m);
}

} // namespace

LEVERET_CONFORMANCE_CASE("headers: all of them, which is also the default")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "headers");
    const lv::table said{{"x-match", "all"}, {"a", 1}, {"b", "two"}};
    const lv::table unsaid{{"a", 1}, {"b", "two"}};
    const auto by_said = co_await bound_by(channel, x, said);
    const auto by_unsaid = co_await bound_by(channel, x, unsaid);
    const lv::table both{{"b", "two"}, {"other", true}, {"a", 1}};
    const lv::table one{{"a", 1}};
    const lv::table wrong{{"a", 1}, {"b", "three"}};
    co_await put(channel, x, "both", both);
    co_await put(channel, x, "one", one);
    co_await put(channel, x, "wrong", wrong);
    co_await channel.publish(x, "", "none");
    const auto at_said = co_await drain(channel, by_said);
    const auto at_unsaid = co_await drain(channel, by_unsaid);
    CHECK(at_said == "both");
    CHECK(at_unsaid == "both");
}

LEVERET_CONFORMANCE_CASE("headers: any of them")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "headers");
    const lv::table arguments{{"x-match", "any"}, {"a", 1}, {"b", "two"}};
    const auto queue = co_await bound_by(channel, x, arguments);
    const lv::table both{{"b", "two"}, {"a", 1}};
    const lv::table one{{"a", 1}, {"b", "three"}};
    const lv::table other{{"b", "two"}, {"c", 3}};
    const lv::table wrong{{"a", 2}, {"b", "three"}};
    co_await put(channel, x, "both", both);
    co_await put(channel, x, "one", one);
    co_await put(channel, x, "other", other);
    co_await put(channel, x, "wrong", wrong);
    co_await channel.publish(x, "", "none");
    const auto got = co_await drain(channel, queue);
    CHECK(got == "both one other");
}

LEVERET_CONFORMANCE_CASE("headers: nothing asked for is had by every message with all, by none with any")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "headers");
    const lv::table nothing;
    const lv::table all{{"x-match", "all"}};
    const lv::table any{{"x-match", "any"}};
    const auto by_nothing = co_await bound_by(channel, x, nothing);
    const auto by_all = co_await bound_by(channel, x, all);
    const auto by_any = co_await bound_by(channel, x, any);
    co_await channel.publish(x, "some key", "1");
    const lv::table some{{"a", 1}};
    co_await put(channel, x, "2", some);
    const auto at_nothing = co_await drain(channel, by_nothing);
    const auto at_all = co_await drain(channel, by_all);
    const auto at_any = co_await drain(channel, by_any);
    CHECK(at_nothing == "1 2");
    CHECK(at_all == "1 2");
    CHECK(at_any == "");
}

LEVERET_CONFORMANCE_CASE("headers: x-... are not asked for, unless with all-with-x or any-with-x")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "headers");
    const lv::table all{{"x-match", "all"}, {"x-tag", "t"}, {"a", 1}};
    const lv::table all_with{{"x-match", "all-with-x"}, {"x-tag", "t"}, {"a", 1}};
    const lv::table any{{"x-match", "any"}, {"x-tag", "t"}, {"a", 1}};
    const lv::table any_with{{"x-match", "any-with-x"}, {"x-tag", "t"}, {"a", 1}};
    const auto by_all = co_await bound_by(channel, x, all);
    const auto by_all_with = co_await bound_by(channel, x, all_with);
    const auto by_any = co_await bound_by(channel, x, any);
    const auto by_any_with = co_await bound_by(channel, x, any_with);
    const lv::table both{{"x-tag", "t"}, {"a", 1}};
    const lv::table only_a{{"a", 1}};
    const lv::table only_tag{{"x-tag", "t"}};
    const lv::table neither{{"x-tag", "u"}, {"a", 2}};
    co_await put(channel, x, "both", both);
    co_await put(channel, x, "a", only_a);
    co_await put(channel, x, "tag", only_tag);
    co_await put(channel, x, "neither", neither);
    const auto at_all = co_await drain(channel, by_all);
    const auto at_all_with = co_await drain(channel, by_all_with);
    const auto at_any = co_await drain(channel, by_any);
    const auto at_any_with = co_await drain(channel, by_any_with);
    CHECK(at_all == "both a");
    CHECK(at_all_with == "both");
    CHECK(at_any == "both a");
    CHECK(at_any_with == "both a tag");
}

LEVERET_CONFORMANCE_CASE("headers: a void value asks only that the header is there")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "headers");
    const lv::table all{{"a", lv::field_value()}, {"b", 1}};
    const lv::table any{{"x-match", "any"}, {"a", lv::field_value()}};
    const auto by_all = co_await bound_by(channel, x, all);
    const auto by_any = co_await bound_by(channel, x, any);
    const lv::table text{{"a", "text"}, {"b", 1}};
    const lv::table number{{"a", 5}};
    const lv::table empty{{"a", lv::field_value()}, {"b", 1}};
    const lv::table absent{{"b", 1}};
    co_await put(channel, x, "text", text);
    co_await put(channel, x, "number", number);
    co_await put(channel, x, "void", empty);
    co_await put(channel, x, "absent", absent);
    const auto at_all = co_await drain(channel, by_all);
    const auto at_any = co_await drain(channel, by_any);
    CHECK(at_all == "text void");
    CHECK(at_any == "text number void");
}

LEVERET_CONFORMANCE_CASE("headers: a void header is not a value")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "headers");
    const lv::table wanted{{"a", 1}};
    const auto queue = co_await bound_by(channel, x, wanted);
    const lv::table empty{{"a", lv::field_value()}};
    const lv::table real{{"a", 1}};
    co_await put(channel, x, "void", empty);
    co_await put(channel, x, "real", real);
    const auto got = co_await drain(channel, queue);
    CHECK(got == "real");
}

LEVERET_CONFORMANCE_CASE("headers: numbers of every type are equal by value, times too, and texts are no numbers")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "headers");
    const lv::table wanted{{"a", std::int32_t{5}}};
    const auto queue = co_await bound_by(channel, x, wanted);
    const std::vector<std::pair<std::string, lv::field_value>> values{
        {"int8", std::int8_t{5}},     {"uint8", std::uint8_t{5}},   {"int16", std::int16_t{5}},
        {"uint16", std::uint16_t{5}}, {"uint32", std::uint32_t{5}}, {"int64", std::int64_t{5}},
        {"double", 5.0},              {"text", "5"},                {"bool", true},
        {"six", 6},                   {"time", lv::timestamp{5}}, {"more", 5.5}};
    for (const auto& [name, value] : values) {
        lv::table headers;
        headers.set("a", value);
        co_await put(channel, x, name, headers);
    }
    const auto got = co_await drain(channel, queue);
    CHECK(got == "int8 uint8 int16 uint16 uint32 int64 double time");
}

LEVERET_CONFORMANCE_CASE("headers: values of the other types")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "headers");
    const lv::field_array list{1, "two"};
    const lv::field_array other_list{1, "three"};
    const lv::table inner{{"k", "v"}};
    const lv::table other_inner{{"k", "w"}};
    const std::vector<std::pair<lv::field_value, lv::field_value>> pairs{
        {true, false},
        {1.5, 2.5},
        {lv::timestamp{1'700'000'000}, lv::timestamp{1'700'000'001}},
        {"text", "Text"},
        {lv::decimal{2, 314}, lv::decimal{2, 315}},
        {list, other_list},
        {inner, other_inner}};
    std::string found;
    for (const auto& [equal, different] : pairs) {
        lv::table wanted;
        wanted.set("a", equal);
        const auto queue = co_await bound_by(channel, x, wanted);
        lv::table headers;
        headers.set("a", equal);
        co_await put(channel, x, "equal", headers);
        headers.set("a", different);
        co_await put(channel, x, "different", headers);
        found += co_await drain(channel, queue) + ",";
        co_await channel.delete_queue(queue);
    }
    CHECK(found == "equal,equal,equal,equal,equal,equal,equal,");
}

LEVERET_CONFORMANCE_CASE("headers: names are told apart by their case")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "headers");
    const lv::table wanted{{"Colour", "green"}};
    const auto queue = co_await bound_by(channel, x, wanted);
    const lv::table lower{{"colour", "green"}};
    co_await put(channel, x, "lower", lower);
    co_await put(channel, x, "same", wanted);
    const auto got = co_await drain(channel, queue);
    CHECK(got == "same");
}

LEVERET_CONFORMANCE_CASE("headers: the routing key doesn't matter but tells bindings apart")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "headers");
    const lv::table wanted{{"a", 1}};
    const auto queue = co_await bound_by(channel, x, wanted);
    co_await channel.bind_queue(queue, x, "key", {.arguments = wanted});
    co_await put(channel, x, "1", wanted);
    co_await channel.unbind_queue(queue, x, "", {.arguments = wanted});
    co_await put(channel, x, "2", wanted);
    co_await channel.unbind_queue(queue, x, "key", {.arguments = wanted});
    co_await put(channel, x, "3", wanted);
    const auto got = co_await drain(channel, queue);
    CHECK(got == "1 2");
}

LEVERET_CONFORMANCE_CASE("headers: several bindings of a queue are tried each")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "headers");
    const lv::table green{{"colour", "green"}, {"size", 1}};
    const lv::table red{{"colour", "red"}};
    const auto queue = co_await bound_by(channel, x, green);
    co_await channel.bind_queue(queue, x, "", {.arguments = red});
    const lv::table small_red{{"colour", "red"}, {"size", 1}};
    const lv::table large_green{{"colour", "green"}, {"size", 2}};
    co_await put(channel, x, "1", small_red);
    co_await put(channel, x, "2", large_green);
    co_await put(channel, x, "3", green);
    const auto got = co_await drain(channel, queue);
    CHECK(got == "1 3");
}

LEVERET_CONFORMANCE_CASE("headers: unbinding needs the same arguments, in any order")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto x = t.name("x");
    co_await channel.declare_exchange(x, "headers");
    const lv::table wanted{{"a", 1}, {"b", 2}};
    const lv::table turned{{"b", 2}, {"a", 1}};
    const lv::table other{{"a", 1}};
    const auto queue = co_await bound_by(channel, x, wanted);
    co_await channel.bind_queue(queue, x, "", {.arguments = turned}); // no second binding
    co_await channel.unbind_queue(queue, x, "", {.arguments = other});
    co_await put(channel, x, "still", wanted);
    co_await channel.unbind_queue(queue, x, "", {.arguments = turned});
    co_await put(channel, x, "gone", wanted);
    const auto got = co_await drain(channel, queue);
    CHECK(got == "still");
}

LEVERET_CONFORMANCE_CASE("headers: x-match that is none of the four")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = co_await filled_queue(channel, 0);
    const lv::table wrong{{"x-match", "some"}, {"a", 1}};
    const auto e =
        co_await refused(channel.bind_queue(queue, "amq.headers", "", {.arguments = wrong}));
    CHECK(e == precondition_failed("Invalid x-match field value <<\"some\">>; expected all, any, "
                                   "all-with-x, or any-with-x",
                                   ids::queue_bind));

    channel = co_await connection.open_channel();
    const lv::table number{{"x-match", 1}};
    const auto typed =
        co_await refused(channel.bind_queue(queue, "amq.headers", "", {.arguments = number}));
    CHECK(typed == precondition_failed("Invalid x-match field type signedint (value 1); expected longstr",
                                       ids::queue_bind));
}

LEVERET_CONFORMANCE_CASE("headers: amq.match is a headers exchange as amq.headers is")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto mark = t.name("mark");
    const lv::table wanted{{"mark", mark}};
    const auto one = co_await bound_by(channel, "amq.match", wanted);
    const auto two = co_await bound_by(channel, "amq.headers", wanted);
    co_await put(channel, "amq.match", "1", wanted);
    co_await put(channel, "amq.headers", "2", wanted);
    const auto at_one = co_await drain(channel, one);
    const auto at_two = co_await drain(channel, two);
    CHECK(at_one == "1");
    CHECK(at_two == "2");
}
