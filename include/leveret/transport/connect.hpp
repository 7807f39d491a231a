#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/uri.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/transport/amqp/connect.hpp"
#include "leveret/transport/amqp/publisher.hpp"
#include "leveret/transport/any/connection.hpp"
#include "leveret/transport/connect_hook.hpp"
#include "leveret/transport/memory/broker.hpp"
#include "leveret/transport/memory/publisher.hpp"
#include "leveret/transport/memory/url.hpp"

#include <asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace leveret {

/// Options of connect(url), for each transport its own.
struct connect_options {
    amqp::connect_options amqp = {};          ///< of amqp://, amqps:// and rabbit://
    leveret::broker::options memory = {};     ///< of the broker that memory:// makes if it is not there
};
static_assert(safe_options<connect_options>);

namespace detail {

template <transport T>
asio::awaitable<any_connection> erased(asio::awaitable<T> connecting)
{
    T connection = co_await std::move(connecting);
    co_return any_connection(std::move(connection));
}

/// In lower case, without `://`; empty if there is none.
[[nodiscard]] inline std::string scheme_of(std::string_view url)
{
    const std::size_t end = url.find("://");
    std::string scheme(url.substr(0, end == url.npos ? 0 : end));
    for (char& c : scheme)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return scheme;
}

/// A transport URL of oslo.messaging (rabbit://) as one of AMQP: all behind the first '/' of its path is the virtual
/// host, and its hosts may each have credentials, which must be the same.
[[nodiscard]] inline std::string amqp_of_rabbit(std::string_view url)
{
    std::string_view rest = url.substr(url.find("://") + 3);
    const std::size_t query = rest.find('?');
    const std::string_view parameters = query == rest.npos ? std::string_view() : rest.substr(query);
    rest = rest.substr(0, query);
    const std::size_t slash = rest.find('/');
    std::string_view hosts = rest.substr(0, slash);
    std::string out = "amqp://";
    const std::size_t at = hosts.find('@');
    const std::string_view credentials = at == hosts.npos ? std::string_view() : hosts.substr(0, at + 1);
    for (bool is_first = true; !hosts.empty(); is_first = false) {
        const std::size_t comma = hosts.find(',');
        std::string_view host = hosts.substr(0, comma);
        hosts.remove_prefix(comma == hosts.npos ? hosts.size() : comma);
        if (!is_first && !credentials.empty() && host.starts_with(credentials))
            host.remove_prefix(credentials.size());
        if (host.ends_with(':')) // as oslo.messaging's own parser has it: the usual port
            host.remove_suffix(1);
        out += host;
        if (!hosts.empty()) {
            out.push_back(',');
            hosts.remove_prefix(1);
        }
    }
    if (slash != rest.npos) {
        out.push_back('/');
        for (const char c : rest.substr(slash + 1)) {
            if (c == '/')
                out += "%2F";
            else
                out.push_back(c);
        }
    }
    out += parameters;
    return out;
}

/// The broker's life is the connection's.
inline asio::awaitable<memory::connection> connect_to(memory::broker b, std::string virtual_host)
{
    co_return co_await memory::connect(b, {.virtual_host = virtual_host});
}

} // namespace detail

/// Connects in an environment of the user's: see connect(url). A broker that memory:// makes is of the environment of
/// whoever came first.
template <io::environment Environment>
[[nodiscard]] asio::awaitable<any_connection> connect(Environment environment, std::string_view url,
                                                      connect_options o = {})
{
    const std::string scheme = detail::scheme_of(url);
    if constexpr (std::same_as<Environment, io::asio_environment>)
        if (scheme == "amqps" && detail::connect_amqps != nullptr)
            return detail::erased(detail::connect_amqps(url, o.amqp));
    if (scheme == "amqp" || scheme == "amqps")
        return detail::erased(amqp::connect(std::move(environment), url, o.amqp));
    if (scheme == "rabbit") {
        const std::string as_amqp = detail::amqp_of_rabbit(url);
        uri_result parsed = parse_uri(as_amqp);
        parsed.offset += parsed.offset != 0 ? 2U : 0U; // in what the user wrote, but for what was rewritten
        if (!parsed)
            throw_invalid_argument("connect: " + parsed.message());
        return detail::erased(amqp::connect(std::move(environment), as_amqp, o.amqp));
    }
    if (scheme == "memory") {
        const memory::url_result parsed = memory::parse_url("memory" + std::string(url.substr(scheme.size())));
        if (!parsed)
            throw_invalid_argument("connect: " + parsed.message());
        auto broker = memory::broker::of_name(std::move(environment), parsed.value().broker(), o.memory);
        return detail::erased(detail::connect_to(std::move(broker), parsed.value().vhost()));
    }
    throw_invalid_argument("connect: the URL's scheme is not known; known are memory://, amqp://, amqps:// and "
                           "rabbit://");
}

/// Connects to a broker by whatever transport the URL names, on the executor of the coroutine that awaits it.
///
///     auto connection = co_await lv::connect("amqp://guest:guest@localhost/");
///
/// - `amqp://user:password@host:port/vhost`, also with several hosts: see amqp::connect. `rabbit://` is the same,
///   as oslo.messaging writes it: all of the path behind its first slash is the virtual host, `//` that of the name "/", and
///   each host may repeat the credentials.
/// - `amqps://` is the same over TLS, with the system's certificate authorities unless the URL has others
///   (`?cacertfile=ca.pem`), for programs that include <leveret/tls.hpp>; others refuse it with errc::not_supported.
/// - `memory://name` or `memory://name/vhost` is the broker of that name in this process: one that the program made
///   (`lv::memory::broker broker{"name"}`), or else one that this call makes, which lives as long as a connection
///   to it: the last one takes its queues along. It has the virtual host "/"; others only its maker can add.
///
/// Throws usage_error at once for a URL that can't be, an unknown scheme and unknown parameters among them, and what
/// the transport's own connect throws.
[[nodiscard]] inline asio::awaitable<any_connection> connect(std::string_view url, connect_options o = {})
{
    return connect(io::asio_environment(), url, o);
}

} // namespace leveret
