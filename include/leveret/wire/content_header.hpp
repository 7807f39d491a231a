#pragma once

#include "leveret/core/errc.hpp"
#include "leveret/core/properties.hpp"
#include "leveret/wire/reader.hpp"
#include "leveret/wire/table_codec.hpp"
#include "leveret/wire/types.hpp"
#include "leveret/wire/writer.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leveret::wire {

namespace detail {

enum class property_kind : std::uint8_t { short_text, octet, table, seconds };

/// The kind of each property, from the highest flag bit (content-type) downwards.
inline constexpr property_kind property_kinds[14] = {
    property_kind::short_text, property_kind::short_text, property_kind::table,
    property_kind::octet,      property_kind::octet,      property_kind::short_text,
    property_kind::short_text, property_kind::short_text, property_kind::short_text,
    property_kind::seconds,    property_kind::short_text, property_kind::short_text,
    property_kind::short_text, property_kind::short_text,
};

/// The bytes of one property at the front of `in`, its length included.
[[nodiscard]] constexpr std::string_view take_property(reader& in, property_kind kind) noexcept
{
    const char* from = in.position();
    switch (kind) {
    case property_kind::short_text: static_cast<void>(in.short_string()); break;
    case property_kind::octet: static_cast<void>(in.u8()); break;
    case property_kind::table: static_cast<void>(in.bytes(in.u32())); break;
    case property_kind::seconds: static_cast<void>(in.u64()); break;
    }
    return {from, static_cast<std::size_t>(in.position() - from)};
}

} // namespace detail

/// Properties as they lie in a content header: looked up when asked for, nothing is copied. A value of
/// this type that `parse_content_header` gave is well formed. Valid while its bytes are.
class properties_view {
public:
    constexpr properties_view() noexcept = default;
    constexpr properties_view(std::uint16_t flags, std::string_view encoded) noexcept
        : flags_(flags), encoded_(encoded)
    {
    }

    [[nodiscard]] constexpr bool has(property p) const noexcept
    {
        return (flags_ & static_cast<std::uint16_t>(p)) != 0;
    }
    [[nodiscard]] constexpr std::uint16_t flags() const noexcept { return flags_; }
    [[nodiscard]] constexpr std::string_view encoded() const noexcept { return encoded_; }

    /// The text of a short-string property, empty if absent.
    [[nodiscard]] constexpr std::string_view text(property p) const noexcept
    {
        const std::string_view raw = find(p);
        return raw.empty() ? raw : raw.substr(1);
    }
    [[nodiscard]] constexpr std::string_view content_type() const noexcept
    {
        return text(property::content_type);
    }
    [[nodiscard]] constexpr std::string_view content_encoding() const noexcept
    {
        return text(property::content_encoding);
    }
    [[nodiscard]] constexpr table_view headers() const noexcept
    {
        const std::string_view raw = find(property::headers);
        return {raw.empty() ? raw : raw.substr(4)};
    }
    [[nodiscard]] constexpr std::uint8_t delivery_mode() const noexcept
    {
        return reader(find(property::delivery_mode)).u8();
    }
    [[nodiscard]] constexpr std::uint8_t priority() const noexcept
    {
        return reader(find(property::priority)).u8();
    }
    [[nodiscard]] constexpr std::string_view correlation_id() const noexcept
    {
        return text(property::correlation_id);
    }
    [[nodiscard]] constexpr std::string_view reply_to() const noexcept
    {
        return text(property::reply_to);
    }
    [[nodiscard]] constexpr std::string_view expiration() const noexcept
    {
        return text(property::expiration);
    }
    [[nodiscard]] constexpr std::string_view message_id() const noexcept
    {
        return text(property::message_id);
    }
    [[nodiscard]] constexpr leveret::timestamp timestamp() const noexcept
    {
        return {reader(find(property::timestamp)).u64()};
    }
    [[nodiscard]] constexpr std::string_view type() const noexcept { return text(property::type); }
    [[nodiscard]] constexpr std::string_view user_id() const noexcept
    {
        return text(property::user_id);
    }
    [[nodiscard]] constexpr std::string_view app_id() const noexcept
    {
        return text(property::app_id);
    }
    [[nodiscard]] constexpr std::string_view cluster_id() const noexcept
    {
        return text(property::cluster_id);
    }

private:
    [[nodiscard]] constexpr std::string_view find(property wanted) const noexcept
    {
        if (!has(wanted))
            return {};
        reader in(encoded_);
        for (unsigned i = 0; i < 14; ++i) {
            const std::uint32_t flag = 1U << (15U - i);
            if ((flags_ & flag) == 0)
                continue;
            const std::string_view raw = detail::take_property(in, detail::property_kinds[i]);
            if (flag == static_cast<std::uint16_t>(wanted))
                return raw;
        }
        return {};
    }

    std::uint16_t flags_ = 0;
    std::string_view encoded_;
};

/// The payload of a header frame.
struct content_header {
    std::uint64_t body_size = 0;
    properties_view properties;
};

/// Reads and checks a header of class basic (specification 4.2.6.1). Properties are checked down to the
/// last table entry, so that nothing malformed gets any further.
[[nodiscard]] constexpr protocol_errc parse_content_header(std::string_view payload,
                                                           std::uint32_t table_depth,
                                                           content_header& out) noexcept
{
    reader in(payload, protocol_errc::malformed_header);
    const std::uint16_t class_id = in.u16();
    static_cast<void>(in.u16()); // weight: unused, RabbitMQ ignores it
    out.body_size = in.u64();
    const std::uint16_t flags = in.u16();
    if (!in.ok())
        return in.error();
    if (class_id != basic_class)
        return protocol_errc::header_class;
    // Bit 0 would announce another word of flags and bit 1 a 15th property: class basic has neither.
    if ((flags & 3U) != 0)
        return protocol_errc::malformed_header;
    const std::string_view encoded(in.position(), in.remaining());
    if (flags == 0)
        return encoded.empty() ? protocol_errc::none : protocol_errc::trailing_bytes;
    for (unsigned i = 0; i < 14; ++i) {
        if ((flags & (1U << (15U - i))) == 0)
            continue;
        const std::string_view raw = detail::take_property(in, detail::property_kinds[i]);
        if (!in.ok())
            return in.error();
        if (detail::property_kinds[i] == detail::property_kind::table) {
            const protocol_errc e = check_table({raw.substr(4)}, table_depth);
            if (e != protocol_errc::none)
                return e;
        }
    }
    out.properties = properties_view(flags, encoded);
    return in.remaining() == 0 ? protocol_errc::none : protocol_errc::trailing_bytes;
}

/// Bytes of the encoded properties, without the flags.
[[nodiscard]] inline std::size_t encoded_size(const properties& p) noexcept
{
    const auto text = [&p](property which, std::string_view v) {
        return p.has(which) ? 1 + v.size() : 0;
    };
    std::size_t size = text(property::content_type, p.content_type()) +
                       text(property::content_encoding, p.content_encoding()) +
                       text(property::correlation_id, p.correlation_id()) +
                       text(property::reply_to, p.reply_to()) +
                       text(property::expiration, p.expiration()) +
                       text(property::message_id, p.message_id()) + text(property::type, p.type()) +
                       text(property::user_id, p.user_id()) + text(property::app_id, p.app_id()) +
                       text(property::cluster_id, p.cluster_id());
    if (p.has(property::headers))
        size += 4 + encoded_size(p.headers());
    size += (p.has(property::delivery_mode) ? 1U : 0U) + (p.has(property::priority) ? 1U : 0U) +
            (p.has(property::timestamp) ? 8U : 0U);
    return size;
}

/// Writes class, weight, body size, flags and properties: the payload of a header frame. A text above
/// 255 bytes makes the writer fail.
inline void encode_content_header(writer& out, std::uint64_t body_size, const properties& p) noexcept
{
    out.u16(basic_class);
    out.u16(0);
    out.u64(body_size);
    out.u16(p.flags());
    if (p.flags() == 0)
        return;
    const auto text = [&](property which, std::string_view v) {
        if (p.has(which))
            out.short_string(v);
    };
    text(property::content_type, p.content_type());
    text(property::content_encoding, p.content_encoding());
    if (p.has(property::headers)) {
        out.u32(static_cast<std::uint32_t>(encoded_size(p.headers())));
        detail::write_entries(out, p.headers());
    }
    if (p.has(property::delivery_mode))
        out.u8(p.delivery_mode());
    if (p.has(property::priority))
        out.u8(p.priority());
    text(property::correlation_id, p.correlation_id());
    text(property::reply_to, p.reply_to());
    text(property::expiration, p.expiration());
    text(property::message_id, p.message_id());
    if (p.has(property::timestamp))
        out.u64(p.timestamp().seconds);
    text(property::type, p.type());
    text(property::user_id, p.user_id());
    text(property::app_id, p.app_id());
    text(property::cluster_id, p.cluster_id());
}

/// The name of the first property that AMQP can't carry (a text above 255 bytes, a header table with
/// too long a name or too deep), or empty.
[[nodiscard]] inline std::string_view unencodable(const properties& p) noexcept
{
    if (p.content_type().size() > short_string_max)
        return "content_type";
    if (p.content_encoding().size() > short_string_max)
        return "content_encoding";
    if (p.correlation_id().size() > short_string_max)
        return "correlation_id";
    if (p.reply_to().size() > short_string_max)
        return "reply_to";
    if (p.expiration().size() > short_string_max)
        return "expiration";
    if (p.message_id().size() > short_string_max)
        return "message_id";
    if (p.type().size() > short_string_max)
        return "type";
    if (p.user_id().size() > short_string_max)
        return "user_id";
    if (p.app_id().size() > short_string_max)
        return "app_id";
    if (p.cluster_id().size() > short_string_max)
        return "cluster_id";
    if (p.has(property::headers) && !is_encodable(p.headers()))
        return "headers";
    return {};
}

/// The properties as values. Needs a view that `parse_content_header` gave.
[[nodiscard]] inline properties decode_properties(const properties_view& v)
{
    properties p;
    if (v.flags() == 0)
        return p;
    if (v.has(property::content_type))
        p.content_type(v.content_type());
    if (v.has(property::content_encoding))
        p.content_encoding(v.content_encoding());
    if (v.has(property::headers))
        p.headers(decode_table(v.headers()));
    if (v.has(property::delivery_mode))
        p.delivery_mode(v.delivery_mode());
    if (v.has(property::priority))
        p.priority(v.priority());
    if (v.has(property::correlation_id))
        p.correlation_id(v.correlation_id());
    if (v.has(property::reply_to))
        p.reply_to(v.reply_to());
    if (v.has(property::expiration))
        p.expiration(v.expiration());
    if (v.has(property::message_id))
        p.message_id(v.message_id());
    if (v.has(property::timestamp))
        p.timestamp(v.timestamp());
    if (v.has(property::type))
        p.type(v.type());
    if (v.has(property::user_id))
        p.user_id(v.user_id());
    if (v.has(property::app_id))
        p.app_id(v.app_id());
    if (v.has(property::cluster_id))
        p.cluster_id(v.cluster_id());
    return p;
}

} // namespace leveret::wire
