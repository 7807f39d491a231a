// Arguments of queue.declare: which are valid, and when two declarations are the same.
#include "conformance/conformance.hpp"

#include <leveret/core/escape.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace leveret::test;

namespace {

struct argument {
    const char* name;
    lv::field_value value;
    const char* words; // of the refusal; empty: it is accepted
};

/// Tries each argument alone, on a channel of its own.
template <class Transport>
asio::awaitable<void> try_arguments(under_test<Transport>& t, std::vector<argument> arguments)
{
    auto connection = co_await t.connect();
    for (const auto& a : arguments) {
        auto channel = co_await connection.open_channel();
        const auto queue = t.name("q");
        lv::table table;
        table.set(a.name, a.value);
        const auto e =
            co_await refused(channel.declare_queue(queue, {.exclusive = true, .arguments = table}));
        CAPTURE(lv::escaped(a.name));
        if (*a.words == '\0') {
            CHECK(e == refusal());
        } else {
            CHECK(e == precondition_failed("invalid arg '" + std::string(a.name) + "' for queue '" +
                                               queue + "' in vhost '/': " + a.words,
                                           ids::queue_declare));
        }
    }
}

/// Declares with one table and again with another.
template <class Transport>
asio::awaitable<refusal> declared_again(under_test<Transport>& t, std::string queue, lv::table first,
                                        lv::table second)
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue(queue, {.exclusive = true, .arguments = first});
    const auto e =
        co_await refused(channel.declare_queue(queue, {.exclusive = true, .arguments = second}));
    co_await connection.close();
    co_return e;
}

[[nodiscard]] refusal inequivalent(const std::string& arg, const std::string& queue,
                                   const std::string& words)
{
    return precondition_failed("inequivalent arg '" + arg + "' for queue '" + queue +
                                   "' in vhost '/': received " + words,
                               ids::queue_declare);
}

} // namespace

LEVERET_CONFORMANCE_CASE("queue arguments: x-message-ttl")
{
    const std::vector<argument> arguments{
        {"x-message-ttl", 0, ""},
        {"x-message-ttl", 60'000, ""},
        {"x-message-ttl", std::uint8_t{9}, ""},
        {"x-message-ttl", std::int64_t{315'360'000'000}, ""}, // ten years
        {"x-message-ttl", std::int64_t{315'360'000'001}, "{value_too_large,315360000001}"},
        {"x-message-ttl", -1, "{value_negative,-1}"},
        {"x-message-ttl", "1000", "\"expected integer, got longstr\""},
        {"x-message-ttl", 1.5, "\"expected integer, got double\""},
        {"x-message-ttl", true, "\"expected integer, got bool\""}};
    co_await try_arguments(t, arguments);
}

LEVERET_CONFORMANCE_CASE("queue arguments: x-expires")
{
    const std::vector<argument> arguments{{"x-expires", 60'000, ""},
                                          {"x-expires", std::int64_t{315'360'000'001},
                                           "{value_too_large,315360000001}"},
                                          {"x-expires", 0, "{value_zero,0}"},
                                          {"x-expires", -5, "{value_negative,-5}"},
                                          {"x-expires", "1", "\"expected integer, got longstr\""}};
    co_await try_arguments(t, arguments);
}

LEVERET_CONFORMANCE_CASE("queue arguments: x-max-length and x-max-length-bytes")
{
    const std::vector<argument> arguments{
        {"x-max-length", 0, ""},
        {"x-max-length", std::int64_t{1} << 40, ""},
        {"x-max-length", -5, "{value_negative,-5}"},
        {"x-max-length", "5", "\"expected integer, got longstr\""},
        {"x-max-length-bytes", 0, ""},
        {"x-max-length-bytes", -1, "{value_negative,-1}"},
        {"x-max-length-bytes", "5", "\"expected integer, got longstr\""}};
    co_await try_arguments(t, arguments);
}

LEVERET_CONFORMANCE_CASE("queue arguments: x-max-priority")
{
    const std::vector<argument> arguments{{"x-max-priority", 0, ""},
                                          {"x-max-priority", 10, ""},
                                          {"x-max-priority", 255, ""},
                                          {"x-max-priority", 256, "{max_value_exceeded,256}"},
                                          {"x-max-priority", -1, "{value_negative,-1}"},
                                          {"x-max-priority", "5", "\"expected integer, got longstr\""}};
    co_await try_arguments(t, arguments);
}

LEVERET_CONFORMANCE_CASE("queue arguments: x-overflow")
{
    const std::vector<argument> arguments{{"x-overflow", "drop-head", ""},
                                          {"x-overflow", "reject-publish", ""},
                                          {"x-overflow", "reject-publish-dlx", ""},
                                          {"x-overflow", "nosuch", "invalid_overflow"},
                                          {"x-overflow", 1, "{unacceptable_type,signedint}"}};
    co_await try_arguments(t, arguments);
}

LEVERET_CONFORMANCE_CASE("queue arguments: x-dead-letter-exchange and -routing-key")
{
    const std::vector<argument> arguments{
        {"x-dead-letter-exchange", "", ""},
        {"x-dead-letter-exchange", "need not be there", ""},
        {"x-dead-letter-routing-key", "k", "routing_key_but_no_dlx_defined"},
        {"x-dead-letter-routing-key", 1, "{unacceptable_type,signedint}"}};
    co_await try_arguments(t, arguments);

    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    const lv::table wrong{{"x-dead-letter-exchange", 1}};
    const auto e =
        co_await refused(channel.declare_queue(queue, {.exclusive = true, .arguments = wrong}));
    CHECK(e == precondition_failed("invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue '" +
                                       queue + "' in vhost '/'",
                                   ids::queue_declare)); // said in words of its own
}

LEVERET_CONFORMANCE_CASE("queue arguments: x-single-active-consumer, x-queue-type, x-queue-mode")
{
    const std::vector<argument> arguments{
        {"x-single-active-consumer", true, ""},
        {"x-single-active-consumer", false, ""},
        {"x-single-active-consumer", "yes", "{unacceptable_type,longstr}"},
        {"x-queue-type", "classic", ""},
        {"x-queue-type", "nosuch", "\"unsupported queue type 'nosuch'\""},
        {"x-queue-mode", "default", ""},
        {"x-queue-mode", "lazy", ""},
        {"x-queue-mode", "nosuch", "\"unsupported queue mode 'nosuch'\""}};
    co_await try_arguments(t, arguments);
}

LEVERET_CONFORMANCE_CASE("queue arguments: those that nobody knows are no matter")
{
    const auto queue = t.name("q");
    const lv::table first{{"x-colour", "green"}, {"note", 1}};
    const lv::table second{{"x-colour", 2}};
    const auto e = co_await declared_again(t, queue, first, second);
    CHECK(e == refusal());
}

LEVERET_CONFORMANCE_CASE("queue arguments: equal in another order and integer width")
{
    const auto queue = t.name("q");
    const lv::table first{{"x-message-ttl", std::int32_t{1000}}, {"x-max-length", std::int16_t{5}}};
    const lv::table second{{"x-max-length", std::int64_t{5}}, {"x-message-ttl", std::uint32_t{1000}}};
    const auto e = co_await declared_again(t, queue, first, second);
    CHECK(e == refusal());
}

LEVERET_CONFORMANCE_CASE("queue arguments: declared again with another value, without, and with one more")
{
    const auto queue = t.name("q");
    const lv::table none;
    const lv::table one{{"x-message-ttl", 1000}};
    const lv::table two{{"x-message-ttl", 2000}};
    const auto changed = co_await declared_again(t, queue, one, two);
    CHECK(changed == inequivalent("x-message-ttl", queue, "'2000' but current is '1000'"));
    const auto less = co_await declared_again(t, queue, one, none);
    CHECK(less == inequivalent("x-message-ttl", queue,
                               "none but current is the value '1000' of type 'signedint'"));
    const auto more = co_await declared_again(t, queue, none, one);
    CHECK(more == inequivalent("x-message-ttl", queue,
                               "the value '1000' of type 'signedint' but current is none"));
}

LEVERET_CONFORMANCE_CASE("queue arguments: each of the known ones must be the same")
{
    const std::vector<std::pair<const char*, std::pair<lv::field_value, lv::field_value>>> changes{
        {"x-expires", {60'000, 70'000}},
        {"x-max-length", {1, 2}},
        {"x-max-length-bytes", {1, 2}},
        {"x-max-priority", {1, 2}},
        {"x-overflow", {"drop-head", "reject-publish"}},
        {"x-dead-letter-exchange", {"one", "two"}},
        {"x-single-active-consumer", {true, false}}};
    const char* words[] = {"'70000' but current is '60000'",
                           "'2' but current is '1'",
                           "'2' but current is '1'",
                           "'2' but current is '1'",
                           "'reject-publish' but current is 'drop-head'",
                           "'two' but current is 'one'",
                           "'false' but current is 'true'"};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const auto queue = t.name("q");
        lv::table first;
        lv::table second;
        first.set(changes[i].first, changes[i].second.first);
        second.set(changes[i].first, changes[i].second.second);
        const auto e = co_await declared_again(t, queue, first, second);
        CHECK(e == inequivalent(changes[i].first, queue, words[i]));
    }
}

LEVERET_CONFORMANCE_CASE("queue arguments: the dead-letter routing key must be the same")
{
    const auto queue = t.name("q");
    const lv::table first{{"x-dead-letter-exchange", "x"}, {"x-dead-letter-routing-key", "one"}};
    const lv::table second{{"x-dead-letter-exchange", "x"}, {"x-dead-letter-routing-key", "two"}};
    const auto e = co_await declared_again(t, queue, first, second);
    CHECK(e == inequivalent("x-dead-letter-routing-key", queue, "'two' but current is 'one'"));
}

LEVERET_CONFORMANCE_CASE("queue.declare: again with another durable or auto_delete")
{
    auto connection = co_await t.connect();
    auto channel = co_await connection.open_channel();
    const auto queue = t.name("q");
    co_await channel.declare_queue(queue);
    co_await channel.declare_queue(queue);
    const auto durable = co_await refused(channel.declare_queue(queue, {.durable = true}));
    CHECK(durable == inequivalent("durable", queue, "'true' but current is 'false'"));
    channel = co_await connection.open_channel();
    const auto auto_delete = co_await refused(channel.declare_queue(queue, {.auto_delete = true}));
    CHECK(auto_delete == inequivalent("auto_delete", queue, "'true' but current is 'false'"));
    channel = co_await connection.open_channel();
    const auto both =
        co_await refused(channel.declare_queue(queue, {.durable = true, .auto_delete = true}));
    CHECK(both == inequivalent("durable", queue, "'true' but current is 'false'"));
}
