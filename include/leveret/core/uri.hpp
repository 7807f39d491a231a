// AMQP URIs: what a program is told about where and how to connect, as one line of text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace leveret {

// Lengths are in bytes, those of parts after decoding.
inline constexpr std::size_t max_uri_length = 8192;
inline constexpr std::size_t max_uri_hosts = 64;
inline constexpr std::size_t max_uri_host_length = 253;      ///< A name in the DNS.
inline constexpr std::size_t max_uri_user_length = 255;
inline constexpr std::size_t max_uri_password_length = 4096; ///< Has room for an OAuth token.
inline constexpr std::size_t max_uri_vhost_length = 255;     ///< An AMQP short string.
inline constexpr std::uint32_t min_uri_frame_max = 4096;     ///< The smallest frame_max but 0.

enum class uri_scheme : std::uint8_t { amqp, amqps };
enum class tls_verify : std::uint8_t { peer, none };

/// The port of a URI that names none.
constexpr std::uint16_t default_port(uri_scheme scheme) noexcept
{
    return scheme == uri_scheme::amqps ? 5671 : 5672;
}

/// One place to connect to. An IPv6 address stands without brackets, its zone after a '%'.
struct host_port {
    std::string host;
    std::uint16_t port = 0;

    host_port() = default;
    host_port(std::string name, std::uint16_t number)
        : host{std::move(name)}, port{number}
    {
    }
    bool operator==(const host_port&) const = default;
};

/// The parts of an AMQP URI, decoded, with defaults where the text named nothing.
///
/// A query parameter keeps its name and unit; an empty optional or string means: not given.
/// Source: the RabbitMQ URI specification, and the Erlang client's query parameters.
struct uri {
    uri_scheme scheme = uri_scheme::amqp;
    std::string user = "guest";
    std::string password = "guest";
    std::vector<host_port> hosts{host_port{"localhost", 5672}};
    std::string vhost = "/";

    std::optional<std::uint16_t> heartbeat;          ///< Seconds; 0: no heartbeats.
    std::optional<std::uint32_t> connection_timeout; ///< Milliseconds, 1 to 2147483647.
    std::optional<std::uint16_t> channel_max;        ///< 0: no limit of ours.
    std::optional<std::uint32_t> frame_max;          ///< Bytes; 0: no limit of ours.
    std::vector<std::string> auth_mechanisms;        ///< In order of preference, upper case.
    std::string cacertfile;
    std::string certfile;
    std::string keyfile;
    std::string server_name_indication;
    tls_verify verify = tls_verify::peer; ///< `none` only where the text says verify_none.

    uri() = default;
    bool operator==(const uri&) const = default;
};

// As aggregates these would be destroyed twice by g++ 12 when written in a co_await expression.
static_assert(!std::is_aggregate_v<host_port> && !std::is_aggregate_v<uri>);

enum class uri_errc : std::uint8_t {
    none,
    too_long,
    bad_scheme,
    bad_character,       ///< Not in the alphabet of URIs, or a bracket without an IPv6 address.
    bad_escape,          ///< '%' without two hexadecimal digits.
    null_byte,           ///< %00.
    unescaped_delimiter, ///< A '@' or ':' too many.
    user_too_long,
    password_too_long,
    empty_host, ///< Nothing beside a comma.
    bad_host,
    bad_port,
    too_many_hosts,
    vhost_too_long,
    several_segments, ///< A second '/' in the path.
    unknown_parameter,
    duplicate_parameter,
    bad_value,
    tls_parameter, ///< A parameter of TLS in a URI that is not amqps.
};

/// What parse_uri() found: a URI, or an error and its place.
struct uri_result {
    uri value; ///< After an error it has no hosts and nothing of the text.
    uri_errc error = uri_errc::none;
    std::size_t offset = 0;     ///< The byte of the text where the error was seen.
    std::string_view parameter; ///< The known query parameter the error is about, or empty.

    uri_result() = default;
    constexpr explicit operator bool() const noexcept { return error == uri_errc::none; }

    /// A sentence for the person who wrote the URI: what is wrong, where, and what to do.
    ///
    /// It quotes nothing of the text, since a delimiter not escaped in a password can put pieces of
    /// the password into any part.
    std::string message() const;
};

/// Reads `amqp[s]://[user[:password]@][host[:port][,host[:port]]...][/vhost][?name=value[&...]]`.
///
/// No text makes it throw (std::bad_alloc can be). What is absent gets the defaults of `uri`; an
/// empty user or password is empty, not absent. Where this is not the RabbitMQ URI specification:
/// - A lone slash (`amqp://host/`) names the virtual host "/", as for pika and amqplib; for the
///   Java client and lapin, and by the specification, it is the empty name. Write that one
///   `?vhost=`, with no path or a lone slash. `%2F` means "/" to every client; we print that.
/// - Several hosts, separated by commas, share user and virtual host.
/// - A '@' behind the hosts must be written %40. A bare one is seen when a password has a '/' or
///   '?' not escaped, and its tail would be used, and printed, as a virtual host.
/// - A port may not be empty. A '+' is a plus sign everywhere.
///
/// Query parameters: heartbeat, connection_timeout, channel_max, frame_max, auth_mechanism (may be
/// repeated); with amqps cacertfile, certfile, keyfile, verify, server_name_indication. Any other
/// is an error, as is one given twice; the password of a key file can't be given in a URI.
/// Source: RabbitMQ URI specification; RFC 3986; RFC 6874 (zones); RFC 4422 (mechanism names).
uri_result parse_uri(std::string_view text);

/// The URI for logs and errors: every part but the password, which is `***` whatever it is.
std::string to_string(const uri& value);

/// The URI with its password in clear. Never log it.
///
/// parse_uri() reads it back as the same value, unless escapes made it longer than max_uri_length.
std::string to_string_revealing_password(const uri& value);

namespace detail {

struct uri_parameter {
    std::string_view name;
    std::string_view expects;
    bool tls = false;
};

inline constexpr uri_parameter uri_parameters[] = {
    {"heartbeat", "a number of seconds from 0 (no heartbeats) to 65535"},
    {"connection_timeout", "a number of milliseconds from 1 to 2147483647"},
    {"channel_max", "a number from 0 (no limit) to 65535"},
    {"frame_max", "0 (no limit) or a number of bytes from 4096 to 4294967295"},
    {"auth_mechanism", "the name of a SASL mechanism, such as PLAIN or EXTERNAL"},
    {"cacertfile", "the path of a file", true},
    {"certfile", "the path of a file", true},
    {"keyfile", "the path of a file", true},
    {"verify", "verify_peer or verify_none", true},
    {"server_name_indication", "a host name", true},
    {"vhost", "empty, with no path (it names the empty virtual host; write others as host/name)"},
};

constexpr bool is_uri_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr bool is_uri_host_char(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_uri_digit(c) || c == '-' ||
           c == '.' || c == '_';
}

constexpr bool is_uri_unreserved(char c) noexcept { return is_uri_host_char(c) || c == '~'; }

// Appends bytes with everything escaped but the unreserved characters and those of `also`.
inline void append_uri_escaped(std::string& out, std::string_view bytes, std::string_view also = {})
{
    for (char c : bytes) {
        if (is_uri_unreserved(c) || also.find(c) != std::string_view::npos) {
            out.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.push_back('%');
            out.push_back("0123456789ABCDEF"[byte >> 4]);
            out.push_back("0123456789ABCDEF"[byte & 15]);
        }
    }
}

inline void append_uri_host(std::string& out, const host_port& item)
{
    const std::string_view host = item.host;
    if (host.find(':') == std::string_view::npos) {
        append_uri_escaped(out, host);
    } else {
        out.push_back('[');
        append_uri_escaped(out, host, ":");
        out.push_back(']');
    }
    out.push_back(':');
    out.append(std::to_string(item.port));
}

// The whole text, with `password` where the password belongs.
inline std::string uri_text(const uri& value, std::string_view password)
{
    std::string out = value.scheme == uri_scheme::amqps ? "amqps://" : "amqp://";
    append_uri_escaped(out, value.user);
    out.push_back(':');
    out.append(password);
    out.push_back('@');
    for (const auto& item : value.hosts) {
        if (&item != value.hosts.data()) out.push_back(',');
        append_uri_host(out, item);
    }
    out.push_back('/');
    append_uri_escaped(out, value.vhost);

    char mark = '?';
    const auto parameter = [&](std::string_view name, std::string_view text) {
        out.push_back(std::exchange(mark, '&'));
        out.append(name);
        out.push_back('=');
        append_uri_escaped(out, text, "/");
    };
    const auto number = [&](std::string_view name, const auto& option) {
        if (option) parameter(name, std::to_string(*option));
    };
    const auto text = [&](std::string_view name, const std::string& option) {
        if (!option.empty()) parameter(name, option);
    };
    if (value.vhost.empty()) parameter("vhost", {});
    number("heartbeat", value.heartbeat);
    number("connection_timeout", value.connection_timeout);
    number("channel_max", value.channel_max);
    number("frame_max", value.frame_max);
    for (const auto& mechanism : value.auth_mechanisms) parameter("auth_mechanism", mechanism);
    text("cacertfile", value.cacertfile);
    text("certfile", value.certfile);
    text("keyfile", value.keyfile);
    text("server_name_indication", value.server_name_indication);
    if (value.verify == tls_verify::none) parameter("verify", "verify_none");
    return out;
}

static_assert(max_uri_length == 8192 && max_uri_hosts == 64 && max_uri_host_length == 253 &&
                  max_uri_user_length == 255 && max_uri_password_length == 4096 &&
                  max_uri_vhost_length == 255,
              "uri_advice() names these numbers");

constexpr std::string_view uri_advice(uri_errc error) noexcept
{
    switch (error) {
    case uri_errc::none: return "nothing is wrong";
    case uri_errc::too_long: return "it is longer than 8192 bytes; shorten it";
    case uri_errc::bad_scheme: return "it does not begin with amqp:// or amqps://; begin it so";
    case uri_errc::bad_character:
        return "this byte may not stand there as it is; write it percent-encoded (a space is %20, "
               "'#' is %23), or a host's name in its ASCII form (xn--)";
    case uri_errc::bad_escape:
        return "two hexadecimal digits must follow '%'; write a '%' that is meant as %25";
    case uri_errc::null_byte: return "%00 is allowed in no part; remove it";
    case uri_errc::unescaped_delimiter:
        return "this '@' or ':' separates nothing; in a user, password, virtual host or parameter "
               "write '@' as %40, ':' as %3A, '/' as %2F and '?' as %3F";
    case uri_errc::user_too_long: return "the user is longer than 255 bytes; shorten it";
    case uri_errc::password_too_long: return "the password is longer than 4096 bytes; shorten it";
    case uri_errc::empty_host:
        return "a host is missing beside a comma; name it or remove the comma";
    case uri_errc::bad_host:
        return "this is no host; write a name of letters, digits, '-', '.' and '_' (253 bytes at "
               "most), an IPv4 address, or an IPv6 address in brackets";
    case uri_errc::bad_port:
        return "the port is not a number from 1 to 65535; correct it or remove the ':' (if this is "
               "meant as a password, write a '/' in it as %2F, and '@' and a host after it)";
    case uri_errc::too_many_hosts: return "there are more than 64 hosts; remove some";
    case uri_errc::vhost_too_long: return "the virtual host is longer than 255 bytes; shorten it";
    case uri_errc::several_segments:
        return "the path has a second '/'; write a '/' that belongs to the virtual host as %2F";
    case uri_errc::unknown_parameter: return "this query parameter is unknown; known are";
    case uri_errc::duplicate_parameter: return "is given twice; remove one";
    case uri_errc::bad_value: return "has a bad value; it must be";
    case uri_errc::tls_parameter:
        return "has no meaning without TLS; write amqps:// or remove it";
    }
    return "unknown error";
}

} // namespace detail

inline std::string to_string(const uri& value) { return detail::uri_text(value, "***"); }

inline std::string to_string_revealing_password(const uri& value)
{
    std::string password;
    detail::append_uri_escaped(password, value.password);
    return detail::uri_text(value, password);
}

inline std::string uri_result::message() const
{
    std::string out{"AMQP URI"};
    if (error != uri_errc::none) {
        out.append(", at offset ").append(std::to_string(offset));
    }
    out.append(": ");
    if (!parameter.empty()) out.append("the parameter ").append(parameter).append(" ");
    out.append(detail::uri_advice(error));
    if (error == uri_errc::unknown_parameter || error == uri_errc::bad_value) {
        char separator = ' ';
        for (const auto& known : detail::uri_parameters) {
            const bool is_listed = error == uri_errc::unknown_parameter;
            if (!is_listed && known.name != parameter) continue;
            if (std::exchange(separator, ',') == ',') out.push_back(',');
            out.append(" ").append(is_listed ? known.name : known.expects);
        }
    }
    return out;
}

} // namespace leveret

#include <leveret/core/detail/uri_parser.hpp> // defines parse_uri(); needs what stands above
