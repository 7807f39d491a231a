#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/json/convert.hpp"
#include "leveret/json/value.hpp"
#include "leveret/rpc/arguments.hpp"
#include "leveret/rpc/client_options.hpp"
#include "leveret/rpc/detail/client_core.hpp"
#include "leveret/rpc/detail/pending_call.hpp"
#include "leveret/rpc/error.hpp"
#include "leveret/rpc/target.hpp"
#include "leveret/rpc/version.hpp"
#include "leveret/rpc/wire/format.hpp"
#include "leveret/rpc/wire/plain.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>
#include <asio/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leveret::rpc {

/// Calls the methods of servers of a target, on a channel of any transport.
///
///     lv::rpc::client calc{channel, {.topic = "calc"}};
///     int n = co_await calc.call<int>("fib", 30);
///
///     lv::rpc::client nova{channel, {.topic = "compute"}, lv::rpc::wire::oslo{}};
///     co_await nova.cast("reboot", lv::rpc::arg("instance", 42));
///
/// A cheap handle: copies, and what `prepare` makes, share one consumer of answers, which begins with the first call and
/// ends with the last of them and of their calls. The messages that come back unroutable on the channel are the client's:
/// give it a channel on which nobody else waits for such, nor calls as another client. Thousands of calls may be in
/// flight.
/// Thread safety: the connection's executor.
template <channel Channel, wire::format Wire = wire::plain, io::environment Environment = io::asio_environment>
class client {
    using core = detail::client_core<Channel, Wire, Environment>;

public:
    /// Throws usage_error if the target has no topic, for a call_monitor that is too short or that the format lacks, and for a
    /// version_cap that is no version.
    client(Channel c, const target_options& t, client_options o = {})
        : client(std::move(c), t, Wire(), o)
    {
    }
    client(Channel c, const target_options& t, Wire w, client_options o = {}, Environment e = {})
        : life_(new life(local_ptr<core>(new core(std::move(c), w, std::move(e))))), target_(t), options_(o),
          version_cap_(o.version_cap)
    {
        options_.version_cap = {};
        settings_ = ++life_->shared->all_settings;
        check();
    }

    /// Calls a method and gives its result as an `R`, or nothing if that is void, whatever the result is. Arguments go by position, or all by
    /// name as rpc::arg. The request is encoded when this is called, and sent when it is awaited.
    ///
    /// Throws rpc::remote_error, or what derives from it, if the server answers with a failure; rpc::no_server if no
    /// queue is there for the target; rpc::timeout; decode_error if the result is no `R`; usage_error for a fanout
    /// target, a version above the cap and arguments that can't be sent; channel_error, connection_error if those end.
    /// Cancellation: waits no more; the server is not told, and goes on until the call's deadline.
    template <class R, class... A>
    requires(!described_method<R> && (detail::can_be_argument<A> && ...))
    [[nodiscard]] asio::awaitable<R> call(std::string_view method, const A&... arguments) const
    {
        return send_call<R>(method, detail::pack<Wire::arguments_by_name>(arguments...));
    }
    /// Calls a method of a shared interface: see rpc::method.
    template <described_method M, class... A>
    [[nodiscard]] asio::awaitable<typename M::result> call(const A&... arguments) const
    {
        check_method<M>();
        return send_call<typename M::result>(M::name, M::pack(arguments...));
    }

    /// Asks a server to do something, without an answer. Completes when the request is on its way; one that no queue is
    /// there for is lost, and nobody is told what the method throws. Throws usage_error, channel_error, connection_error;
    /// timeout_error if there was no room for it.
    template <class... A>
    requires(detail::can_be_argument<A> && ...)
    [[nodiscard]] asio::awaitable<void> cast(std::string_view method, const A&... arguments) const
    {
        return send_cast(method, detail::pack<Wire::arguments_by_name>(arguments...), target_.fanout());
    }
    template <described_method M, class... A>
    [[nodiscard]] asio::awaitable<void> cast(const A&... arguments) const
    {
        check_method<M>();
        return send_cast(M::name, M::pack(arguments...), target_.fanout());
    }
    /// The same to all servers of the topic.
    template <class... A>
    requires(detail::can_be_argument<A> && ...)
    [[nodiscard]] asio::awaitable<void> fanout_cast(std::string_view method, const A&... arguments) const
    {
        return send_cast(method, detail::pack<Wire::arguments_by_name>(arguments...), true);
    }

    /// A client with another target or other options, and all else the same.
    [[nodiscard]] client prepare(prepare_options o) const
    {
        target_options t = target_.options();
        t.exchange = o.exchange.value_or(t.exchange);
        t.topic = o.topic.value_or(t.topic);
        t.server = o.server.value_or(t.server);
        t.name_space = o.name_space.value_or(t.name_space);
        t.version = o.version.value_or(t.version);
        t.fanout = o.fanout.value_or(t.fanout);
        client c(*this);
        c.target_ = rpc::target(t);
        c.options_.timeout = o.timeout.value_or(options_.timeout);
        c.options_.call_monitor = o.call_monitor.value_or(options_.call_monitor);
        c.options_.retries = o.retries.value_or(options_.retries);
        c.options_.retry_interval = o.retry_interval.value_or(options_.retry_interval);
        if (o.version_cap)
            c.version_cap_ = *o.version_cap;
        c.settings_ = ++life_->shared->all_settings;
        c.check();
        return c;
    }
    /// A client that tells servers this of itself, an object, with each request.
    [[nodiscard]] client with_context(json context) const
    {
        if (!context.is_object())
            throw_invalid_argument("rpc: a context is an object of JSON");
        client c(*this);
        c.context_ = std::move(context);
        c.settings_ = ++life_->shared->all_settings;
        return c;
    }

    /// Whether servers of the version_cap, which are perhaps all that are there, serve this version of the target.
    [[nodiscard]] bool can_send_version(std::string_view version) const noexcept
    {
        const auto cap = version::parse(version_cap_), wanted = version::parse(version);
        return version_cap_.empty() || (wanted && is_compatible(*cap, *wanted));
    }
    [[nodiscard]] bool can_send_version() const noexcept { return can_send_version(target_.version()); }

    [[nodiscard]] const rpc::target& target() const noexcept { return target_; }
    [[nodiscard]] const json& context() const noexcept { return context_; }
    /// Calls that wait for their answers, of all clients that share them.
    [[nodiscard]] std::size_t in_flight() const noexcept { return life_->shared->in_flight(); }
    /// Answers to calls that nobody waited for, or that never were.
    [[nodiscard]] std::uint64_t unknown_replies() const noexcept { return life_->shared->unknown_replies; }

private:
    /// Those who keep the core at work: clients and calls.
    struct life : local_counted {
        explicit life(local_ptr<core> c) : shared(std::move(c)) {}
        life(const life&) = delete;
        life& operator=(const life&) = delete;
        ~life() { shared->shut_down(); }
        local_ptr<core> shared;
    };

    void check() const
    {
        if (target_.topic().empty())
            throw_invalid_argument("rpc: the target has no topic");
        if (!options_.call_monitor.is_never() && !(Wire::says_at_work && options_.call_monitor >= duration::seconds(2)))
            throw_invalid_argument(Wire::says_at_work ? "rpc: call_monitor is 2 s or more"
                                                      : "rpc: servers of this wire format don't say that they are at work");
        if (!version::parse(version_cap_))
            throw_invalid_argument("rpc: version_cap is a version, as 1.4");
    }
    void check_version() const
    {
        if (!can_send_version())
            throw_invalid_argument("rpc: version " + escaped(target_.version(), 32) + " is not one that servers of the client's version_cap serve, " +
                                   escaped(version_cap_, 32));
    }
    template <class M>
    static constexpr void check_method()
    {
        static_assert(!Wire::arguments_by_name || M::has_names || M::arity == 0,
                      "leveret: this wire format passes arguments by name: the rpc::method has none");
    }

    /// What a call is sent again by.
    struct repetition {
        std::string exchange, routing_key;
        message what;
        publish_options options;
    };
    template <class R>
    [[nodiscard]] asio::awaitable<R> send_call(std::string_view method, const std::string& arguments) const
    {
        if (target_.fanout())
            throw_invalid_argument("rpc: a call goes to one server; a fanout target is for casts");
        check_version();
        core& c = *life_->shared;
        const std::uint64_t number = c.identity.next_number();
        const std::string id = Wire::remembers_requests ? c.identity.text(number) : c.identity.short_text(number);
        std::string exchange = c.wire.exchange(target_);
        const message& m = encode(method, arguments, id);
        publish_options o;
        o.mandatory = true;
        o.timeout = options_.timeout;
        const std::string key = routing_key();
        std::unique_ptr<repetition> again;
        if (options_.retries != 0)
            again = std::make_unique<repetition>(repetition{exchange, key, m, o});
        auto sending = c.channel.publish(exchange, key, m, o);
        c.forget_large_request();
        return calling<R>(life_, number, std::move(exchange), std::move(sending), std::string(method), options_, std::move(again));
    }
    [[nodiscard]] asio::awaitable<void> send_cast(std::string_view method, const std::string& arguments, bool to_all) const
    {
        check_version();
        core& c = *life_->shared;
        const message& m = encode(method, arguments, {});
        std::string exchange = to_all ? c.wire.fanout_exchange(target_) : c.wire.exchange(target_);
        const std::string key = to_all ? std::string() : routing_key();
        auto sending = c.channel.publish(exchange, key, m, {.timeout = options_.timeout});
        c.forget_large_request();
        return casting(life_, exchange, to_all, options_.timeout, std::move(sending));
    }
    [[nodiscard]] std::string routing_key() const
    {
        return target_.server().empty() ? target_.topic() : target_.topic() + "." + target_.server();
    }
    /// Until the next.
    [[nodiscard]] const message& encode(std::string_view method, std::string_view arguments, std::string_view id) const
    {
        core& c = *life_->shared;
        wire::outgoing_request r;
        r.method = method;
        r.to = &target_;
        r.arguments = arguments;
        r.context = &context_;
        r.id = id;
        std::string unique;
        if constexpr (Wire::remembers_requests)
            unique = c.identity.next();
        r.unique_id = unique;
        if (!id.empty()) {
            r.reply_to = c.reply_to;
            r.timeout = options_.timeout;
            r.monitor = options_.call_monitor;
        }
        if constexpr (requires { c.wire.encode_next(r, c.request); }) {
            if (!id.empty() && c.request_settings == settings_ && c.request_method == method) {
                c.wire.encode_next(r, c.request);
                return c.request;
            }
            c.request_settings = 0; // until it is encoded
            c.request_method = method;
        }
        c.request.properties().clear();
        c.wire.encode_request(r, c.request);
        c.request_settings = id.empty() ? 0 : settings_;
        return c.request;
    }

    static asio::awaitable<void> declare(core& c, std::string exchange, bool to_all, duration timeout)
    {
        if (exchange.empty() || (!to_all && c.has_declared(exchange)))
            co_return; // one that goes with its last server is declared each time
        exchange_options settings = to_all ? c.wire.fanout_exchange_settings() : c.wire.exchange_settings();
        settings.timeout = timeout;
        co_await c.channel.declare_exchange(exchange, to_all ? exchange_type::fanout : exchange_type::topic, settings);
        if (!to_all && !settings.auto_delete)
            c.mark_declared(exchange);
    }
    static asio::awaitable<void> casting(local_ptr<life> alive, std::string exchange, bool to_all, duration timeout,
                                         asio::awaitable<void> sending)
    {
        co_await declare(*alive->shared, std::move(exchange), to_all, timeout);
        co_await std::move(sending);
    }

    template <class R>
    static asio::awaitable<R> calling(local_ptr<life> alive, std::uint64_t number, std::string exchange,
                                      asio::awaitable<void> sending, std::string method, client_options o,
                                      std::unique_ptr<repetition> again)
    {
        core& c = *alive->shared;
        detail::pending_call call(c.waits, number);
        const typename core::registered registered(c, call);
        call.last = c.alarm.now() + o.timeout;
        call.monitor = o.call_monitor;
        c.alarm.arm(call, call.last);
        if (!c.is_ready())
            c.start();
        while (!c.is_ready() && !call.is_done)
            awake(call, co_await call.bell.wait(), method, fate::never_sent);
        if (!call.is_done && !exchange.empty() && !c.has_declared(exchange)) {
            co_await declare(c, std::move(exchange), false, o.timeout);
            awake(call, io::wake::rung, method, fate::never_sent);
        }
        for (std::size_t left = o.retries;; --left) {
            if (!call.is_done) {
                bool had_room = true;
                try {
                    co_await std::move(sending);
                } catch (const timeout_error&) {
                    had_room = false;
                }
                if (!had_room)
                    throw_late(method, fate::never_sent);
                awake(call, io::wake::rung, method, fate::unknown);
                if (!call.monitor.is_never())
                    c.arm(call);
            }
            while (!call.is_done)
                awake(call, co_await call.bell.wait(), method, fate::unknown);
            if (!call.is_refused || left == 0)
                break;
            co_await pause(c, call, method, o.retry_interval);
            if (!call.is_done && !again->exchange.empty() && !c.has_declared(again->exchange)) {
                co_await declare(c, again->exchange, false, o.timeout);
                awake(call, io::wake::rung, method, fate::refused);
            }
            if (!call.is_done)
                sending = send_again(c, *again, call.last);
        }
        if (call.error)
            std::rethrow_exception(call.error);
        if (call.failure)
            throw_remote(std::move(*call.failure));
        if constexpr (!std::is_void_v<R>) {
            if (call.text)
                co_return from_json_text<R>(*call.text);
            if constexpr (std::same_as<R, json>)
                co_return std::move(call.result);
            else
                co_return json_to<R>(call.result);
        }
    }
    /// Before a call that no server was there for is sent again. Throws that there was none when its time ends meanwhile.
    static asio::awaitable<void> pause(core& c, detail::pending_call& call, const std::string& method, duration interval)
    {
        struct disarmed {
            ~disarmed() { c.alarm.disarm(node); }
            core& c;
            detail::retry_pause node;
        } until{c, detail::retry_pause(call)};
        const std::exception_ptr why = call.error;
        if (call.is_late)
            std::rethrow_exception(why);
        call.start_again();
        c.alarm.arm(call, call.last); // no server is there to be monitored
        c.alarm.arm(until.node, c.alarm.now() + interval);
        while (!until.node.has_passed && !call.is_done) {
            const io::wake woken = co_await call.bell.wait();
            if (call.is_late && !call.is_done)
                std::rethrow_exception(why);
            awake(call, woken, method, fate::refused);
        }
    }
    /// With the time that remains.
    static asio::awaitable<void> send_again(core& c, repetition& r, instant last)
    {
        if (last != instant::never()) {
            r.options.timeout = std::max(last - c.alarm.now(), duration::milliseconds(1));
            if (r.what.properties().has(property::expiration))
                r.what.expiration(r.options.timeout);
        }
        return c.channel.publish(r.exchange, r.routing_key, r.what, r.options);
    }
    static void awake(const detail::pending_call& call, io::wake why, const std::string& method, fate what)
    {
        if (call.is_done)
            return;
        if (call.is_late)
            throw_late(method, what);
        if (why == io::wake::cancelled) {
            leveret::diagnostics d;
            d.operation = "rpc.call";
            throw operation_cancelled(asio::error::operation_aborted, "rpc.call was cancelled", std::move(d));
        }
    }
    [[noreturn]] static void throw_late(const std::string& method, fate what)
    {
        leveret::diagnostics d;
        d.operation = "rpc.call";
        d.operation_fate = what;
        throw timeout(make_error_code(errc::timed_out),
                      "rpc: no answer to '" + escaped(method, 64) + "' before the deadline", std::move(d));
    }

    local_ptr<life> life_;
    rpc::target target_;
    client_options options_;
    std::string version_cap_;
    json context_ = json::object();
    std::uint64_t settings_ = 0; // which of them a request was made with
};

template <class Channel>
client(Channel, const target_options&, client_options = {}) -> client<Channel>;
template <class Channel, class Wire>
requires(!std::same_as<Wire, client_options>)
client(Channel, const target_options&, Wire, client_options = {}) -> client<Channel, Wire>;
template <class Channel, class Wire, class Environment>
client(Channel, const target_options&, Wire, client_options, Environment) -> client<Channel, Wire, Environment>;

} // namespace leveret::rpc
