// Header tables between leveret and py-amqp, which knows floats, unlike pika, and writes large integers
// as type L.
#include "interop/broker.hpp"
#include "interop/python.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

using namespace leveret::test;

LEVERET_CORO_TEST_CASE("py-amqp publishes, leveret consumes: floats and large integers too")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("from-py-amqp");
    co_await channel.declare_queue(queue);
    auto python = start_python(connection.get_executor(), "py_amqp_publish.py", queue);
    const std::string published = co_await python.line();
    CHECK(published == "published");
    const int status = co_await python.exit_status();
    CHECK(status == 0);

    auto got = co_await channel.get(queue);
    REQUIRE(got);
    lv::field_array inner;
    inner.emplace_back(std::int64_t{1} << 40);
    lv::field_array list;
    list.emplace_back(1.5);
    list.emplace_back(std::move(inner));
    lv::table y;
    y.set("y", -0.25);
    lv::table x;
    x.set("x", std::move(y));
    lv::table expected;
    expected.set("third", 1.0 / 3).set("huge", 1e308).set("large", std::int64_t{1} << 40);
    expected.set("lowest", std::numeric_limits<std::int64_t>::min()).set("small", -5);
    expected.set("none", {}).set("text", "野兎").set("true", true);
    expected.set("when", lv::timestamp{1'700'000'000}).set("pi", lv::decimal{2, 314});
    expected.set("list", std::move(list)).set("table", std::move(x));
    CHECK((got->headers() == expected));
    CHECK(got->body() == "from py-amqp");
    CHECK(got->properties().priority() == 3);
    got->ack();
    co_await channel.delete_queue(queue);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("leveret publishes, py-amqp consumes: floats too")
{
    auto connection = co_await connect();
    auto channel = co_await connection.open_channel();
    const auto queue = unique("for-py-amqp");
    co_await channel.declare_queue(queue);
    lv::table headers;
    headers.set("d", 1.0 / 3).set("f", 0.15625F).set("i", std::uint32_t{4'000'000'000});
    headers.set("l", std::int64_t{1} << 62).set("D", lv::decimal{3, -2718}).set("V", {});
    headers.set("x", lv::byte_array("bytes")).set("u", std::uint16_t{65535}).set("t", false);
    const lv::message m = lv::message{"for py-amqp"}.headers(headers);
    co_await channel.publish("", queue, m);
    const bool arrived = co_await holds(channel, queue, 1);
    CHECK(arrived);
    auto python = start_python(connection.get_executor(), "py_amqp_consume.py", queue);
    for (const char* expected : {"D: Decimal('-2.718')", "V: None", "d: 0.3333333333333333",
                                 "f: 0.15625", "i: 4000000000", "l: 4611686018427387904",
                                 "t: False", "u: 65535", "x: b'bytes'", "body: b'for py-amqp'"}) {
        const std::string line = co_await python.line();
        CHECK(line == expected);
    }
    const int status = co_await python.exit_status();
    CHECK(status == 0);
    co_await channel.delete_queue(queue);
    co_await connection.close();
}
