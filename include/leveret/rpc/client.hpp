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
#include "leveret/rpc/detail/client_settings.hpp"
#include "leveret/rpc/detail/pending_call.hpp"
#include "leveret/rpc/error.hpp"
#include "leveret/rpc/target.hpp"
#include "leveret/rpc/version.hpp"
#include "leveret/rpc/wire/format.hpp"
#include "leveret/rpc/wire/plain.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>
#include <asio/error.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
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
        : life_(new life(local_ptr<core>(new core(std::move(c), w, std::move(e))))), settings_(new settings(w, t, o, json::object()))
    {
        check();
    }

    /// Calls a method and gives its result as an `R`; void takes any result. Arguments go by position, or all by name as
    /// rpc::arg. They are taken when this is called, and sent when it is awaited.
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
        return send_cast(method, detail::pack<Wire::arguments_by_name>(arguments...), target().fanout());
    }
    template <described_method M, class... A>
    [[nodiscard]] asio::awaitable<void> cast(const A&... arguments) const
    {
        check_method<M>();
        return send_cast(M::name, M::pack(arguments...), target().fanout());
    }
    /// The same to all servers of the topic.
    template <class... A>
    requires(detail::can_be_argument<A> && ...)
    [[nodiscard]] asio::awaitable<void> fanout_cast(std::string_view method, const A&... arguments) const
    {
        return send_cast(method, detail::pack<Wire::arguments_by_name>(arguments...), true);
    }
    template <described_method M, class... A>
    [[nodiscard]] asio::awaitable<void> fanout_cast(const A&... arguments) const
    {
        check_method<M>();
        return send_cast(M::name, M::pack(arguments...), true);
    }

    /// A client with another target or other options, and all else the same.
    [[nodiscard]] client prepare(prepare_options o) const
    {
        target_options t = target().options();
        t.exchange = o.exchange.value_or(t.exchange);
        t.topic = o.topic.value_or(t.topic);
        t.server = o.server.value_or(t.server);
        t.name_space = o.name_space.value_or(t.name_space);
        t.version = o.version.value_or(t.version);
        t.fanout = o.fanout.value_or(t.fanout);
        client_options other = options();
        other.timeout = o.timeout.value_or(other.timeout);
        other.call_monitor = o.call_monitor.value_or(other.call_monitor);
        other.retries = o.retries.value_or(other.retries);
        other.retry_interval = o.retry_interval.value_or(other.retry_interval);
        other.version_cap = o.version_cap.value_or(settings_->version_cap);
        return with(local_ptr<settings>(new settings(wire(), t, other, context())));
    }
    /// A client that tells servers this of itself, an object, with each request.
    [[nodiscard]] client with_context(json context) const
    {
        if (!context.is_object())
            throw_invalid_argument("rpc: a context is an object of JSON");
        client_options same = options();
        same.version_cap = settings_->version_cap;
        return with(local_ptr<settings>(new settings(wire(), target().options(), same, std::move(context))));
    }

    /// Whether servers of the version_cap, which are perhaps all that are there, serve this version of the target.
    [[nodiscard]] bool can_send_version(std::string_view version) const noexcept
    {
        const auto cap = version::parse(settings_->version_cap), wanted = version::parse(version);
        return settings_->version_cap.empty() || (wanted && is_compatible(*cap, *wanted));
    }
    [[nodiscard]] bool can_send_version() const noexcept { return can_send_version(target().version()); }

    [[nodiscard]] const rpc::target& target() const noexcept { return settings_->target; }
    [[nodiscard]] const json& context() const noexcept { return settings_->context; }
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

    using settings = detail::client_settings;

    [[nodiscard]] const client_options& options() const noexcept { return settings_->options; }
    [[nodiscard]] const Wire& wire() const noexcept { return life_->shared->wire; }
    [[nodiscard]] client with(local_ptr<settings> other) const
    {
        client c(*this);
        c.settings_ = std::move(other);
        c.check();
        return c;
    }
    void check() const
    {
        if (target().topic().empty())
            throw_invalid_argument("rpc: the target has no topic");
        if (!options().call_monitor.is_never() && !(Wire::says_at_work && options().call_monitor >= duration::seconds(2)))
            throw_invalid_argument(Wire::says_at_work ? "rpc: call_monitor is 2 s or more"
                                                      : "rpc: servers of this wire format don't say that they are at work");
        if (!version::parse(settings_->version_cap))
            throw_invalid_argument("rpc: version_cap is a version, as 1.4");
    }
    void check_version() const
    {
        if (!settings_->version_cap.empty() && !can_send_version())
            throw_invalid_argument("rpc: version " + escaped(target().version(), 32) +
                                   " is not one that servers of the client's version_cap serve, " +
                                   escaped(settings_->version_cap, 32));
    }
    template <class M>
    static constexpr void check_method()
    {
        static_assert(!Wire::arguments_by_name || M::has_names || M::arity == 0,
                      "leveret: this wire format passes arguments by name: the rpc::method has none");
    }

    template <class R>
    [[nodiscard]] asio::awaitable<R> send_call(std::string_view method, std::string arguments) const
    {
        if (target().fanout())
            throw_invalid_argument("rpc: a call goes to one server; a fanout target is for casts");
        check_version();
        return calling<R>(life_, settings_, std::string(method), std::move(arguments));
    }
    [[nodiscard]] asio::awaitable<void> send_cast(std::string_view method, std::string arguments, bool to_all) const
    {
        check_version();
        return casting(life_, settings_, std::string(method), std::move(arguments), to_all);
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
    static asio::awaitable<void> casting(local_ptr<life> alive, local_ptr<settings> how, std::string method,
                                         std::string arguments, bool to_all)
    {
        core& c = *alive->shared;
        const duration timeout = how->options.timeout;
        const std::string exchange = to_all ? c.wire.fanout_exchange(how->target) : how->exchange;
        const std::string key = to_all ? std::string() : how->routing_key;
        co_await declare(c, exchange, to_all, timeout);
        auto sending = c.channel.publish(exchange, key, c.encode_cast(*how, method, arguments), {.timeout = timeout});
        c.forget_large_request();
        co_await std::move(sending);
    }

    template <class R>
    static asio::awaitable<R> calling(local_ptr<life> alive, local_ptr<settings> how, std::string method, std::string arguments)
    {
        core& c = *alive->shared;
        const client_options& o = how->options;
        detail::pending_call call(c.waits, c.identity.next_number());
        const typename core::registered registered(c, call);
        call.last = c.alarm.now() + o.timeout;
        call.monitor = o.call_monitor;
        c.alarm.arm(call, call.last);
        bool is_later = !c.is_ready();
        if (is_later)
            c.start();
        while (!c.is_ready() && !call.is_done)
            awake(call, co_await call.bell.wait(), method, fate::never_sent);
        const std::string& exchange = how->exchange;
        const std::string& key = how->routing_key;
        for (std::size_t left = o.retries;; --left) {
            if (!call.is_done && !exchange.empty() && !c.has_declared(exchange)) {
                is_later = true;
                auto declaring = in_time(declare(c, exchange, false, c.left_of(call, o.timeout)), method);
                co_await std::move(declaring);
                awake(call, io::wake::rung, method, fate::never_sent);
            }
            if (!call.is_done) {
                publish_options sent;
                sent.mandatory = true;
                sent.timeout = o.timeout;
                if (is_later)
                    sent.timeout = c.left_of(call, o.timeout);
                if (const message& m = c.encode_call(how, method, arguments, call.number, sent.timeout);
                    !c.channel.try_publish(exchange, key, m, sent)) {
                    auto sending = in_time(c.channel.publish(exchange, key, m, sent), method);
                    co_await std::move(sending);
                }
                c.forget_large_request();
                awake(call, io::wake::rung, method, fate::unknown);
                if (!call.monitor.is_never())
                    c.arm(call);
            }
            while (!call.is_done)
                awake(call, co_await call.bell.wait(), method, fate::unknown);
            if (!call.is_refused || left == 0)
                break;
            co_await pause(c, call, method, o.retry_interval);
            is_later = true;
        }
        if (call.error)
            std::rethrow_exception(call.error);
        if (call.failure)
            throw_remote(std::move(*call.failure));
        if constexpr (!std::is_void_v<R>)
            co_return result_of<R>(call);
    }
    template <class R>
    [[nodiscard]] static R result_of(detail::pending_call& call)
    {
        if (call.text)
            return from_json_text<R>(*call.text);
        json null;
        json& result = call.result ? *call.result : null;
        if constexpr (std::same_as<R, json>)
            return std::move(result);
        else
            return json_to<R>(result);
    }
    /// What comes before a call is on its way ends as the call does when its time is over.
    static asio::awaitable<void> in_time(asio::awaitable<void> operation, const std::string& method)
    {
        bool is_late = false;
        try {
            co_await std::move(operation);
        } catch (const timeout_error&) {
            is_late = true;
        }
        if (is_late)
            throw_late(method, fate::never_sent);
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
    local_ptr<settings> settings_;
};

template <class Channel>
client(Channel, const target_options&, client_options = {}) -> client<Channel>;
template <class Channel, class Wire>
requires(!std::same_as<Wire, client_options>)
client(Channel, const target_options&, Wire, client_options = {}) -> client<Channel, Wire>;
template <class Channel, class Wire, class Environment>
client(Channel, const target_options&, Wire, client_options, Environment) -> client<Channel, Wire, Environment>;

} // namespace leveret::rpc
