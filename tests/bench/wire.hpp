#pragma once

// The octets of AMQP 0-9-1 that the benchmark's fake server and its hand-written client need.
// Deliberately not leveret's wire layer: a bug there must not hide behind the same bug here, and
// the peers must build without the library.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace bench {

constexpr std::size_t frame_header_size = 7;
constexpr std::size_t frame_overhead = 8; // header and end octet
constexpr char frame_end = '\xCE';
constexpr std::uint32_t default_frame_max = 131072;

enum frame_type : std::uint8_t {
    frame_method = 1,
    frame_content = 2,
    frame_body = 3,
    frame_beat = 8
};

/// Class and method as the one 32-bit number that stands at the start of a method frame.
constexpr std::uint32_t method(std::uint32_t class_id, std::uint32_t method_id)
{
    return class_id << 16 | method_id;
}

namespace id {
inline constexpr auto start = method(10, 10), start_ok = method(10, 11);
inline constexpr auto tune = method(10, 30), tune_ok = method(10, 31);
inline constexpr auto open = method(10, 40), open_ok = method(10, 41);
inline constexpr auto close = method(10, 50), close_ok = method(10, 51);
inline constexpr auto update_secret = method(10, 70), update_secret_ok = method(10, 71);
inline constexpr auto channel_open = method(20, 10), channel_open_ok = method(20, 11);
inline constexpr auto channel_flow = method(20, 20), channel_flow_ok = method(20, 21);
inline constexpr auto channel_close = method(20, 40), channel_close_ok = method(20, 41);
inline constexpr auto queue_declare = method(50, 10), queue_declare_ok = method(50, 11);
inline constexpr auto qos = method(60, 10), qos_ok = method(60, 11);
inline constexpr auto consume = method(60, 20), consume_ok = method(60, 21);
inline constexpr auto cancel = method(60, 30), cancel_ok = method(60, 31);
inline constexpr auto publish = method(60, 40), deliver = method(60, 60);
inline constexpr auto get = method(60, 70), get_empty = method(60, 72);
inline constexpr auto ack = method(60, 80), reject = method(60, 90), nack = method(60, 120);
inline constexpr auto confirm_select = method(85, 10), confirm_select_ok = method(85, 11);
} // namespace id

/// Bits of a content header's property flags, for the properties that the peers look at.
enum property_flag : std::uint16_t {
    has_content_type = 1 << 15,
    has_content_encoding = 1 << 14,
    has_headers = 1 << 13,
    has_delivery_mode = 1 << 12,
    has_priority = 1 << 11,
    has_correlation_id = 1 << 10,
    has_reply_to = 1 << 9,
    has_message_id = 1 << 7,
    has_timestamp = 1 << 6,
    has_app_id = 1 << 3,
};

// Big-endian loads and stores.

inline std::uint16_t load16(const char* p)
{
    std::uint16_t v;
    std::memcpy(&v, p, 2);
    return __builtin_bswap16(v);
}
inline std::uint32_t load32(const char* p)
{
    std::uint32_t v;
    std::memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}
inline std::uint64_t load64(const char* p)
{
    std::uint64_t v;
    std::memcpy(&v, p, 8);
    return __builtin_bswap64(v);
}
inline void store32(char* p, std::uint32_t v)
{
    v = __builtin_bswap32(v);
    std::memcpy(p, &v, 4);
}
inline void store64(char* p, std::uint64_t v)
{
    v = __builtin_bswap64(v);
    std::memcpy(p, &v, 8);
}

inline void put8(std::string& out, std::uint8_t v) { out.push_back(static_cast<char>(v)); }
inline void put16(std::string& out, std::uint16_t v)
{
    put8(out, static_cast<std::uint8_t>(v >> 8));
    put8(out, static_cast<std::uint8_t>(v));
}
inline void put32(std::string& out, std::uint32_t v)
{
    char raw[4];
    store32(raw, v);
    out.append(raw, 4);
}
inline void put64(std::string& out, std::uint64_t v)
{
    char raw[8];
    store64(raw, v);
    out.append(raw, 8);
}
inline void put_short(std::string& out, std::string_view s)
{
    put8(out, static_cast<std::uint8_t>(s.size()));
    out.append(s);
}
inline void put_long(std::string& out, std::string_view s)
{
    put32(out, static_cast<std::uint32_t>(s.size()));
    out.append(s);
}

/// Appends one frame to `out`: the constructor its header, the destructor its length and end.
class frame {
public:
    frame(std::string& out, frame_type type, std::uint16_t channel) : out_(out), at_(out.size())
    {
        put8(out_, type);
        put16(out_, channel);
        put32(out_, 0);
    }
    frame(std::string& out, std::uint16_t channel, std::uint32_t method)
        : frame(out, frame_method, channel)
    {
        put32(out_, method);
    }
    frame(const frame&) = delete;
    frame& operator=(const frame&) = delete;
    ~frame()
    {
        const auto size = out_.size() - at_ - frame_header_size;
        store32(out_.data() + at_ + 3, static_cast<std::uint32_t>(size));
        out_.push_back(frame_end);
    }

private:
    std::string& out_;
    std::size_t at_;
};

/// A method without arguments, in its own frame.
inline void put_method(std::string& out, std::uint16_t channel, std::uint32_t id)
{
    frame f(out, channel, id);
}

/// Content header and body frames; `properties` are the flags and the encoded values.
inline void put_content(std::string& out, std::uint16_t channel, std::string_view properties,
                        std::string_view body, std::uint32_t frame_max)
{
    {
        frame f(out, frame_content, channel);
        put32(out, method(60, 0)); // class and weight
        put64(out, body.size());
        out.append(properties);
    }
    const std::size_t room = frame_max - frame_overhead;
    while (!body.empty()) {
        frame f(out, frame_body, channel);
        out.append(body.substr(0, room));
        body.remove_prefix(body.size() < room ? body.size() : room);
    }
}

/// Takes fields from a frame's payload. The first take past the end makes it fail for good and
/// every later one gives zeros, so callers check once.
class cursor {
public:
    explicit cursor(std::string_view bytes) : p_(bytes.data()), end_(p_ + bytes.size()) {}

    bool failed() const { return failed_; }
    std::uint8_t take8()
    {
        return has(1) ? static_cast<std::uint8_t>(*advance(1)) : std::uint8_t{};
    }
    std::uint16_t take16() { return has(2) ? load16(advance(2)) : std::uint16_t{}; }
    std::uint32_t take32() { return has(4) ? load32(advance(4)) : 0u; }
    std::uint64_t take64() { return has(8) ? load64(advance(8)) : 0u; }
    std::string_view take_short() { return take(take8()); }
    std::string_view take_long() { return take(take32()); }

private:
    bool has(std::size_t n)
    {
        failed_ = failed_ || static_cast<std::size_t>(end_ - p_) < n;
        return !failed_;
    }
    const char* advance(std::size_t n) { return (p_ += n) - n; }
    std::string_view take(std::size_t n)
    {
        return has(n) ? std::string_view(advance(n), n) : std::string_view();
    }

    const char* p_;
    const char* end_;
    bool failed_ = false;
};

/// The properties of `--props`: six of them and a table of four, the same for every peer.
inline std::string rich_properties()
{
    std::string table;
    put_short(table, "attempt");
    put8(table, 'I');
    put32(table, 3);
    put_short(table, "region");
    put8(table, 'S');
    put_long(table, "eu-west-1");
    put_short(table, "urgent");
    put8(table, 't');
    put8(table, 1);
    put_short(table, "sequence");
    put8(table, 'l');
    put64(table, 1234567890123);

    std::string out;
    put16(out, has_content_type | has_headers | has_delivery_mode | has_correlation_id |
                   has_message_id | has_timestamp | has_app_id);
    put_short(out, "application/json");
    put_long(out, table);
    put8(out, 2);
    put_short(out, "correlation-0001");
    put_short(out, "message-00000001");
    put64(out, 1700000000);
    put_short(out, "leveret-bench");
    return out;
}

} // namespace bench
