#pragma once

#include "leveret/core/uri.hpp"
#include "leveret/tls/context.hpp"
#include "leveret/tls/environment.hpp"
#include "leveret/transport/amqp/connect.hpp"
#include "leveret/transport/connect_hook.hpp"

#include <asio/awaitable.hpp>

#include <string_view>

namespace leveret::tls {

/// Connects to an AMQP 0-9-1 broker over TLS, on the executor of the coroutine that awaits it.
///
///     auto connection = co_await lv::tls::connect("amqps://guest:guest@broker.example/", {.ca_file = "ca.pem"});
///
/// The URL may have cacertfile, certfile, keyfile, verify=verify_none and server_name_indication; options that are given
/// win over them. With `amqp://` there is no TLS. `auth_mechanism=EXTERNAL` logs in by the client's certificate. Throws
/// usage_error at once for a file that can't be used; connection_error, with a code of certificate_category(), for a server
/// whose certificate is not accepted; and what amqp::connect throws.
[[nodiscard]] inline asio::awaitable<amqp::connection> connect(std::string_view url, options o = {},
                                                               const amqp::connect_options& rest = {})
{
    const uri_result parsed = parse_uri(url);
    if (!parsed || parsed.value.scheme != uri_scheme::amqps)
        return amqp::connect(environment(), url, rest); // which says what is wrong
    const uri& u = parsed.value;
    const auto fill = [](std::string_view& option, std::string_view given) {
        if (option.empty())
            option = given;
    };
    fill(o.ca_file, u.cacertfile);
    fill(o.certificate_file, u.certfile);
    fill(o.key_file, u.keyfile);
    fill(o.server_name, u.server_name_indication);
    o.verify = o.verify && u.verify == tls_verify::peer;
    return amqp::connect(environment(client_context(o)), url, rest);
}

namespace detail {

inline asio::awaitable<amqp::connection> connect_by_url(std::string_view url, const amqp::connect_options& o)
{
    return tls::connect(url, {}, o);
}

/// From here on lv::connect takes amqps://.
inline const bool is_known_to_connect = [] {
    leveret::detail::connect_amqps = &connect_by_url;
    return true;
}();

} // namespace detail

} // namespace leveret::tls
