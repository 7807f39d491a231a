#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/json/value.hpp"
#include "leveret/rpc/failure.hpp"
#include "leveret/rpc/target.hpp"
#include "leveret/rpc/wire/format.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::rpc::wire {

/// AMQP's own means, as in RabbitMQ's tutorial: reply_to and correlation_id.
///
/// - A request is a body of JSON: an array of arguments, an object of named ones, or one that is neither. The property
///   `type` is the method (none: the method ""), `expiration` the milliseconds that its caller waits: the broker
///   drops one that waited so long in its queue, and a server cancels its handler after as many.
/// - Headers, if there is something to say: `namespace`, `version`, `context` (JSON as text).
/// - An answer is a body of JSON. That of a failure has the header `error` (error, no_such_method, unsupported_version,
///   invalid_arguments), and `error-type`, `error-module`, `error-message`, `error-trace`, `error-data` (JSON as text),
///   `error-expected`. Each is cut at 16 KiB, and longer data are left out.
/// - Requests go to the queue `topic` or `topic.server`, by the exchange of the target if it has one, and else by the
///   default exchange; those to all by the exchange `topic_fanout`. Queues go with their last server, unless `durable`.
struct plain {
    bool durable = false;         ///< requests and their queues outlive servers and brokers
    bool direct_reply_to = true;  ///< RabbitMQ's pseudo-queue; otherwise a queue for each client

    static constexpr bool arguments_by_name = false;
    static constexpr bool reads_headers = true;
    static constexpr bool says_at_work = false;
    static constexpr bool remembers_requests = false;
    static constexpr acknowledge acknowledgement = acknowledge::after;

    void encode_request(const outgoing_request& r, message& m) const;
    /// The same where `m` is another call of the same method, target, timeout and context.
    void encode_next(const outgoing_request& r, message& m) const { m.body(payload(r.arguments)).correlation_id(r.id); }
    [[nodiscard]] incoming_request decode_request(const received_message& m) const;
    void encode_result(const incoming_request& r, std::string_view unique_id, const json& result, message& m) const;
    void encode_failure(const incoming_request& r, std::string_view unique_id, const failure& f, message& m) const;
    /// Callers of this format don't ask for it.
    void encode_at_work(const incoming_request&, std::string_view, message&) const {}
    [[nodiscard]] incoming_reply decode_reply(const received_message& m) const;

    /// JSON, text that is perhaps JSON, or nothing said.
    static void check_type(const received_message& m);

    [[nodiscard]] std::string exchange(const target& t) const { return t.exchange(); }
    [[nodiscard]] std::string fanout_exchange(const target& t) const { return t.topic() + "_fanout"; }
    [[nodiscard]] std::string fanout_queue(const target& t, std::string_view id) const
    {
        return t.topic() + "_fanout_" + std::string(id);
    }
    [[nodiscard]] std::string reply_queue(std::string_view id) const
    {
        return direct_reply_to ? "amq.rabbitmq.reply-to" : "reply_" + std::string(id);
    }
    [[nodiscard]] bool declares_reply_queue() const { return !direct_reply_to; }
    [[nodiscard]] exchange_options exchange_settings() const { return {.durable = durable}; }
    [[nodiscard]] exchange_options fanout_exchange_settings() const { return {.auto_delete = true}; }
    [[nodiscard]] queue_options queue_settings() const { return {.durable = durable, .auto_delete = !durable}; }
    [[nodiscard]] queue_options fanout_queue_settings() const { return {.exclusive = true}; }
    [[nodiscard]] queue_options reply_queue_settings() const { return {.exclusive = true}; }
};
static_assert(safe_options<plain>);

inline void plain::encode_request(const outgoing_request& r, message& m) const
{
    m.body(payload(r.arguments)).content_type("application/json").type(r.method);
    if (!r.id.empty())
        m.correlation_id(r.id).reply_to(r.reply_to);
    if (r.timeout < duration::milliseconds(std::int64_t{1} << 32U)) // the broker's longest
        m.expiration(r.timeout);
    if (durable)
        m.persistent();
    if (!r.to->name_space().empty())
        m.header("namespace", r.to->name_space());
    if (!r.to->version().empty())
        m.header("version", r.to->version());
    if (!r.context->empty())
        m.header("context", json_text(*r.context));
}

inline void plain::check_type(const received_message& m)
{
    if (!m.content_type.empty() && !is_json(m.content_type) && !is_media_type(m.content_type, "text/"))
        throw_decode_error("requests and answers are JSON");
}

inline incoming_request plain::decode_request(const received_message& m) const
{
    incoming_request r;
    const auto text = [&m](std::string_view key) {
        const auto* value = m.headers.find(key);
        return value == nullptr ? std::string_view() : value->text();
    };
    try {
        leveret::detail::check_uncoded(m.content_encoding);
        check_type(m);
        r.arguments = parse_json(m.body);
        if (const std::string_view context = m.headers.empty() ? std::string_view() : text("context"); !context.empty())
            r.context = parse_json(context);
    } catch (const decode_error& e) {
        if (m.reply_to.empty() || m.correlation_id.empty())
            throw;
        r.wrong = e.what();
    }
    if (!r.arguments.is_structured()) { // as those of RabbitMQ's tutorial
        json list = json::array();
        list.push_back(std::move(r.arguments));
        r.arguments = std::move(list);
    }
    r.method = m.type;
    r.reply_to = m.reply_to;
    r.id = m.correlation_id;
    std::int64_t milliseconds = -1;
    const char* const end = m.expiration.data() + m.expiration.size();
    if (!m.expiration.empty() && std::from_chars(m.expiration.data(), end, milliseconds).ptr == end && milliseconds >= 0)
        r.timeout = duration::milliseconds(milliseconds);
    if (!m.headers.empty()) {
        r.name_space = text("namespace");
        r.version = text("version");
    }
    return r;
}

inline void plain::encode_result(const incoming_request& r, std::string_view, const json& result, message& m) const
{
    m.body(payload(json_text(result))).content_type("application/json").correlation_id(r.id);
}

inline void plain::encode_failure(const incoming_request& r, std::string_view, const failure& f, message& m) const
{
    constexpr std::size_t max_text = 16 * 1024;
    constexpr std::string_view kinds[] = {"error", "no_such_method", "unsupported_version", "invalid_arguments"};
    m.body(payload(std::string_view("null"))).content_type("application/json").correlation_id(r.id);
    m.header("error", kinds[static_cast<std::size_t>(f.kind())]);
    const auto add = [&m](std::string_view key, const std::string& text) {
        if (!text.empty())
            m.header(key, std::string_view(text).substr(0, max_text)); // a header must fit into one frame
    };
    add("error-type", f.type());
    add("error-module", f.module());
    add("error-message", f.message());
    add("error-trace", f.trace());
    if (!f.data().is_null())
        if (std::string data = f.data().dump(-1, ' ', false, json::error_handler_t::replace); data.size() <= max_text)
            m.header("error-data", std::move(data));
    if (f.is_expected())
        m.header("error-expected", true);
}

inline incoming_reply plain::decode_reply(const received_message& m) const
{
    incoming_reply reply;
    reply.id = m.correlation_id;
    const auto text = [&m](std::string_view key) {
        const auto* value = m.headers.find(key);
        return std::string(value == nullptr ? std::string_view() : value->text());
    };
    if (const std::string kind = text("error"); !kind.empty()) {
        failure f(text("error-type"), text("error-message"));
        f.module(text("error-module")).trace(text("error-trace"));
        f.kind(kind == "no_such_method"        ? failure_kind::no_such_method
               : kind == "unsupported_version" ? failure_kind::unsupported_version
               : kind == "invalid_arguments"   ? failure_kind::invalid_arguments
                                               : failure_kind::error);
        if (const std::string data = text("error-data"); !data.empty())
            if (json value = leveret::detail::try_parse_json(data); !value.is_discarded())
                f.data(std::move(value));
        const bool* expected = m.headers.find_as<bool>("error-expected");
        f.expected(expected != nullptr && *expected);
        reply.failure = std::move(f);
    } else {
        check_type(m);
        reply.text = m.body;
    }
    return reply;
}

static_assert(format<plain>);

} // namespace leveret::rpc::wire
