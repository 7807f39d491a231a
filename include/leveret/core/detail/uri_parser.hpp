// The parser behind parse_uri(): from left to right, and the first error stays.
#pragma once

#include <leveret/core/uri.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace leveret {
namespace detail {

constexpr int uri_hex_value(char c) noexcept
{
    return is_uri_digit(c)        ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

constexpr std::optional<std::uint64_t> uri_number(std::string_view text, std::uint64_t low,
                                                  std::uint64_t high) noexcept
{
    std::uint64_t number = 0;
    for (char c : text) {
        if (!is_uri_digit(c)) return std::nullopt;
        number = number * 10 + static_cast<std::uint64_t>(c - '0');
        if (number > high) return std::nullopt;
    }
    if (text.empty() || number < low) return std::nullopt;
    return number;
}

constexpr bool is_uri_ipv4(std::string_view text) noexcept
{
    for (int part = 1;; ++part) {
        const auto digits = text.substr(0, text.find('.'));
        if (!uri_number(digits, 0, 255) || (digits.size() > 1 && digits[0] == '0')) return false;
        if (digits.size() == text.size()) return part == 4;
        text.remove_prefix(digits.size() + 1);
    }
}

constexpr bool is_uri_ipv6(std::string_view text) noexcept
{
    bool has_gap = text.starts_with("::");
    if (has_gap) text.remove_prefix(2);
    for (int groups = 0;;) {
        if (text.empty()) return has_gap && groups < 8;
        std::size_t length = 0;
        while (length < text.size() && uri_hex_value(text[length]) >= 0) ++length;
        if (length < text.size() && text[length] == '.')
            return is_uri_ipv4(text) && (has_gap ? groups < 6 : groups == 6);
        if (length == 0 || length > 4 || ++groups > 8) return false;
        text.remove_prefix(length);
        if (text.empty()) return has_gap ? groups < 8 : groups == 8;
        if (text[0] != ':' || text.size() == 1) return false;
        text.remove_prefix(1);
        if (text[0] != ':') continue;
        if (has_gap) return false;
        has_gap = true;
        text.remove_prefix(1);
    }
}

class uri_parser {
public:
    explicit uri_parser(std::string_view text) noexcept : text_{text} {}

    uri_result run()
    {
        if (parse())
            result_.value = std::move(value_);
        else
            result_.value.hosts.clear(); // nobody connects to the defaults by mistake
        return std::move(result_);
    }

private:
    static constexpr auto npos = std::string_view::npos;

    bool fail(uri_errc error, std::size_t offset, std::string_view parameter = {}) noexcept
    {
        if (result_) {
            result_.error = error;
            result_.offset = offset;
            result_.parameter = parameter;
        }
        return false;
    }

    // The place of c in [first, last), or last.
    std::size_t find(char c, std::size_t first, std::size_t last) const noexcept
    {
        while (first < last && text_[first] != c) ++first;
        return first;
    }

    bool parse()
    {
        if (text_.size() > max_uri_length) return fail(uri_errc::too_long, max_uri_length);
        for (std::size_t i = 0; i < text_.size(); ++i)
            if (!is_uri_unreserved(text_[i]) &&
                std::string_view{"!$&'()*+,;=%:/?@[]"}.find(text_[i]) == npos)
                return fail(uri_errc::bad_character, i);

        const auto first = text_.find("://");
        std::string scheme{text_.substr(0, first == npos ? 0 : first)};
        for (char& c : scheme)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (scheme != "amqp" && scheme != "amqps") return fail(uri_errc::bad_scheme, 0);
        if (scheme == "amqps") value_.scheme = uri_scheme::amqps;

        std::size_t authority = first + 3;
        const auto query = find('?', authority, text_.size());
        const auto path = find('/', authority, query);
        // Perhaps a password with a bare '/' or '?': read on, and its tail would be a vhost.
        const auto late_at = find('@', path, text_.size());
        if (late_at != text_.size()) return fail(uri_errc::unescaped_delimiter, late_at);
        const auto at = find('@', authority, path);
        if (at != path) {
            if (!user(authority, at)) return false;
            authority = at + 1;
        }
        return hosts(authority, path) && vhost(path, query) && parameters(query);
    }

    // Percent-decodes [first, last) into out.
    bool decode(std::size_t first, std::size_t last, std::string& out)
    {
        out.clear();
        for (; first < last; ++first) {
            char c = text_[first];
            if (c == '[' || c == ']') return fail(uri_errc::bad_character, first);
            if (c == '%') {
                const int high = last - first < 3 ? -1 : uri_hex_value(text_[first + 1]);
                const int low = last - first < 3 ? -1 : uri_hex_value(text_[first + 2]);
                if (high < 0 || low < 0) return fail(uri_errc::bad_escape, first);
                if (high + low == 0) return fail(uri_errc::null_byte, first);
                c = static_cast<char>(high * 16 + low);
                first += 2;
            }
            out.push_back(c);
        }
        return true;
    }

    bool user(std::size_t first, std::size_t at)
    {
        const auto colon = find(':', first, at);
        const auto extra = find(':', colon == at ? at : colon + 1, at);
        if (extra != at) return fail(uri_errc::unescaped_delimiter, extra);
        if (!decode(first, colon, value_.user)) return false;
        if (value_.user.size() > max_uri_user_length) return fail(uri_errc::user_too_long, first);
        if (colon == at) return true;
        if (!decode(colon + 1, at, value_.password)) return false;
        return value_.password.size() <= max_uri_password_length ||
               fail(uri_errc::password_too_long, colon + 1);
    }

    bool hosts(std::size_t first, const std::size_t end)
    {
        const auto extra = find('@', first, end);
        if (extra != end) return fail(uri_errc::unescaped_delimiter, extra);
        value_.hosts.clear();
        for (const auto start = first;; ++first) {
            const auto last = find(',', first, end);
            if (first == last && !(first == start && last == end))
                return fail(uri_errc::empty_host, first);
            if (value_.hosts.size() == max_uri_hosts) return fail(uri_errc::too_many_hosts, first);
            if (!one_host(first, last)) return false;
            first = last;
            if (last == end) return true;
        }
    }

    bool one_host(const std::size_t first, const std::size_t last)
    {
        host_port item{{}, default_port(value_.scheme)};
        auto colon = find(':', first, last);
        if (first < last && text_[first] == '[') {
            colon = find(']', first, last);
            if (colon == last || !address(first + 1, colon++, item.host))
                return fail(uri_errc::bad_host, first);
            if (colon < last && text_[colon] != ':') return fail(uri_errc::bad_host, colon);
        } else {
            if (!decode(first, colon, item.host)) return false;
            for (char c : item.host)
                if (!is_uri_host_char(c)) return fail(uri_errc::bad_host, first);
            if (item.host.size() > max_uri_host_length) return fail(uri_errc::bad_host, first);
            // An IPv6 address without brackets must not become a host and a port.
            if (colon < last && find(':', colon + 1, last) != last)
                return fail(uri_errc::bad_host, first);
        }
        if (item.host.empty()) item.host = "localhost";
        if (colon < last) {
            const auto port = uri_number(text_.substr(colon + 1, last - colon - 1), 1, 65535);
            if (!port) return fail(uri_errc::bad_port, colon + 1);
            item.port = static_cast<std::uint16_t>(*port);
        }
        value_.hosts.push_back(std::move(item));
        return true;
    }

    // What stands in brackets: an IPv6 address and perhaps %25 and a zone.
    bool address(std::size_t first, std::size_t last, std::string& out)
    {
        const auto percent = find('%', first, last);
        if (!is_uri_ipv6(text_.substr(first, percent - first))) return false;
        std::string zone;
        if (!decode(percent, last, zone)) return false;
        if (percent != last && (zone.size() < 2 || zone.size() > 64 || zone[0] != '%'))
            return false;
        for (std::size_t i = 1; i < zone.size(); ++i)
            if (!is_uri_unreserved(zone[i])) return false;
        out = std::string{text_.substr(first, percent - first)};
        out += zone;
        return true;
    }

    bool vhost(std::size_t slash, std::size_t end)
    {
        if (slash == end || slash + 1 == end) return true;
        const auto extra = find('/', slash + 1, end);
        if (extra != end) return fail(uri_errc::several_segments, extra);
        has_vhost_ = true;
        if (!decode(slash + 1, end, value_.vhost)) return false;
        return value_.vhost.size() <= max_uri_vhost_length ||
               fail(uri_errc::vhost_too_long, slash + 1);
    }

    bool parameters(std::size_t mark)
    {
        const auto end = text_.size();
        if (mark == end || mark + 1 == end) return true;
        unsigned seen = 0;
        for (std::size_t first = mark + 1;; ++first) {
            const auto last = find('&', first, end);
            const auto equals = find('=', first, last);
            const auto name = text_.substr(first, equals - first);
            unsigned index = 0;
            while (index < std::size(uri_parameters) && uri_parameters[index].name != name) ++index;
            if (index == std::size(uri_parameters)) return fail(uri_errc::unknown_parameter, first);
            const auto& known = uri_parameters[index];
            if (known.tls && value_.scheme != uri_scheme::amqps)
                return fail(uri_errc::tls_parameter, first, known.name);
            if ((seen & (1U << index)) != 0 && known.name != "auth_mechanism")
                return fail(uri_errc::duplicate_parameter, first, known.name);
            seen |= 1U << index;

            std::string text;
            if (!decode(equals == last ? last : equals + 1, last, text)) return false;
            if (equals == last || !assign(known.name, std::move(text), first))
                return fail(uri_errc::bad_value, first, known.name);
            first = last;
            if (last == end) return true;
        }
    }

    template <class Number>
    static bool number(std::optional<Number>& out, std::string_view text, std::uint64_t low,
                       std::uint64_t high) noexcept
    {
        if (const auto found = uri_number(text, low, high)) out = static_cast<Number>(*found);
        return out.has_value();
    }

    // Takes the value of a known parameter; false: it is not what the parameter expects, or failed.
    bool assign(std::string_view name, std::string&& text, std::size_t offset)
    {
        if (name == "heartbeat") return number(value_.heartbeat, text, 0, 65535);
        if (name == "connection_timeout")
            return number(value_.connection_timeout, text, 1, 2147483647);
        if (name == "channel_max") return number(value_.channel_max, text, 0, 65535);
        if (name == "frame_max")
            return number(value_.frame_max, text, 0, 4294967295) &&
                   (*value_.frame_max == 0 || *value_.frame_max >= min_uri_frame_max);
        if (name == "auth_mechanism") return mechanism(std::move(text), offset);
        if (name == "vhost") {
            value_.vhost.clear();
            return text.empty() && !has_vhost_;
        }
        if (text.empty()) return false;
        if (name == "verify") {
            if (text == "verify_none") value_.verify = tls_verify::none;
            return text == "verify_none" || text == "verify_peer";
        }
        if (name == "server_name_indication") {
            for (char c : text)
                if (!is_uri_host_char(c)) return false;
            value_.server_name_indication = std::move(text);
            return value_.server_name_indication.size() <= max_uri_host_length;
        }
        (name == "cacertfile" ? value_.cacertfile
         : name == "certfile" ? value_.certfile
                              : value_.keyfile) = std::move(text);
        return true;
    }

    // Names of mechanisms are upper case (RFC 4422, 3.1), but RabbitMQ's examples write plain.
    bool mechanism(std::string&& text, std::size_t offset)
    {
        for (char& c : text) {
            if (!is_uri_host_char(c) || c == '.') return false;
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        }
        if (text.empty() || text.size() > 20) return false;
        for (const auto& known : value_.auth_mechanisms)
            if (known == text)
                return fail(uri_errc::duplicate_parameter, offset, "auth_mechanism");
        value_.auth_mechanisms.push_back(std::move(text));
        return true;
    }

    std::string_view text_;
    uri value_;
    uri_result result_;
    bool has_vhost_ = false;
};

} // namespace detail

inline uri_result parse_uri(std::string_view text) { return detail::uri_parser{text}.run(); }

} // namespace leveret
