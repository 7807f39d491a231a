#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/payload.hpp"
#include "leveret/core/properties.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace leveret {

/// A message: a body and its properties. A value; copies share the body.
///
///     auto m = lv::message{"42"}.persistent().content_type("text/plain").header("attempt", 1);
///
/// Setters chain on named messages and on temporaries. Thread safety: as a std::string.
class message {
public:
    message() = default;
    explicit message(std::string_view body) : body_(body) {}
    explicit message(std::span<const std::byte> body) : body_(body) {}
    explicit message(payload body) : body_(std::move(body)) {}
    message(payload body, leveret::properties p) : body_(std::move(body)), properties_(std::move(p)) {}

    [[nodiscard]] const payload& body() const noexcept { return body_; }
    /// The body as text. Valid while this message or a copy of its payload lives.
    [[nodiscard]] std::string_view text() const noexcept { return body_.view(); }
    [[nodiscard]] const leveret::properties& properties() const noexcept { return properties_; }
    [[nodiscard]] leveret::properties& properties() noexcept { return properties_; }

    message& body(payload b) & noexcept
    {
        body_ = std::move(b);
        return *this;
    }
    message&& body(payload b) && noexcept { return std::move(body(std::move(b))); }

    /// Kept by a durable queue over a restart of the broker (delivery mode 2).
    message& persistent() & noexcept { return properties_.delivery_mode(2), *this; }
    message&& persistent() && noexcept { return std::move(persistent()); }
    message& content_type(std::string_view v) & { return properties_.content_type(v), *this; }
    message&& content_type(std::string_view v) && { return std::move(content_type(v)); }
    message& content_encoding(std::string_view v) & { return properties_.content_encoding(v), *this; }
    message&& content_encoding(std::string_view v) && { return std::move(content_encoding(v)); }
    message& header(std::string_view key, field_value value) &
    {
        return properties_.header(key, std::move(value)), *this;
    }
    message&& header(std::string_view key, field_value value) &&
    {
        return std::move(header(key, std::move(value)));
    }
    message& headers(table v) & { return properties_.headers(std::move(v)), *this; }
    message&& headers(table v) && { return std::move(headers(std::move(v))); }
    message& priority(std::uint8_t v) & noexcept { return properties_.priority(v), *this; }
    message&& priority(std::uint8_t v) && noexcept { return std::move(priority(v)); }
    message& correlation_id(std::string_view v) & { return properties_.correlation_id(v), *this; }
    message&& correlation_id(std::string_view v) && { return std::move(correlation_id(v)); }
    message& reply_to(std::string_view v) & { return properties_.reply_to(v), *this; }
    message&& reply_to(std::string_view v) && { return std::move(reply_to(v)); }
    /// Dropped or dead-lettered by the broker when it has waited this long in a queue; cut to whole
    /// milliseconds (RabbitMQ: per-message TTL).
    message& expiration(duration d) &
    {
        return properties_.expiration(std::to_string(d.count_ms() < 0 ? 0 : d.count_ms())), *this;
    }
    message&& expiration(duration d) && { return std::move(expiration(d)); }
    message& message_id(std::string_view v) & { return properties_.message_id(v), *this; }
    message&& message_id(std::string_view v) && { return std::move(message_id(v)); }
    message& timestamp(leveret::timestamp v) & noexcept { return properties_.timestamp(v), *this; }
    message&& timestamp(leveret::timestamp v) && noexcept { return std::move(timestamp(v)); }
    message& type(std::string_view v) & { return properties_.type(v), *this; }
    message&& type(std::string_view v) && { return std::move(type(v)); }
    /// Must be the name of the connection's user: RabbitMQ checks it.
    message& user_id(std::string_view v) & { return properties_.user_id(v), *this; }
    message&& user_id(std::string_view v) && { return std::move(user_id(v)); }
    message& app_id(std::string_view v) & { return properties_.app_id(v), *this; }
    message&& app_id(std::string_view v) && { return std::move(app_id(v)); }

    friend bool operator==(const message& a, const message& b) noexcept
    {
        return a.body_ == b.body_ && a.properties_ == b.properties_;
    }

private:
    payload body_;
    leveret::properties properties_;
};

} // namespace leveret
