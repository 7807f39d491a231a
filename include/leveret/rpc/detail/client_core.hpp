#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/io/alarm.hpp"
#include "leveret/io/context_watch.hpp"
#include "leveret/io/doorbell.hpp"
#include "leveret/oslo/identity.hpp"
#include "leveret/rpc/detail/call_table.hpp"
#include "leveret/rpc/detail/client_settings.hpp"
#include "leveret/rpc/detail/pending_call.hpp"
#include "leveret/rpc/detail/received.hpp"
#include "leveret/rpc/error.hpp"
#include "leveret/rpc/wire/format.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <set>
#include <string>
#include <utility>

namespace leveret::rpc::detail {

/// What all clients of one reply queue share. One coroutine reads the answers, another what came back unroutable; both
/// begin with the first call and end with the last client.
template <channel Channel, wire::format Wire, io::environment Environment>
class client_core final : public local_counted, public io::context_watch {
public:
    client_core(Channel c, Wire w, Environment e)
        : channel(std::move(c)), executor(channel.get_executor()), wire(w), alarm(std::move(e), executor),
          identity(alarm.environment_of().random()), reply_to(wire.reply_queue(identity.next()))
    {
        watch(executor);
    }

    Channel channel;
    const asio::any_io_executor executor;
    Wire wire;
    io::alarm<Environment> alarm;
    oslo::identity identity;
    const std::string reply_to;
    std::uint64_t unknown_replies = 0;

    /// The request of a call, or of a cast, until the next is made.
    [[nodiscard]] const message& encode_call(const local_ptr<client_settings>& how, const std::string& method,
                                             std::string_view arguments, std::uint64_t number, duration timeout)
    {
        const std::string id = Wire::remembers_requests ? identity.text(number) : identity.short_text(number);
        wire::outgoing_request r;
        r.id = id;
        r.reply_to = reply_to;
        r.timeout = timeout;
        r.monitor = how->options.call_monitor;
        const bool is_usual = timeout == how->options.timeout;
        if constexpr (requires { wire.encode_next(r, request_); }) {
            if (is_usual && request_of_ == how && request_method_ == method) {
                r.arguments = arguments;
                wire.encode_next(r, request_);
                return request_;
            }
        }
        encode(*how, method, arguments, r);
        if (is_usual) {
            request_method_ = method;
            request_of_ = how;
        }
        return request_;
    }
    [[nodiscard]] const message& encode_cast(const client_settings& how, const std::string& method, std::string_view arguments)
    {
        wire::outgoing_request r;
        encode(how, method, arguments, r);
        return request_;
    }
    /// So that an idle client holds no more than this.
    void forget_large_request()
    {
        if (request_.body().size() <= kept_size)
            return;
        request_ = message();
        request_of_ = nullptr;
    }
    [[nodiscard]] std::size_t in_flight() const noexcept { return calls_.size(); }

    /// Registers a call for as long as it lives.
    class registered {
    public:
        registered(client_core& c, pending_call& p) : core_(c), call_(p) { core_.calls_.insert(p); }
        registered(const registered&) = delete;
        registered& operator=(const registered&) = delete;
        ~registered()
        {
            core_.calls_.erase(call_);
            core_.alarm.disarm(call_);
        }

    private:
        client_core& core_;
        pending_call& call_;
    };

    [[nodiscard]] bool is_ready() const noexcept { return is_ready_; }
    /// Starts to read answers, if nobody has. Calls are rung when that is so, or fail.
    void start()
    {
        if (is_reading_)
            return;
        is_reading_ = true;
        const local_ptr<client_core> self(this);
        asio::co_spawn(executor, read(self),
                       asio::bind_cancellation_slot(reading_.slot(),
                                                    [self](std::exception_ptr e) { self->reading_ended(std::move(e)); }));
    }
    /// Exchanges are declared once by each client, as servers do it.
    [[nodiscard]] bool has_declared(const std::string& exchange) const { return declared_.contains(exchange); }
    void mark_declared(const std::string& exchange) { declared_.insert(exchange); }

    /// The last client is gone, and with it all calls.
    void shut_down()
    {
        alarm.stop();
        if (std::exchange(is_shut_down_, true) || has_context_ended_)
            return;
        if (is_reading_)
            reading_.emit(asio::cancellation_type::terminal);
        if (takes_returns_)
            returns_.emit(asio::cancellation_type::terminal);
    }

private:
    void encode(const client_settings& how, const std::string& method, std::string_view arguments, wire::outgoing_request& r)
    {
        request_of_ = nullptr; // until it is encoded
        r.method = method;
        r.to = &how.target;
        r.arguments = arguments;
        r.context = &how.context;
        std::string unique;
        if constexpr (Wire::remembers_requests)
            unique = identity.next();
        r.unique_id = unique;
        request_.properties().clear();
        wire.encode_request(r, request_);
    }

    void context_ended() noexcept override
    {
        const local_ptr<client_core> self(this);
        has_context_ended_ = true;
        waits.destroy_all();
        alarm.context_ended();
    }

    static asio::awaitable<void> read(local_ptr<client_core> c)
    {
        if (c->wire.declares_reply_queue())
            co_await c->channel.declare_queue(c->reply_to, c->wire.reply_queue_settings());
        auto replies = co_await c->channel.consume(c->reply_to, {.prefetch = 0, .no_ack = true});
        c->is_ready_ = true;
        c->calls_.for_each([](pending_call& call) { call.bell.ring(); });
        if (!c->takes_returns_)
            c->start_returns();
        while (auto reply = co_await replies.next()) {
            std::size_t more = max_burst;
            do
                c->take(*reply);
            while (--more != 0 && (reply = replies.try_next()));
            if (more == 0)
                co_await asio::post(c->executor, asio::use_awaitable);
        }
    }
    template <class Delivery>
    void take(const Delivery& d)
    {
        try {
            with_received<Wire, received::reply>(d, [this](const auto& m) { settle(wire.decode_reply(m)); });
        } catch (const decode_error&) {
            answer_undecodable(d);
        }
    }
    void settle(wire::incoming_reply reply) // throws nothing
    {
        pending_call* const call = find(reply.id);
        if (call == nullptr || call->is_done) {
            ++unknown_replies; // late, or somebody's mistake
            return;
        }
        if (reply.result && !reply.result->is_null() && !call->result)
            call->result = std::move(reply.result);
        if (reply.is_end) {
            call->text = std::move(reply.text);
            call->failure = std::move(reply.failure);
            call->finish(executor);
        } else if (!call->monitor.is_never()) {
            arm(*call);
        }
    }
    /// The caller is better off with an error than with a timeout, if it can be told whose answer it was.
    template <class Delivery>
    void answer_undecodable(const Delivery& d)
    {
        const auto& p = d.properties();
        if (pending_call* const call = find(p.correlation_id())) {
            call->fail(std::make_exception_ptr(
                decode_error(make_error_code(errc::not_decodable), "rpc: the answer can't be read")));
        } else {
            ++unknown_replies;
        }
    }
    void reading_ended(std::exception_ptr e) noexcept
    {
        is_reading_ = is_ready_ = false;
        if (!e)
            e = std::make_exception_ptr(consumer_cancelled(make_error_code(errc::consumer_cancelled),
                                                           "rpc: the consumer of the answers has ended"));
        calls_.for_each([&e](pending_call& call) { call.fail(e); });
    }

    void start_returns()
    {
        takes_returns_ = true;
        const local_ptr<client_core> self(this);
        asio::co_spawn(executor, take_returns(self),
                       asio::bind_cancellation_slot(returns_.slot(), [self](std::exception_ptr) {
                           self->takes_returns_ = false; // the channel ended: those who read answers tell
                       }));
    }
    static asio::awaitable<void> take_returns(local_ptr<client_core> c)
    {
        for (;;) {
            const returned_message m = co_await c->channel.next_return();
            if (pending_call* const call = c->find(m.message().properties().correlation_id())) {
                leveret::diagnostics d;
                d.code = static_cast<std::uint16_t>(m.reply_code());
                d.text = m.reply_text();
                d.operation = "rpc.call";
                d.operation_fate = fate::refused;
                call->refuse(std::make_exception_ptr(
                    no_server(make_error_code(errc::no_server),
                              "rpc: no server has the queue '" + escaped(m.routing_key(), 128) + "'", std::move(d))));
            }
        }
    }

    [[nodiscard]] pending_call* find(std::string_view id) const noexcept
    {
        const std::uint64_t number = identity.number_of(id);
        return number == 0 ? nullptr : calls_.find(number);
    }

public:
    /// The nearer of the call's deadline and of the server's next sign of life.
    void arm(pending_call& call)
    {
        instant at = call.last;
        if (!call.monitor.is_never() && alarm.now() + call.monitor < at)
            at = alarm.now() + call.monitor;
        alarm.arm(call, at);
    }

    /// What is left of the time of a call that has `timeout`.
    [[nodiscard]] duration left_of(const pending_call& call, duration timeout)
    {
        return call.last == instant::never() ? timeout : std::max(call.last - alarm.now(), duration::milliseconds(1));
    }

    io::wait_list waits;

private:
    message request_; // the last: its memory is for the next, and what they have in common
    std::string request_method_;
    local_ptr<client_settings> request_of_; // whose call it was
    call_table calls_;
    std::set<std::string, std::less<>> declared_;
    asio::cancellation_signal reading_, returns_;
    bool is_reading_ = false, is_ready_ = false, takes_returns_ = false;
    bool is_shut_down_ = false, has_context_ended_ = false;
};

} // namespace leveret::rpc::detail
