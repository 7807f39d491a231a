#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/json/value.hpp"
#include "leveret/oslo/envelope.hpp"
#include "leveret/rpc/arguments.hpp"
#include "leveret/rpc/failure.hpp"
#include "leveret/rpc/target.hpp"
#include "leveret/rpc/wire/format.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::rpc::wire {

/// That of OpenStack's oslo.messaging, version 2.0 of its envelope: clients and servers in Python are on the other end.
///
/// Arguments have names. Exchanges and queues are called and declared as oslo.messaging 14 does unless told otherwise;
/// the settings must be the same on both ends, or the broker refuses (406).
struct oslo {
    std::string_view control_exchange = "openstack"; ///< of targets without an exchange; must outlive all that uses it
    bool durable_queues = false;                     ///< amqp_durable_queues
    bool auto_delete = false;                        ///< amqp_auto_delete
    bool quorum_queues = false;                      ///< rabbit_quorum_queue
    duration transient_ttl = duration::seconds(1800); ///< of fanout and reply queues; `never` for none

    static constexpr bool arguments_by_name = true;
    static constexpr bool reads_headers = false;
    static constexpr bool says_at_work = true;
    static constexpr bool remembers_requests = true;
    static constexpr acknowledge acknowledgement = acknowledge::before;

    void encode_request(const outgoing_request& r, message& m) const;
    [[nodiscard]] incoming_request decode_request(const received_message& m) const;
    void encode_result(const incoming_request& r, std::string_view unique_id, const json& result, message& m) const
    {
        reply(r, unique_id, result, nullptr, true, m);
    }
    void encode_failure(const incoming_request& r, std::string_view unique_id, const failure& f, message& m) const
    {
        reply(r, unique_id, nullptr, failure_text(f), true, m);
    }
    void encode_at_work(const incoming_request& r, std::string_view unique_id, message& m) const
    {
        reply(r, unique_id, nullptr, nullptr, false, m);
    }
    [[nodiscard]] incoming_reply decode_reply(const received_message& m) const;

    [[nodiscard]] std::string exchange(const target& t) const
    {
        return t.exchange().empty() ? std::string(control_exchange) : t.exchange();
    }
    [[nodiscard]] std::string fanout_exchange(const target& t) const { return t.topic() + "_fanout"; }
    [[nodiscard]] std::string fanout_queue(const target& t, std::string_view id) const
    {
        return t.topic() + "_fanout_" + std::string(id);
    }
    [[nodiscard]] std::string reply_queue(std::string_view id) const { return "reply_" + std::string(id); }
    [[nodiscard]] bool declares_reply_queue() const { return true; }
    [[nodiscard]] exchange_options exchange_settings() const
    {
        return {.durable = durable_queues || quorum_queues, .auto_delete = auto_delete};
    }
    [[nodiscard]] exchange_options fanout_exchange_settings() const { return {.auto_delete = true}; }
    [[nodiscard]] queue_options queue_settings() const
    {
        queue_options o{.durable = durable_queues || quorum_queues, .auto_delete = auto_delete};
        if (quorum_queues)
            o.type = queue_type::quorum;
        return o;
    }
    [[nodiscard]] queue_options fanout_queue_settings() const { return {.expires = transient_ttl}; }
    [[nodiscard]] queue_options reply_queue_settings() const { return {.expires = transient_ttl}; }

private:
    static void reply(const incoming_request& r, std::string_view unique_id, const json& result, const json& failure,
                      bool is_end, message& m)
    {
        std::string inner;
        using rpc::detail::append_member;
        append_member(inner, "result", result);
        append_member(inner, "failure", failure);
        append_member(inner, "ending", is_end);
        append_member(inner, "_msg_id", r.id);
        append_member(inner, "_unique_id", unique_id);
        inner += '}';
        leveret::oslo::envelop(inner, m);
    }
    static json failure_text(const failure& f);
    static failure read_failure(const std::string& text);
};
static_assert(safe_options<oslo>);

namespace detail {

/// Which of Python's own exceptions stands for one of C++.
struct python_exception {
    std::string_view here, there;
};
inline constexpr python_exception python_exceptions[] = {
    {"std::invalid_argument", "ValueError"},   {"std::domain_error", "ValueError"},
    {"std::out_of_range", "IndexError"},       {"std::length_error", "ValueError"},
    {"std::overflow_error", "OverflowError"},  {"std::underflow_error", "ArithmeticError"},
    {"std::range_error", "ArithmeticError"},   {"std::runtime_error", "RuntimeError"},
    {"std::bad_alloc", "MemoryError"},         {"std::system_error", "OSError"},
    {"leveret::decode_error", "ValueError"},
};
inline constexpr std::string_view oslo_dispatcher = "oslo_messaging.rpc.dispatcher";

} // namespace detail

inline void oslo::encode_request(const outgoing_request& r, message& m) const
{
    using rpc::detail::append_member;
    std::string inner;
    append_member(inner, "method", r.method);
    append_member(inner, "_unique_id", r.unique_id);
    (inner += ",\"args\":") += r.arguments;
    if (!r.to->name_space().empty())
        append_member(inner, "namespace", r.to->name_space());
    if (!r.to->version().empty())
        append_member(inner, "version", r.to->version());
    if (!r.id.empty()) {
        append_member(inner, "_msg_id", r.id);
        append_member(inner, "_reply_q", r.reply_to);
        // A number of whole seconds stays one: the server takes int() of it.
        append_member(inner, "_timeout", r.monitor.is_never() ? json() : json(r.monitor.count_ms() / 1000));
    }
    for (const auto& [key, value] : r.context->items())
        append_member(inner, "_context_" + key, value);
    inner += '}';
    leveret::oslo::envelop(inner, m);
    if (!r.id.empty()) {
        m.correlation_id(r.id); // oslo.messaging has none; here it tells which call came back
        if (r.timeout < duration::milliseconds(std::int64_t{1} << 32U)) // the broker's longest
            m.expiration(r.timeout);
    }
}

inline incoming_request oslo::decode_request(const received_message& m) const
{
    leveret::detail::check_uncoded(m.content_encoding);
    json inner = leveret::oslo::opened(m.body, m.content_type);
    incoming_request r;
    r.context = leveret::oslo::take_context(inner);
    r.id = leveret::oslo::text_of(inner, "_msg_id");
    r.reply_to = leveret::oslo::text_of(inner, "_reply_q");
    const auto text = [&](const char* key) {
        try {
            return leveret::oslo::text_of(inner, key);
        } catch (const decode_error& e) {
            r.wrong = e.what();
            return std::string();
        }
    };
    r.method = text("method");
    r.name_space = text("namespace");
    r.version = text("version");
    if (const auto at = inner.find("_unique_id"); at != inner.end() && at->is_string())
        r.unique_id = at->get<std::string>();
    if (const auto at = inner.find("_timeout"); at != inner.end() && at->is_number())
        if (const double seconds = at->get<double>(); seconds >= 0 && seconds < 1e9)
            r.monitor = duration::milliseconds(static_cast<std::int64_t>(seconds * 1000));
    if (const auto at = inner.find("args"); at != inner.end())
        r.arguments = std::move(*at);
    else
        r.arguments = json::object();
    if (!r.arguments.is_object())
        r.wrong = "args is " + std::string(kind_of(r.arguments)) + " and no object";
    if (r.id.empty() || r.reply_to.empty()) { // nobody can be told
        if (r.method.empty() && r.wrong.empty())
            r.wrong = "a request of oslo.messaging has a method";
        if (!r.wrong.empty())
            throw_decode_error(r.wrong);
    }
    return r;
}

inline json oslo::failure_text(const failure& f)
{
    std::string type = f.type();
    std::string module = f.module();
    if (f.kind() == failure_kind::no_such_method || f.kind() == failure_kind::unsupported_version) {
        type = f.kind() == failure_kind::no_such_method ? "NoSuchMethod" : "UnsupportedVersion";
        module = detail::oslo_dispatcher;
    } else if (f.kind() == failure_kind::invalid_arguments) {
        type = "TypeError";
        module = "builtins";
    } else if (module.empty()) {
        for (const detail::python_exception& e : detail::python_exceptions) {
            if (type == e.here) {
                type = e.there;
                module = "builtins";
            }
        }
        if (module.empty()) { // a:b:c is the class c of a module a.b, which no Python has: a RemoteError there
            const std::size_t colons = type.rfind("::");
            module = colons == type.npos ? "leveret" : type.substr(0, colons);
            type = colons == type.npos ? type : type.substr(colons + 2);
        }
    }
    json lines = json::array();
    if (!f.trace().empty())
        lines.push_back(f.trace());
    const json text = {{"class", type},   {"module", module},
                       {"message", f.message()}, {"tb", lines},
                       {"args", json::array({f.message()})}, {"kwargs", f.data().is_object() ? f.data() : json::object()}};
    return json(text.dump(-1, ' ', false, json::error_handler_t::replace));
}

inline failure oslo::read_failure(const std::string& text)
{
    json j;
    try {
        j = leveret::oslo::parse(text);
    } catch (const decode_error&) { // as any other that is no object
    }
    if (!j.is_object())
        return failure("", text);
    const auto part = [&j](const char* key) {
        const auto at = j.find(key);
        return at != j.end() && at->is_string() ? at->get<std::string>() : std::string();
    };
    failure f(part("class"), part("message"));
    f.module(part("module"));
    if (f.module() == detail::oslo_dispatcher) {
        if (f.type() == "NoSuchMethod")
            f.kind(failure_kind::no_such_method);
        else if (f.type() == "UnsupportedVersion")
            f.kind(failure_kind::unsupported_version);
    }
    if (const auto at = j.find("kwargs"); at != j.end() && at->is_object() && !at->empty())
        f.data(*at);
    std::string trace;
    if (const auto at = j.find("tb"); at != j.end() && at->is_array())
        for (const json& line : *at)
            if (line.is_string())
                trace += line.get_ref<const std::string&>();
    f.trace(std::move(trace));
    return f;
}

inline incoming_reply oslo::decode_reply(const received_message& m) const
{
    json inner = leveret::oslo::opened(m.body, m.content_type);
    incoming_reply reply;
    reply.id = leveret::oslo::text_of(inner, "_msg_id");
    if (const auto at = inner.find("failure"); at != inner.end() && !at->is_null() && *at != "")
        reply.failure = read_failure(at->is_string() ? at->get_ref<const std::string&>() : at->dump());
    const auto ending = inner.find("ending");
    reply.is_end = reply.failure || (ending != inner.end() && ending->is_boolean() && ending->get<bool>());
    if (const auto at = inner.find("result"); at != inner.end())
        reply.result = std::move(*at);
    return reply;
}

static_assert(format<oslo>);

} // namespace leveret::rpc::wire
