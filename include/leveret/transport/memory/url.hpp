// URLs of brokers in this process: memory://name[/virtual-host].
#pragma once

#include "leveret/core/uri.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::memory {

/// The parts of a memory:// URL, decoded.
class url {
public:
    url() = default;
    url(std::string broker, std::string vhost) : broker_(std::move(broker)), vhost_(std::move(vhost)) {}

    [[nodiscard]] const std::string& broker() const noexcept { return broker_; }
    /// The virtual host; "/" where the text names none.
    [[nodiscard]] const std::string& vhost() const noexcept { return vhost_; }

private:
    std::string broker_;
    std::string vhost_ = "/";
};

/// What parse_url found: a URL, or a sentence for the person who wrote it.
class url_result {
public:
    explicit url_result(url value) : value_(std::move(value)) {}
    explicit url_result(std::string error) : error_(std::move(error)) {}

    [[nodiscard]] explicit operator bool() const noexcept { return error_.empty(); }
    [[nodiscard]] const url& value() const noexcept { return value_; }
    /// Quotes nothing of the text, as leveret::uri_result::message: somebody may have put a password into it.
    [[nodiscard]] const std::string& message() const noexcept { return error_; }

private:
    url value_;
    std::string error_;
};

namespace detail {

/// Reads one part of a memory:// URL up to `/` or `?`, decoded; a sentence about what is wrong with it, or nothing.
[[nodiscard]] inline std::string take_url_part(std::string_view text, std::size_t& at, std::string& out)
{
    for (; at < text.size() && text[at] != '/' && text[at] != '?'; ++at) {
        char c = text[at];
        const std::string place = "memory URL, at offset " + std::to_string(at) + ": ";
        if (c == '%') {
            const int high = text.size() - at < 3 ? -1 : leveret::detail::uri_hex_value(text[at + 1]);
            const int low = text.size() - at < 3 ? -1 : leveret::detail::uri_hex_value(text[at + 2]);
            if (high < 0 || low < 0 || high + low == 0)
                return place + "two hexadecimal digits, which are not 00, must follow '%'; write a '%' that is meant "
                               "as %25";
            c = static_cast<char>(high * 16 + low);
            at += 2;
        } else if (!leveret::detail::is_uri_unreserved(c)) {
            return place + "this byte may not stand there as it is; write it percent-encoded (a ':' is %3A); a broker "
                           "in this process has no user, password or port";
        }
        out.push_back(c);
    }
    return {};
}

} // namespace detail

/// Reads `memory://name[/virtual-host]`. No text makes it throw (std::bad_alloc can be).
///
/// The name has 1 to 255 bytes; letters, digits and `-._~` stand as they are, everything else percent-encoded. A
/// missing or empty virtual host is "/", as in amqp://. There are no query parameters.
[[nodiscard]] inline url_result parse_url(std::string_view text)
{
    constexpr std::string_view scheme = "memory://";
    if (!text.starts_with(scheme))
        return url_result(std::string("memory URL: it does not begin with memory://; begin it so"));
    if (text.size() > max_uri_length)
        return url_result(std::string("memory URL: it is longer than 8192 bytes; shorten it"));
    std::size_t at = scheme.size();
    std::string name, vhost;
    if (std::string wrong = detail::take_url_part(text, at, name); !wrong.empty())
        return url_result(std::move(wrong));
    if (name.empty() || name.size() > 255)
        return url_result(std::string("memory URL: the broker's name must have 1 to 255 bytes: memory://demo"));
    if (at < text.size() && text[at] == '/')
        if (std::string wrong = detail::take_url_part(text, ++at, vhost); !wrong.empty())
            return url_result(std::move(wrong));
    if (vhost.size() > max_uri_vhost_length)
        return url_result(std::string("memory URL: the virtual host is longer than 255 bytes; shorten it"));
    if (at < text.size() && text[at] == '/')
        return url_result("memory URL, at offset " + std::to_string(at) +
                                 ": the path has a second '/'; write a '/' that belongs to the virtual host as %2F");
    if (at + 1 < text.size()) // a lone '?' says nothing
        return url_result("memory URL, at offset " + std::to_string(at + 1) +
                                 ": this query parameter is unknown; a broker in this process has none");
    return url_result(url(std::move(name), vhost.empty() ? "/" : std::move(vhost)));
}

} // namespace leveret::memory
