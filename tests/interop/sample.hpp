// A message with every property and every type of field, as C++ has it. sample.py has the same for pika.
#pragma once

#include <leveret/core/message.hpp>
#include <leveret/core/table.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace leveret::test {

inline constexpr std::string_view sample_body{"a body with \0 and \xff in it", 25};

/// The fields of which pika 1.2 and RabbitMQ think the same. Pika reads l as unsigned and b and B the
/// wrong way round, so these are within what both readings agree on; f and d it cuts to integers.
[[nodiscard]] inline table sample_fields_of_pika()
{
    field_array array;
    array.emplace_back(1);
    array.emplace_back("two");
    array.emplace_back(field_array{field_value(true), field_value()});
    array.emplace_back(table{{"in", field_value("an array")}});
    table inner;
    inner.set("deep", table{{"deeper", field_value(field_array{})}});
    inner.set("", "a name may be empty");
    table t;
    t.set("V", field_value());
    t.set("t", true).set("t off", false);
    t.set("I", std::int32_t{-2'000'000'000});
    t.set("l", std::int64_t{1'234'567'890'123'456'789});
    t.set("D", decimal{2, 314}).set("D negative", decimal{3, -2718}).set("D whole", decimal{0, 42});
    t.set("S", "text: Hase, 野兎").set("S empty", "");
    t.set("x", byte_array(std::string("\0\x80\xff", 3)));
    t.set("T", timestamp{1'700'000'000});
    t.set("A", std::move(array)).set("A empty", field_array{});
    t.set("F", std::move(inner)).set("F empty", table{});
    return t;
}

/// What pika can't write but reads.
[[nodiscard]] inline table sample_fields_for_pika()
{
    table t = sample_fields_of_pika();
    t.set("b", std::int8_t{100}).set("B", std::uint8_t{101});
    t.set("s", std::int16_t{-20'000}).set("u", std::uint16_t{60'000});
    t.set("i", std::uint32_t{4'000'000'000});
    t.set("f", 1024.0F).set("d", -65536.0);
    return t;
}

/// Every type with its limits: for readers without pika's faults.
[[nodiscard]] inline table sample_fields()
{
    const auto limits_of = []<class T>(table& t, std::string name, T) {
        t.set(name + " min", std::numeric_limits<T>::min());
        t.set(name + " max", std::numeric_limits<T>::max());
    };
    table t = sample_fields_for_pika();
    limits_of(t, "b", std::int8_t{});
    limits_of(t, "B", std::uint8_t{});
    limits_of(t, "s", std::int16_t{});
    limits_of(t, "u", std::uint16_t{});
    limits_of(t, "I", std::int32_t{});
    limits_of(t, "i", std::uint32_t{});
    limits_of(t, "l", std::int64_t{});
    limits_of(t, "f", 0.0F);
    limits_of(t, "d", 0.0);
    t.set("f third", 1.0F / 3).set("d third", 1.0 / 3).set("d negative zero", -0.0);
    t.set("D max", decimal{255, std::numeric_limits<std::int32_t>::max()});
    t.set("T max", timestamp{std::numeric_limits<std::int64_t>::max()});
    t.set("S long", std::string(10'000, 's'));
    t.set(std::string(255, 'n'), "a long name");
    return t;
}

/// With every property; RabbitMQ checks that the user is the one who publishes.
[[nodiscard]] inline message sample(table headers)
{
    message m{sample_body};
    m.content_type("application/x-sample").content_encoding("identity").headers(std::move(headers));
    m.persistent().priority(7).correlation_id("correlation 1").reply_to("reply.here");
    m.properties().expiration("600000").cluster_id("cluster 1");
    m.message_id("message 1").timestamp({1'700'000'001}).type("sample").user_id("guest").app_id("test");
    return m;
}

} // namespace leveret::test
