#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/options.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::rpc {

/// A target as it is written in a call: views, which live to the end of the call.
struct target_options {
    std::string_view exchange = {};   ///< "" is the wire format's: see rpc::wire
    std::string_view topic = {};      ///< what the service is called
    std::string_view server = {};     ///< one of its servers; "" is any
    std::string_view name_space = {}; ///< of methods; "" is none
    std::string_view version = {};    ///< wanted or offered, `major.minor`; "" is 1.0
    bool fanout = false;              ///< all of its servers
};
static_assert(safe_options<target_options>);

/// Who is called, or who a server is: the model of oslo.messaging. A value.
///
/// As text it is `[exchange/]topic[@server][;namespace=...][;version=...][;fanout]`, with what would be mistaken for
/// one of `/ @ ; = %` written as `%` and two hexadecimal digits.
class target {
public:
    target() = default;
    target(const target_options& o) // NOLINT: implicit on purpose
        : exchange_(o.exchange), topic_(o.topic), server_(o.server), name_space_(o.name_space), version_(o.version),
          fanout_(o.fanout)
    {
    }

    [[nodiscard]] const std::string& exchange() const noexcept { return exchange_; }
    [[nodiscard]] const std::string& topic() const noexcept { return topic_; }
    [[nodiscard]] const std::string& server() const noexcept { return server_; }
    [[nodiscard]] const std::string& name_space() const noexcept { return name_space_; }
    [[nodiscard]] const std::string& version() const noexcept { return version_; }
    [[nodiscard]] bool fanout() const noexcept { return fanout_; }
    /// The same as views, which live as long as this and what it is assigned.
    [[nodiscard]] target_options options() const noexcept
    {
        return {exchange_, topic_, server_, name_space_, version_, fanout_};
    }

    friend bool operator==(const target&, const target&) = default;

private:
    std::string exchange_, topic_, server_, name_space_, version_;
    bool fanout_ = false;
};

/// The text of a target, which parse_target reads.
[[nodiscard]] inline std::string to_string(const target& t)
{
    std::string out;
    const auto add = [&out](std::string_view prefix, std::string_view part) {
        out += prefix;
        for (const char c : part) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte > 0x20 && byte != 0x7f && std::string_view("/@;=%").find(c) == std::string_view::npos)
                out.push_back(c);
            else
                (out += {'%', "0123456789ABCDEF"[byte >> 4U]}).push_back("0123456789ABCDEF"[byte & 15U]);
        }
    };
    if (!t.exchange().empty()) {
        add("", t.exchange());
        out.push_back('/');
    }
    add("", t.topic());
    if (!t.server().empty())
        add("@", t.server());
    if (!t.name_space().empty())
        add(";namespace=", t.name_space());
    if (!t.version().empty())
        add(";version=", t.version());
    if (t.fanout())
        out += ";fanout";
    return out;
}

namespace detail {

[[nodiscard]] inline std::string target_part(std::string_view text)
{
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9')
            return c - '0';
        c = static_cast<char>(c | 0x20);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
        if (high < 0 || low < 0)
            throw_invalid_argument("target: '%' without two hexadecimal digits");
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return out;
}

} // namespace detail

/// Reads what to_string writes. Throws usage_error, which says what is wrong.
[[nodiscard]] inline target parse_target(std::string_view text)
{
    const auto take = [&text] { // up to a ';', which is passed
        const std::size_t end = text.find(';');
        const std::string_view part = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        return part;
    };
    std::string_view where = take();
    target_options o;
    std::string exchange, server, name_space, version;
    if (const std::size_t slash = where.find('/'); slash != where.npos) {
        exchange = detail::target_part(where.substr(0, slash));
        where.remove_prefix(slash + 1);
        if (exchange.empty())
            throw_invalid_argument("target: an exchange is missing before '/'");
    }
    if (const std::size_t at = where.find('@'); at != where.npos) {
        server = detail::target_part(where.substr(at + 1));
        where = where.substr(0, at);
        if (server.empty())
            throw_invalid_argument("target: a server is missing behind '@'");
    }
    const std::string topic = detail::target_part(where);
    if (topic.empty())
        throw_invalid_argument("target: the topic is missing");
    while (!text.empty()) {
        std::string_view value = take();
        const std::size_t equals = value.find('=');
        const std::string_view key = value.substr(0, equals);
        value = equals == value.npos ? std::string_view() : value.substr(equals + 1);
        if (key == "namespace" && !value.empty())
            name_space = detail::target_part(value);
        else if (key == "version" && !value.empty())
            version = detail::target_part(value);
        else if (key == "fanout" && equals == std::string_view::npos)
            o.fanout = true;
        else
            throw_invalid_argument("target: behind ';' stands namespace=..., version=... or fanout");
    }
    o.exchange = exchange;
    o.topic = topic;
    o.server = server;
    o.name_space = name_space;
    o.version = version;
    return o;
}

} // namespace leveret::rpc
