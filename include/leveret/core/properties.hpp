#pragma once

#include "leveret/core/table.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace leveret {

/// The 14 properties of a message, named by their bits in a content header (AMQP 0-9-1, section 4.2.6.1
/// and class basic).
enum class property : std::uint16_t {
    content_type = 1U << 15U,
    content_encoding = 1U << 14U,
    headers = 1U << 13U,
    delivery_mode = 1U << 12U,
    priority = 1U << 11U,
    correlation_id = 1U << 10U,
    reply_to = 1U << 9U,
    expiration = 1U << 8U,
    message_id = 1U << 7U,
    timestamp = 1U << 6U,
    type = 1U << 5U,
    user_id = 1U << 4U,
    app_id = 1U << 3U,
    cluster_id = 1U << 2U,
};

/// Whether a broker that restarts keeps the message in a durable queue.
enum class delivery_mode : std::uint8_t { transient = 1, persistent = 2 };

/// Properties of a message. One that was never set is absent and not sent, which is not the same as an
/// empty one. Texts are at most 255 bytes each on the wire; publishing longer ones is a usage_error.
class properties {
public:
    properties() = default;
    properties(const properties&) = default;
    properties(properties&&) noexcept = default;
    /// Copies what is set alone, which is a few of fourteen.
    properties& operator=(const properties& o)
    {
        if (this == &o)
            return *this;
        flags_ = 0; // nothing half copied, should there be no memory
        headers_ = o.headers_;
        const auto copy = [&o](property p, std::string& to, const std::string& from) {
            if (o.has(p))
                to = from;
        };
        copy(property::content_type, content_type_, o.content_type_);
        copy(property::content_encoding, content_encoding_, o.content_encoding_);
        copy(property::correlation_id, correlation_id_, o.correlation_id_);
        copy(property::reply_to, reply_to_, o.reply_to_);
        copy(property::expiration, expiration_, o.expiration_);
        copy(property::message_id, message_id_, o.message_id_);
        copy(property::type, type_, o.type_);
        copy(property::user_id, user_id_, o.user_id_);
        copy(property::app_id, app_id_, o.app_id_);
        copy(property::cluster_id, cluster_id_, o.cluster_id_);
        delivery_mode_ = o.delivery_mode_;
        priority_ = o.priority_;
        timestamp_ = o.timestamp_;
        flags_ = o.flags_;
        return *this;
    }
    properties& operator=(properties&&) noexcept = default;
    ~properties() = default;

    [[nodiscard]] bool has(property p) const noexcept { return (flags_ & bit(p)) != 0; }
    /// Forgets a property, so that it is not sent.
    properties& clear(property p) noexcept
    {
        flags_ = static_cast<std::uint16_t>(flags_ & ~bit(p));
        if (!has(property::headers))
            headers_ = table();
        return *this;
    }
    /// Forgets all; keeps memory for those that come next.
    void clear() noexcept
    {
        flags_ = 0;
        headers_ = table();
    }
    /// The bits of those that are set, as in a content header.
    [[nodiscard]] std::uint16_t flags() const noexcept { return flags_; }

    /// Each getter returns an empty or zero value when the property is absent.
    [[nodiscard]] std::string_view content_type() const noexcept
    {
        return text(property::content_type, content_type_);
    }
    [[nodiscard]] std::string_view content_encoding() const noexcept
    {
        return text(property::content_encoding, content_encoding_);
    }
    [[nodiscard]] const table& headers() const noexcept { return headers_; }
    [[nodiscard]] std::uint8_t delivery_mode() const noexcept
    {
        return has(property::delivery_mode) ? delivery_mode_ : std::uint8_t{0};
    }
    [[nodiscard]] bool is_persistent() const noexcept { return delivery_mode() == 2; }
    [[nodiscard]] std::uint8_t priority() const noexcept
    {
        return has(property::priority) ? priority_ : std::uint8_t{0};
    }
    [[nodiscard]] std::string_view correlation_id() const noexcept
    {
        return text(property::correlation_id, correlation_id_);
    }
    [[nodiscard]] std::string_view reply_to() const noexcept
    {
        return text(property::reply_to, reply_to_);
    }
    /// Milliseconds as decimal text, as AMQP has it.
    [[nodiscard]] std::string_view expiration() const noexcept
    {
        return text(property::expiration, expiration_);
    }
    [[nodiscard]] std::string_view message_id() const noexcept
    {
        return text(property::message_id, message_id_);
    }
    [[nodiscard]] leveret::timestamp timestamp() const noexcept
    {
        return has(property::timestamp) ? timestamp_ : leveret::timestamp{};
    }
    [[nodiscard]] std::string_view type() const noexcept { return text(property::type, type_); }
    [[nodiscard]] std::string_view user_id() const noexcept
    {
        return text(property::user_id, user_id_);
    }
    [[nodiscard]] std::string_view app_id() const noexcept { return text(property::app_id, app_id_); }
    [[nodiscard]] std::string_view cluster_id() const noexcept
    {
        return text(property::cluster_id, cluster_id_);
    }

    properties& content_type(std::string_view v) { return put(property::content_type, content_type_, v); }
    properties& content_encoding(std::string_view v)
    {
        return put(property::content_encoding, content_encoding_, v);
    }
    properties& headers(table v)
    {
        headers_ = std::move(v);
        return mark(property::headers);
    }
    /// Sets one header, keeping the others.
    properties& header(std::string_view key, field_value value)
    {
        if (!has(property::headers))
            headers_ = table{};
        headers_.set(key, std::move(value));
        return mark(property::headers);
    }
    properties& delivery_mode(std::uint8_t v) noexcept
    {
        delivery_mode_ = v;
        return mark(property::delivery_mode);
    }
    properties& priority(std::uint8_t v) noexcept
    {
        priority_ = v;
        return mark(property::priority);
    }
    properties& correlation_id(std::string_view v)
    {
        return put(property::correlation_id, correlation_id_, v);
    }
    properties& reply_to(std::string_view v) { return put(property::reply_to, reply_to_, v); }
    properties& expiration(std::string_view v) { return put(property::expiration, expiration_, v); }
    properties& message_id(std::string_view v) { return put(property::message_id, message_id_, v); }
    properties& timestamp(leveret::timestamp v) noexcept
    {
        timestamp_ = v;
        return mark(property::timestamp);
    }
    properties& type(std::string_view v) { return put(property::type, type_, v); }
    properties& user_id(std::string_view v) { return put(property::user_id, user_id_, v); }
    properties& app_id(std::string_view v) { return put(property::app_id, app_id_, v); }
    properties& cluster_id(std::string_view v) { return put(property::cluster_id, cluster_id_, v); }

    /// The same properties set, with the same values.
    friend bool operator==(const properties& a, const properties& b) noexcept
    {
        return a.flags_ == b.flags_ && a.content_type() == b.content_type() &&
               a.content_encoding() == b.content_encoding() &&
               (!a.has(property::headers) || a.headers_ == b.headers_) &&
               a.delivery_mode() == b.delivery_mode() && a.priority() == b.priority() &&
               a.correlation_id() == b.correlation_id() && a.reply_to() == b.reply_to() &&
               a.expiration() == b.expiration() && a.message_id() == b.message_id() &&
               a.timestamp() == b.timestamp() && a.type() == b.type() &&
               a.user_id() == b.user_id() && a.app_id() == b.app_id() &&
               a.cluster_id() == b.cluster_id();
    }

private:
    static constexpr std::uint16_t bit(property p) noexcept { return static_cast<std::uint16_t>(p); }
    properties& mark(property p) noexcept
    {
        flags_ = static_cast<std::uint16_t>(flags_ | bit(p));
        return *this;
    }
    properties& put(property p, std::string& where, std::string_view v)
    {
        where.assign(v);
        return mark(p);
    }
    [[nodiscard]] std::string_view text(property p, const std::string& where) const noexcept
    {
        return has(p) ? std::string_view(where) : std::string_view();
    }

    std::uint16_t flags_ = 0;
    std::uint8_t delivery_mode_ = 0;
    std::uint8_t priority_ = 0;
    leveret::timestamp timestamp_;
    std::string content_type_, content_encoding_, correlation_id_, reply_to_, expiration_,
        message_id_, type_, user_id_, app_id_, cluster_id_;
    table headers_;
};

} // namespace leveret
