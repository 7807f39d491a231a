#pragma once

#include "leveret/core/options.hpp"
#include "leveret/core/uri.hpp"
#include "leveret/engine/client_config.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/transport/amqp/connection.hpp"
#include "leveret/transport/amqp/detail/driver.hpp"
#include "leveret/transport/detail/throw_failure.hpp"

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::amqp {

/// Options of connect; they win over the parameters of the URL.
struct connect_options {
    /// For the whole handshake, from the connected socket to the open virtual host. 10 s.
    duration handshake_timeout = duration::seconds(10);
    /// For resolving and connecting to one host. 10 s, or the URL's connection_timeout.
    std::optional<duration> connection_timeout = {};
    /// Whole seconds, 0 for none; the server's by default.
    std::optional<duration> heartbeat = {};
    std::optional<std::uint16_t> channel_max = {}; ///< 0 for no limit; 2047 by default
    std::optional<std::uint32_t> frame_max = {};   ///< 4096 or more; 131072 by default
    /// Shown by the broker's management (client property connection_name).
    std::string_view connection_name = {};
    table_ref client_properties = {};        ///< more of them
    sasl_mechanism* mechanism = nullptr;     ///< instead of PLAIN, AMQPLAIN, EXTERNAL; outlives connect
    std::uint64_t max_message_size = wire::limits{}.message_size; ///< larger ones end the connection
    std::uint64_t max_unfinished = wire::limits{}.assembly_bytes; ///< of messages half received
    std::uint32_t max_table_depth = wire::limits{}.table_depth; ///< tables and arrays inside one another
    std::size_t output_high_water = 512 * 1024;      ///< publishing waits above it
    std::size_t backlog_high_water = 16 * 1024 * 1024; ///< reading waits above it: see consumer
};
static_assert(safe_options<connect_options>);

namespace detail {

/// Makes connections; what `connect` is made of.
class connector {
public:
    template <io::environment Environment>
    static asio::awaitable<connection> run(Environment environment, uri target,
                                           engine::client_config config, buffer_limits limits,
                                           duration connection_timeout)
    {
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        std::string problems;
        std::error_code last;
        for (const host_port& host : target.hosts) {
            local_ptr<driver<Environment>> driver(
                new detail::driver<Environment>(environment, executor, config));
            driver->limits = limits;
            const bool connected =
                co_await open(driver, host.host, host.port, connection_timeout, problems);
            if (!connected) {
                last = driver->open_error;
                continue;
            }
            // From here on the handle closes it, even if a cancellation keeps this from going on.
            connection result{local_ptr<connection_core>(driver)};
            co_return co_await handshake(std::move(driver), std::move(result));
        }
        leveret::diagnostics d;
        d.operation = "connect";
        d.operation_fate = fate::never_sent;
        throw connection_error(last, "no host could be reached: " + problems, std::move(d));
    }

private:
    template <class Driver>
    static asio::awaitable<bool> open(local_ptr<Driver> driver, std::string host, std::uint16_t port,
                                      duration timeout, std::string& problems)
    {
        timed_bell bell(driver->waits, driver->engine.deadlines());
        bell.arm(driver->deadline_after(timeout));
        driver->open(host, port, bell.bell);
        driver->rearm();
        const io::wake why = co_await bell.bell.wait();
        if (why != io::wake::rung)
            driver->stop_opening();
        if (why == io::wake::cancelled)
            throw_cancelled("connect", fate::never_sent);
        if (why == io::wake::timed_out)
            driver->open_error = make_error_code(errc::timed_out);
        if (!driver->open_error)
            co_return true;
        driver->stop_opening();
        problems += (problems.empty() ? "" : "; ") + escaped(host) + ":" + std::to_string(port) + ": " +
                    (why == io::wake::timed_out
                         ? "no connection within " + std::to_string(timeout.count_ms()) + " ms"
                         : driver->open_error.message());
        co_return false;
    }
    template <class Driver>
    static asio::awaitable<connection> handshake(local_ptr<Driver> driver, connection result)
    {
        io::doorbell bell(driver->waits);
        driver->start(bell);
        while (!driver->engine.is_open() && !driver->engine.reason()) {
            const io::wake why = co_await bell.wait();
            if (why == io::wake::cancelled)
                throw_cancelled("connect", fate::unknown);
        }
        if (driver->input_error)
            std::rethrow_exception(driver->input_error);
        if (!driver->engine.is_open())
            throw_failure(driver->engine.reason(), "", fate::refused);
        co_return std::move(result);
    }
};

[[nodiscard]] inline engine::client_config make_config(const uri& target, const connect_options& o)
{
    engine::client_config c;
    c.user = target.user;
    c.password = target.password;
    c.vhost = target.vhost;
    if (!target.auth_mechanisms.empty())
        c.mechanisms = target.auth_mechanisms;
    for (const std::string& m : c.mechanisms)
        if (m != "PLAIN" && m != "AMQPLAIN" && m != "EXTERNAL")
            throw_invalid_argument("connect: the mechanism '" + escaped(m) +
                                   "' is not built in (PLAIN, AMQPLAIN, EXTERNAL are): give it as "
                                   "connect_options::mechanism");
    c.custom_mechanism = o.mechanism;
    c.handshake_timeout = o.handshake_timeout;
    c.channel_max = o.channel_max.value_or(target.channel_max.value_or(c.channel_max));
    c.frame_max = o.frame_max.value_or(target.frame_max.value_or(c.frame_max));
    if (c.frame_max != 0 && c.frame_max < wire::frame_min_size)
        throw_invalid_argument("connect: frame_max must be 4096 or more");
    if (o.heartbeat) {
        const std::int64_t seconds = o.heartbeat->count_ms() / 1000;
        if (seconds < 0 || seconds > 65535 || (seconds == 0 && *o.heartbeat != duration()))
            throw_invalid_argument("connect: heartbeat must be whole seconds, 0 to 65535");
        c.heartbeat = static_cast<std::uint32_t>(seconds);
    } else if (target.heartbeat) {
        c.heartbeat = *target.heartbeat;
    }
    c.limits.message_size = o.max_message_size;
    c.limits.assembly_bytes = o.max_unfinished;
    c.limits.table_depth = o.max_table_depth;
    if (o.client_properties.get() != nullptr)
        c.client_properties = *o.client_properties.get();
    if (!o.connection_name.empty())
        c.client_properties.set("connection_name", o.connection_name);
    if (!wire::is_encodable(c.client_properties))
        throw_invalid_argument("connect: a name in client_properties is too long, or they are too deep");
    return c;
}

} // namespace detail

/// Connects to an AMQP 0-9-1 broker in an environment of the user's: see connect(url). One that says `is_secure()` has
/// streams of TLS, and takes amqps://.
template <io::environment Environment>
[[nodiscard]] asio::awaitable<connection> connect(Environment environment, std::string_view url,
                                                  connect_options o = {})
{
    uri_result parsed = parse_uri(url);
    if (!parsed)
        throw_invalid_argument("connect: " + parsed.message());
    bool is_secure = false;
    if constexpr (requires { { environment.is_secure() } -> std::same_as<bool>; })
        is_secure = environment.is_secure();
    if (parsed.value.scheme == uri_scheme::amqps && !is_secure)
        throw usage_error(make_error_code(errc::not_supported),
                          "connect: amqps:// needs TLS: include <leveret/tls.hpp>, link OpenSSL, and connect with "
                          "lv::tls::connect or lv::connect");
    engine::client_config config = detail::make_config(parsed.value, o);
    detail::buffer_limits limits;
    limits.output_high_water = o.output_high_water;
    limits.backlog_high_water = o.backlog_high_water;
    limits.backlog_hard_limit = o.backlog_high_water * 4;
    const duration timeout = o.connection_timeout.value_or(
        parsed.value.connection_timeout ? duration::milliseconds(*parsed.value.connection_timeout)
                                        : duration::seconds(10));
    return detail::connector::run(std::move(environment), std::move(parsed.value), std::move(config), limits,
                                  timeout);
}

/// Connects to an AMQP 0-9-1 broker, on the executor of the coroutine that awaits it.
///
///     auto connection = co_await lv::amqp::connect("amqp://guest:guest@localhost/");
///
/// The URL is RabbitMQ's (`amqp://user:password@host:port/vhost?heartbeat=10`); several hosts, separated
/// by commas, are tried in order until one answers; a missing or empty virtual host is "/", where RabbitMQ's
/// text would have "amqp://host/" mean one with an empty name, which nobody has. Completes when the virtual host is open. Throws
/// usage_error at once for a URL or option that can't be; connection_error with the resolver's or socket's
/// error when no host was reached, with the broker's code and text when it refused (403 for credentials,
/// 530 for a virtual host), with a protocol_errc when the server is no AMQP server; timeout_error;
/// operation_cancelled. Errors never hold the password.
[[nodiscard]] inline asio::awaitable<connection> connect(std::string_view url, connect_options o = {})
{
    return connect(io::asio_environment(), url, o);
}

} // namespace leveret::amqp
