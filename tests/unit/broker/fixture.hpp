// A broker with clients that write down what they are told, as lines of text.
#pragma once

#include "leveret/broker/broker.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::test {

using lines = std::vector<std::string>;
namespace lb = leveret::broker;

/// One channel. Deliveries are "tag:body #delivery-tag", with "!" when redelivered.
class test_channel final : public lb::channel_listener {
public:
    explicit test_channel(lb::session& s) : channel_(std::move(*s.open_channel(*this))) {}

    lb::channel* operator->() const { return channel_.get(); }
    void close() { channel_.reset(); }

    /// What happened since this was asked last.
    lines take() { return std::exchange(events, {}); }

    lb::flow deliver(lb::consumer& to, const lb::delivery& d) noexcept override
    {
        events.push_back(to.tag() + ":" + std::string(d.message.body().view()) + " #" +
                         std::to_string(d.tag) + (d.redelivered ? "!" : ""));
        last = lb::message_ptr(&d.message);
        last_tag = d.tag;
        ++deliveries;
        return capacity > 0 && --capacity == 0 ? lb::flow::enough : lb::flow::more;
    }
    void returned(lb::stored_message& m, reply_code code, std::string_view text) noexcept override
    {
        events.push_back("returned " + std::to_string(static_cast<int>(code)) + " " +
                         std::string(text) + " " + std::string(m.body().view()));
    }
    void confirmed(std::uint64_t number, bool multiple, bool taken) noexcept override
    {
        events.push_back((taken ? "ack " : "nack ") + std::to_string(number) +
                         (multiple ? "+" : ""));
    }
    void consumer_cancelled(lb::consumer& c) noexcept override
    {
        events.push_back("cancelled " + c.tag());
    }

    void declare(std::string_view queue, const table& arguments = {})
    {
        ok(channel_->declare_queue({.name = queue, .arguments = &arguments}));
    }
    void publish(std::string_view exchange, std::string_view key, std::string_view body)
    {
        ok(channel_->publish({.exchange = exchange, .routing_key = key}, payload(body)));
    }
    void publish(std::string_view exchange, std::string_view key, std::string_view body,
                 const properties& p)
    {
        ok(channel_->publish({.exchange = exchange, .routing_key = key}, payload(body), p));
    }
    void bind(std::string_view exchange, std::string_view queue, std::string_view key,
              const table& arguments = {})
    {
        ok(channel_->bind_queue({.source = exchange,
                                 .destination = queue,
                                 .routing_key = key,
                                 .arguments = &arguments}));
    }
    void consume(std::string_view queue, std::string_view tag, bool no_ack = true,
                 const table& arguments = {})
    {
        ok(channel_->consume(
            {.queue = queue, .tag = tag, .no_ack = no_ack, .arguments = &arguments}));
    }
    std::size_t count(std::string_view queue)
    {
        return channel_->declare_queue({.name = queue, .passive = true})->message_count;
    }
    /// The body of the next message, taken without acknowledgement; "-" if there is none.
    std::string get(std::string_view queue)
    {
        auto got = channel_->get(queue, true);
        ok(got);
        if (!got->has_value())
            return "-";
        last = (*got)->message;
        return std::string(last->body().view());
    }
    /// All bodies in the queue, in order.
    std::string drain(std::string_view queue)
    {
        std::string all;
        for (std::string body = get(queue); body != "-"; body = get(queue))
            all += (all.empty() ? "" : " ") + body;
        return all;
    }
    static void ok(const lb::status& s)
    {
        if (!s)
            FAIL(s.error().text);
    }

    lines events;
    lb::message_ptr last;
    std::uint64_t last_tag = 0;
    std::size_t deliveries = 0;
    std::size_t capacity = 0; // deliveries until it has enough; 0: never

private:
    std::unique_ptr<lb::channel> channel_;
};

class test_session final : public lb::session_listener {
public:
    explicit test_session(lb::broker_core& b, std::string_view host = "/")
        : session_(std::move(*b.open_session(host, "guest", *this)))
    {
    }
    lb::session& operator*() const { return *session_; }
    lb::session* operator->() const { return session_.get(); }
    void close() { session_.reset(); }
    void blocked(std::string_view reason) noexcept override
    {
        events.push_back("blocked " + std::string(reason));
    }
    void unblocked() noexcept override { events.emplace_back("unblocked"); }
    lines take() { return std::exchange(events, {}); }

    lines events;

private:
    std::unique_ptr<lb::session> session_;
};

/// What most tests need: a broker, a session, a channel.
struct one_client {
    explicit one_client(const lb::options& o = {}) : broker(o), session(broker), channel(*session)
    {
    }

    void pass(duration d)
    {
        now = now + d;
        broker.tick(now);
    }

    lb::broker broker;
    instant now;
    test_session session;
    test_channel channel;
};

/// The error's text, with what it ends; "ok" if there is none.
inline std::string text(const lb::status& s)
{
    return s ? "ok" : (s.error().ends_connection ? "connection: " : "") + s.error().text;
}

} // namespace leveret::test
