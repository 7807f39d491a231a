// The two wire formats: what they write, what they read, and what they refuse.
#include <leveret/oslo/identity.hpp>
#include <leveret/oslo/recent_ids.hpp>
#include <leveret/rpc/wire/oslo.hpp>
#include <leveret/rpc/wire/plain.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace lv = leveret;
using lv::json;
using namespace lv::rpc;
using namespace lv::rpc::wire;

namespace {

received_message received(const lv::message& m)
{
    received_message r;
    const lv::properties& p = m.properties();
    r.body = m.text();
    r.content_type = p.content_type();
    r.content_encoding = p.content_encoding();
    r.correlation_id = p.correlation_id();
    r.reply_to = p.reply_to();
    r.expiration = p.expiration();
    r.type = p.type();
    r.headers = p.headers();
    return r;
}
received_message oslo_body(std::string_view body)
{
    received_message r;
    r.body = body;
    r.content_type = "application/json";
    return r;
}

const target calc = target_options{.topic = "calc", .name_space = "n", .version = "1.2"};
const json context = {{"user", "u1"}};

outgoing_request asked(const json& arguments)
{
    outgoing_request r;
    r.method = "add";
    r.to = &calc;
    static std::string text;
    text = arguments.dump();
    r.arguments = text;
    r.context = &context;
    r.id = "id1";
    r.unique_id = "u1";
    r.reply_to = "replies";
    r.timeout = lv::duration::milliseconds(1500);
    return r;
}

/// By a function of the format that writes into a message, which was of another use before.
template <class Wire, class... A, class... B>
lv::message encoded(const Wire& wire, void (Wire::*encode)(A...) const, B&&... arguments)
{
    lv::message m(std::string_view("another body"));
    m.header("error", "error").reply_to("r").type("t").expiration(lv::duration::seconds(1)).correlation_id("c");
    m.properties().clear();
    (wire.*encode)(std::forward<B>(arguments)..., m);
    return m;
}

template <class Wire>
void round_trip(const json& arguments)
{
    const Wire wire;
    const lv::message m = encoded(wire, &Wire::encode_request, asked(arguments));
    const incoming_request in = wire.decode_request(received(m));
    CHECK(in.method == "add");
    CHECK(in.arguments == arguments);
    CHECK(in.context == context);
    CHECK(in.name_space == "n");
    CHECK(in.version == "1.2");
    CHECK(in.id == "id1");
    CHECK(in.reply_to == "replies");
    CHECK(in.unique_id == (Wire::remembers_requests ? "u1" : ""));
    CHECK(m.properties().expiration() == "1500");
    CHECK(m.properties().correlation_id() == "id1"); // a returned message tells whose it is

    const lv::message result = encoded(wire, &Wire::encode_result, in, "u2", json{{"a", 1}});
    const incoming_reply reply = wire.decode_reply(received(result));
    CHECK(reply.id == "id1");
    CHECK(reply.is_end);
    CHECK_FALSE(reply.failure);
    CHECK((reply.text ? json::parse(*reply.text) : reply.result.value_or(json())) == json{{"a", 1}});

    failure f("Odd\xff", "me\"ss\nage");
    f.module("m").trace("line\n").data({{"code", 42}});
    const auto told = wire.decode_reply(received(encoded(wire, &Wire::encode_failure, in, "u3", f)));
    CHECK(told.failure->message() == "me\"ss\nage");
    CHECK(told.failure->module() == "m");
    CHECK(told.failure->trace() == "line\n");
    CHECK(told.failure->data() == json{{"code", 42}});
    for (const failure_kind kind : {failure_kind::no_such_method, failure_kind::unsupported_version}) {
        const auto of_kind = wire.decode_reply(received(encoded(wire, &Wire::encode_failure, in, "u3", failure(kind, "t", "m"))));
        CHECK(of_kind.failure->kind() == kind);
    }
}

} // namespace

TEST_CASE("wire: identities")
{
    lv::oslo::identity of_one(0xfedcba9876543210), of_other(1);
    const std::string id = of_one.next();
    CHECK(id == "fedcba98765432100000000000000001");
    CHECK(of_one.number_of(id) == 1);
    CHECK(of_other.number_of(id) == 0);
    CHECK(of_one.short_text(0xabc) == "3210abc");
    CHECK(of_one.number_of("3210abc") == 0xabc);
    CHECK(of_other.number_of("3210abc") == 0);
    for (const std::uint64_t n : {1ULL, 15ULL, 16ULL, 0xfffULL, 0x1000ULL, 0x7ff'ffff'ffffULL})
        CHECK(of_one.number_of(of_one.short_text(n)) == n);
    for (const std::string_view text : {"", "3210", "321000000000abX", "fedcba9876543210000000000000000g"})
        CHECK(of_one.number_of(text) == 0);
}

TEST_CASE("wire: plain") { round_trip<plain>(json::array({1, "two"})); round_trip<plain>({{"a", 1}}); }
TEST_CASE("wire: oslo") { round_trip<oslo>({{"a", 1}, {"b", "h\u00e9"}}); }

TEST_CASE("wire: plain reads what RabbitMQ's tutorial sends")
{
    received_message m;
    m.body = "30";
    m.reply_to = "q";
    m.correlation_id = "c";
    const incoming_request r = plain().decode_request(m);
    CHECK(r.method.empty());
    CHECK(r.arguments == json::array({30}));
    CHECK(r.timeout.is_never());
    CHECK(r.wrong.empty());
    m.body = "{";
    CHECK_FALSE(plain().decode_request(m).wrong.empty());
    m.body = "1";
    m.content_type = "application/octet-stream";
    CHECK(plain().decode_request(m).wrong.find("requests and answers are JSON") != std::string::npos);
    m.content_type = {};
    m.content_encoding = "gzip";
    CHECK_FALSE(plain().decode_request(m).wrong.empty());
    m.content_encoding = {};
    lv::table headers;
    headers.set("context", "{");
    m.headers = headers;
    CHECK_FALSE(plain().decode_request(m).wrong.empty());
    m.headers = {};
    CHECK(plain().decode_request(m).wrong.empty());
    m.content_type = "application/octet-stream";
    m.reply_to = {};
    CHECK_THROWS_AS(static_cast<void>(plain().decode_request(m)), lv::decode_error); // nobody can be told
}

TEST_CASE("wire: oslo reads what oslo.messaging sends")
{
    // As it was seen on the wire.
    const incoming_request r = oslo().decode_request(oslo_body(
        R"({"oslo.version": "2.0", "oslo.message": "{\"method\": \"echo\", \"args\": {\"a\": 1, \"b\": \"h\\u00e9\"}, )"
        R"(\"version\": \"1.0\", \"_msg_id\": \"e73b\", \"_reply_q\": \"reply_f182\", \"_timeout\": null, )"
        R"(\"_unique_id\": \"f954\", \"_context_user_id\": \"u1\", \"_context_is_admin\": true}"})"));
    CHECK(r.method == "echo");
    CHECK(r.arguments == json{{"a", 1}, {"b", "h\u00e9"}});
    CHECK(r.context == json{{"user_id", "u1"}, {"is_admin", true}});
    CHECK(r.reply_to == "reply_f182");
    CHECK(r.monitor.is_never());
    const incoming_reply beat = oslo().decode_reply(oslo_body(
        R"({"result": null, "failure": null, "ending": false, "_msg_id": "b0", "_unique_id": "41"})")); // no envelope
    CHECK_FALSE(beat.is_end);
    const incoming_reply error = oslo().decode_reply(oslo_body(
        R"({"oslo.version": "2.0", "oslo.message": "{\"result\": null, \"failure\": \"{\\\"class\\\": \\\"CustomError\\\", )"
        R"(\\\"module\\\": \\\"__main__\\\", \\\"message\\\": \\\"cust\\\", \\\"tb\\\": [\\\"x\\\", \\\"y\\\"], )"
        R"(\\\"args\\\": [\\\"cust\\\"], \\\"kwargs\\\": {\\\"code\\\": 42}}\", \"ending\": true, \"_msg_id\": \"a3\"}"})"));
    CHECK(error.failure->type() == "CustomError");
    CHECK(error.failure->trace() == "xy");
    CHECK(error.failure->data() == json{{"code", 42}});
    const incoming_reply odd = oslo().decode_reply(oslo_body(
        R"({"result": null, "failure": "{\"class\": \"ValueError\", \"module\": \"builtins\", \"message\": \"\\udc80\", )"
        R"(\"args\": [NaN]}", "ending": true, "_msg_id": "a3"})"));
    CHECK(odd.failure->type() == "ValueError");
    CHECK(odd.failure->message() == "\xef\xbf\xbd");
    const incoming_request numbers = oslo().decode_request(oslo_body(
        R"({"method": "m", "args": {"a": NaN, "b": [-Infinity, Infinity, "NaN \" Infinity"]}, "_timeout": 2.5})"));
    CHECK(numbers.arguments == json::parse(R"({"a": null, "b": [null, null, "NaN \" Infinity"]})"));
    CHECK(numbers.monitor == lv::duration::milliseconds(2500));
    // Bytes that are no UTF-8, as Python has them in texts.
    const incoming_request halves = oslo().decode_request(oslo_body(
        R"({"method": "m", "args": {"a": "\udc80x\\udc80\ud83d\udc07\ud83d", "b": "\ud800\ud800\udc00"}})"));
    CHECK(halves.arguments == json::parse(R"({"a": "\ufffdx\\udc80\ud83d\udc07\ufffd", "b": "\ufffd\ud800\udc00"})"));
}

TEST_CASE("wire: oslo tells who asked wrongly, if it is known who did")
{
    for (const std::string_view part : {R"("method": "m", "args": null)", R"("method": "m", "args": [1])",
                                        R"("method": "m", "version": 1)", R"("method": 1)"}) {
        CAPTURE(part);
        const std::string asked = "{" + std::string(part) + R"(, "_msg_id": "i", "_reply_q": "q"})";
        const incoming_request r = oslo().decode_request(oslo_body(asked));
        CHECK_FALSE(r.wrong.empty());
        CHECK(r.id == "i");
        CHECK(r.reply_to == "q");
    }
    const incoming_request r = oslo().decode_request(oslo_body(R"({"_unique_id": 5, "_msg_id": "i", "_reply_q": "q"})"));
    CHECK(r.wrong.empty()); // the method is "", and not there
    CHECK(r.method.empty());
}

TEST_CASE("wire: oslo refuses what oslo.messaging refuses")
{
    for (const std::string_view body :
         {"", "[]", "1", "{", "nonsense", R"({"oslo.version": "2.1", "oslo.message": "{}"})",
          R"({"oslo.version": "1.0", "oslo.message": "{}"})", R"({"oslo.version": "2.0", "oslo.message": {}})",
          R"({"oslo.version": "2.0"})", R"({"oslo.message": "{}"})", R"({"oslo.version": "2.0", "oslo.message": "[]"})",
          R"({"args": {}})", R"({"method": 1, "args": {}})", R"({"method": "m", "args": null})"}) {
        CAPTURE(body);
        CHECK_THROWS_AS(static_cast<void>(oslo().decode_request(oslo_body(body))), lv::decode_error);
    }
    received_message text = oslo_body(R"({"method": "m", "args": {}})");
    CHECK(oslo().decode_request(text).method == "m");
    for (const std::string_view type : {"", "text/plain", "application/json; charset=utf-8"}) {
        text.content_type = type;
        CHECK_THROWS_AS(static_cast<void>(oslo().decode_request(text)), lv::decode_error);
    }
}

TEST_CASE("wire: names and settings of oslo.messaging")
{
    const oslo w;
    CHECK(w.exchange(calc) == "openstack");
    CHECK(w.fanout_exchange(calc) == "calc_fanout");
    CHECK(w.reply_queue("x") == "reply_x");
    CHECK_FALSE(w.queue_settings().durable);
    CHECK(w.reply_queue_settings().expires.count_ms() == 1'800'000);
    CHECK(w.fanout_exchange_settings().auto_delete);
    const oslo quorum{.quorum_queues = true};
    CHECK(quorum.queue_settings().type == lv::queue_type::quorum);
    CHECK(quorum.queue_settings().durable);
}

TEST_CASE("wire: a deadline that is beyond a broker's longest is not told to it")
{
    const json none = json::object();
    outgoing_request r = asked(none);
    r.timeout = lv::duration::milliseconds(4'294'967'295);
    CHECK(encoded(plain(), &plain::encode_request, r).properties().expiration() == "4294967295");
    CHECK(encoded(oslo(), &oslo::encode_request, r).properties().expiration() == "4294967295");
    for (const auto longer : {lv::duration::milliseconds(4'294'967'296), lv::duration::never()}) {
        r.timeout = longer;
        CHECK_FALSE(encoded(plain(), &plain::encode_request, r).properties().has(lv::property::expiration));
        CHECK_FALSE(encoded(oslo(), &oslo::encode_request, r).properties().has(lv::property::expiration));
    }
}

TEST_CASE("wire: oslo takes every failure that is none of nothing for one, and no JSON that is too deep")
{
    const auto reply = [](std::string_view failure) {
        return oslo().decode_reply(oslo_body(R"({"_msg_id": "i", "result": null, "ending": true, "failure": )" +
                                             std::string(failure) + "}"));
    };
    CHECK_FALSE(reply("null").failure);
    CHECK_FALSE(reply("\"\"").failure);
    CHECK(reply("{\"class\": \"KeyError\"}").failure->type() == "KeyError");
    CHECK(reply("\"it broke\"").failure->message() == "it broke");
    const std::string deep = std::string(100'000, '[');
    CHECK(reply("\"" + deep + "\"").failure->message() == deep); // a text as any
    CHECK_THROWS_AS(static_cast<void>(reply(deep)), lv::decode_error);
}

TEST_CASE("oslo: the last sixteen ids are known")
{
    lv::oslo::recent_ids seen;
    CHECK_FALSE(seen.contains(""));
    for (int i = 0; i < 17; ++i)
        seen.add(std::to_string(i));
    for (int i = 0; i < 100; ++i)
        seen.add(""); // none
    CHECK_FALSE(seen.contains("0"));
    CHECK(seen.contains("1"));
    CHECK(seen.contains("16"));
    CHECK_FALSE(seen.contains(""));
}
