// The server's half of AMQP for tests, made with the library's own encoder: frames as bytes, and what a
// client sent as text. A frame is printed as its channel, its name, and those fields that differ from
// the method's defaults: `1 queue.declare queue=tasks durable`.
#pragma once

#include <leveret/core/escape.hpp>
#include <leveret/core/properties.hpp>
#include <leveret/wire/content_header.hpp>
#include <leveret/wire/frame.hpp>
#include <leveret/wire/method.hpp>
#include <leveret/wire/table_codec.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::test {

/// A frame of any type, right or wrong.
[[nodiscard]] inline std::string raw_frame(unsigned type, std::uint16_t channel, std::string_view payload,
                                           unsigned char end = wire::frame_end)
{
    std::string bytes(payload.size() + wire::frame_overhead, '\0');
    wire::writer out(bytes.data(), bytes.size());
    wire::write_frame_header(out, static_cast<wire::frame_type>(type), channel, payload.size());
    out.bytes(payload);
    out.u8(end);
    return bytes;
}
template <wire::method Method>
[[nodiscard]] std::string frame(std::uint16_t channel, const Method& m)
{
    std::string bytes(wire::frame_size(m), '\0');
    wire::writer out(bytes.data(), bytes.size());
    wire::encode_frame(out, channel, m);
    return bytes;
}
[[nodiscard]] inline std::string header_frame(std::uint16_t channel, std::uint64_t body_size,
                                              const properties& p = {})
{
    std::string payload(wire::content_header_size + wire::encoded_size(p), '\0');
    wire::writer out(payload.data(), payload.size());
    wire::encode_content_header(out, body_size, p);
    return raw_frame(2, channel, payload);
}
[[nodiscard]] inline std::string body_frame(std::uint16_t channel, std::string_view body)
{
    return raw_frame(3, channel, body);
}
/// Header and body frames of at most `most` bytes of body each.
[[nodiscard]] inline std::string content(std::uint16_t channel, std::string_view body,
                                         const properties& p = {}, std::size_t most = 4096 - 8)
{
    std::string bytes = header_frame(channel, body.size(), p);
    for (std::size_t at = 0; at < body.size(); at += most)
        bytes += body_frame(channel, body.substr(at, most));
    return bytes;
}
[[nodiscard]] inline std::string delivery_frames(std::uint16_t channel, std::string_view consumer_tag,
                                                 std::uint64_t delivery_tag, std::string_view body,
                                                 const properties& p = {})
{
    wire::basic::deliver m;
    m.consumer_tag = consumer_tag;
    m.delivery_tag = delivery_tag;
    m.routing_key = "key";
    return frame(channel, m) + content(channel, body, p);
}
[[nodiscard]] inline std::string return_frames(std::uint16_t channel, std::string_view routing_key,
                                               std::string_view body)
{
    wire::basic::return_ m;
    m.reply_code = 312;
    m.reply_text = "NO_ROUTE";
    m.routing_key = routing_key;
    return frame(channel, m) + content(channel, body);
}
[[nodiscard]] inline std::string get_ok_frames(std::uint16_t channel, std::uint64_t delivery_tag,
                                               std::string_view body)
{
    wire::basic::get_ok m;
    m.delivery_tag = delivery_tag;
    m.routing_key = "key";
    return frame(channel, m) + content(channel, body);
}
[[nodiscard]] inline std::string channel_close_frame(std::uint16_t channel, std::uint16_t code,
                                                     std::string_view text)
{
    wire::channel::close m;
    m.reply_code = code;
    m.reply_text = text;
    m.class_id = 50;
    m.method_id = 10;
    return frame(channel, m);
}
[[nodiscard]] inline std::string connection_close_frame(std::uint16_t code, std::string_view text)
{
    wire::connection::close m;
    m.reply_code = code;
    m.reply_text = text;
    return frame(0, m);
}
[[nodiscard]] inline std::string start_frame(std::string_view mechanisms = "PLAIN AMQPLAIN")
{
    table server;
    server.append("product", "scripted");
    const std::string encoded = wire::encode_table(server);
    wire::connection::start m;
    m.server_properties = {encoded};
    m.mechanisms = mechanisms;
    return frame(0, m);
}
[[nodiscard]] inline std::string tune_frame(std::uint16_t channel_max = 2047,
                                            std::uint32_t frame_max = 131072,
                                            std::uint16_t heartbeat = 0)
{
    wire::connection::tune m;
    m.channel_max = channel_max;
    m.frame_max = frame_max;
    m.heartbeat = heartbeat;
    return frame(0, m);
}

/// A frame that a peer sent; views into its bytes.
struct sent_frame {
    wire::frame_type type = wire::frame_type::method;
    std::uint16_t channel = 0;
    std::string_view payload;
    bool is_protocol_header = false;

    [[nodiscard]] wire::method_number method() const noexcept
    {
        if (type != wire::frame_type::method || is_protocol_header)
            return {};
        wire::reader in(payload);
        const std::uint16_t class_id = in.u16();
        return {class_id, in.u16()};
    }
    template <wire::method Method>
    [[nodiscard]] Method as() const noexcept
    {
        wire::reader in(payload);
        static_cast<void>(in.u32());
        return wire::decode<Method>(in);
    }
};

/// Bytes of the whole frame at the front, 0 if it is not complete. What is no frame counts as one.
[[nodiscard]] inline std::size_t front_frame(std::string_view bytes, sent_frame& out)
{
    out = {};
    if (bytes.starts_with('A')) {
        out.is_protocol_header = true;
        out.payload = bytes.substr(0, wire::protocol_header.size());
        return bytes.size() < wire::protocol_header.size() ? 0 : wire::protocol_header.size();
    }
    const wire::frame_view f = wire::parse_frame(bytes, 0xffffffffU);
    out.type = f.type;
    out.channel = f.channel;
    out.payload = f.error == protocol_errc::none ? f.payload : bytes;
    return f.error == protocol_errc::none ? f.size : bytes.size();
}

namespace detail {

/// Prints every field of a method as one text.
struct print_fields {
    std::vector<std::string> texts;

    void add(std::string_view name, std::string value)
    {
        texts.push_back(std::string(name) + "=" + std::move(value));
    }
    void operator()(std::string_view name, const std::string_view& v) { add(name, escaped(v)); }
    void operator()(std::string_view name, const wire::long_string& v) { add(name, escaped(v.text)); }
    void operator()(std::string_view name, const wire::table_view& v)
    {
        std::string keys;
        for (const auto& [key, value] : wire::decode_table(v))
            keys += (keys.empty() ? "" : ",") + key;
        add(name, "{" + keys + "}");
    }
    void operator()(std::string_view name, const bool& v)
    {
        texts.push_back((v ? "" : "!") + std::string(name));
    }
    void operator()(std::string_view name, const std::integral auto& v) { add(name, std::to_string(v)); }
};

} // namespace detail

[[nodiscard]] inline std::string text_of(const sent_frame& f)
{
    if (f.is_protocol_header)
        return f.payload == wire::protocol_header ? "protocol header" : "another header";
    if (f.type == wire::frame_type::heartbeat)
        return "heartbeat";
    std::string text = std::to_string(f.channel) + " ";
    if (f.type == wire::frame_type::header) {
        wire::content_header h;
        if (wire::parse_content_header(f.payload, 64, h) != protocol_errc::none)
            return text + "malformed header";
        return text + "header of " + std::to_string(h.body_size);
    }
    if (f.type == wire::frame_type::body)
        return text + (f.payload.size() > 32 ? "body of " + std::to_string(f.payload.size())
                                             : "body " + escaped(f.payload));
    const bool known = wire::all_methods::visit(f.method(), [&]<class Method>() {
        const auto m = f.as<Method>();
        const Method plain{};
        detail::print_fields all, defaults;
        Method::fields(m, all);
        Method::fields(plain, defaults);
        text += Method::name;
        for (std::size_t i = 0; i < all.texts.size(); ++i)
            if (all.texts[i] != defaults.texts[i])
                text += " " + all.texts[i];
    });
    return known ? text : text + "unknown method";
}

/// One line for each frame.
[[nodiscard]] inline std::string text_of_frames(std::string_view bytes)
{
    std::string lines;
    sent_frame f;
    while (!bytes.empty()) {
        const std::size_t n = front_frame(bytes, f);
        lines += (n == 0 ? "half a frame" : text_of(f)) + "\n";
        bytes.remove_prefix(n == 0 ? bytes.size() : n);
    }
    return lines;
}

} // namespace leveret::test
