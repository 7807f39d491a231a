#pragma once

#include "leveret/core/local_ptr.hpp"
#include "leveret/core/message.hpp"
#include "leveret/engine/fingerprint.hpp"
#include "leveret/engine/output_buffer.hpp"
#include "leveret/transport/detail/publish_checks.hpp"
#include "leveret/wire/byte_order.hpp"
#include "leveret/wire/content_header.hpp"
#include "leveret/wire/frame.hpp"
#include "leveret/wire/method.hpp"
#include "leveret/wire/writer.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace leveret::amqp::detail {

using transport_detail::publish_target;

/// Bodies from this size on are not copied on their way to the socket, but referred to.
inline constexpr std::size_t gather_threshold = 16 * 1024;

class channel_core;

/// One publish between the call and its await: its frames, encoded when it was called, so that nothing
/// of the caller's is needed later, and copied into the output when it is awaited.
class publish_request {
public:
    publish_request() = default;
    publish_request(const publish_request&) = delete;
    publish_request& operator=(const publish_request&) = delete;
    ~publish_request(); // channel_core must be known: channel_core.hpp

    /// Encodes method, header and, if it is small, body; a large one is shared if it can be, or copied.
    /// `properties` and `shared` may be null.
    void encode(std::uint16_t number, std::uint32_t frame_max, const publish_target& target,
                const leveret::properties* properties, std::string_view body, const payload* shared);

    /// By which it is found when it comes back.
    [[nodiscard]] engine::fingerprint mark() const noexcept;
    /// Puts the frames into the output. Throws std::bad_alloc, and then nothing was put.
    void submit(engine::output_buffer& out);

    local_ptr<channel_core> channel; ///< where it goes; keeps the channel while it waits
    std::size_t body_size = 0;
    publish_request* next = nullptr;

private:
    static constexpr std::size_t inline_size = 232;
    static constexpr std::size_t kept_size = 64 * 1024;

    [[nodiscard]] char* reserve(std::size_t n)
    {
        size_ = n;
        if (n <= inline_size)
            return inline_;
        if (n > capacity_) {
            if (heap_ != nullptr)
                ::operator delete(std::exchange(heap_, nullptr));
            capacity_ = 0;
            heap_ = static_cast<char*>(::operator new(n));
            capacity_ = n;
        }
        return heap_;
    }
    [[nodiscard]] const char* data() const noexcept { return size_ <= inline_size ? inline_ : heap_; }

    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    char* heap_ = nullptr;
    payload body_; // shared bodies only
    std::uint32_t frame_max_ = 0;
    std::uint16_t number_ = 0;
    char inline_[inline_size];

    friend class request_pool;
    void recycle() noexcept
    {
        if (!body_.empty())
            body_ = payload();
        if (capacity_ > kept_size) {
            ::operator delete(std::exchange(heap_, nullptr));
            capacity_ = 0;
        }
    }
};

/// Requests that are used again, so that publishing allocates nothing in the steady state.
class request_pool {
public:
    static constexpr std::size_t kept = 64;

    request_pool() = default;
    request_pool(const request_pool&) = delete;
    request_pool& operator=(const request_pool&) = delete;
    ~request_pool();
    [[nodiscard]] publish_request* take();
    void give_back(publish_request* r) noexcept;

private:
    publish_request* free_ = nullptr;
    std::size_t count_ = 0;
};

namespace raw {

// Plain stores for the hot path, where sizes are known to be right.
template <class T>
char* number(char* p, T v) noexcept
{
    wire::store_be(p, v);
    return p + sizeof v;
}
inline char* u8(char* p, std::uint8_t v) noexcept { return number(p, v); }
inline char* u16(char* p, std::uint16_t v) noexcept { return number(p, v); }
inline char* u32(char* p, std::uint32_t v) noexcept { return number(p, v); }
inline char* u64(char* p, std::uint64_t v) noexcept { return number(p, v); }
inline char* bytes(char* p, std::string_view v) noexcept
{
    return wire::copy_bytes(p, v.data(), v.size());
}
inline char* short_string(char* p, std::string_view v) noexcept
{
    return bytes(u8(p, static_cast<std::uint8_t>(v.size())), v);
}
/// The seven bytes of a frame's header in one store, which also touches the byte behind them: there is
/// always one, and it is written next.
inline char* frame(char* p, wire::frame_type type, std::uint16_t channel, std::size_t size) noexcept
{
    wire::store_be(p, (std::uint64_t{static_cast<std::uint8_t>(type)} << 56U) |
                          (std::uint64_t{channel} << 40U) |
                          (std::uint64_t{static_cast<std::uint32_t>(size)} << 8U));
    return p + wire::frame_header_size;
}

} // namespace raw

/// What a publish takes in the output, found before anything is written.
struct publish_sizes {
    publish_sizes(std::uint32_t frame_max, const publish_target& target,
                  const leveret::properties* properties, std::size_t body_size) noexcept
        : has_properties(properties != nullptr && properties->flags() != 0),
          method(9 + target.exchange.size() + target.routing_key.size()),
          header(wire::content_header_size + (has_properties ? wire::encoded_size(*properties) : 0)),
          chunk(frame_max - wire::frame_overhead),
          frames(body_size == 0 ? 0 : body_size <= chunk ? 1 : (body_size + chunk - 1) / chunk)
    {
    }
    bool has_properties;
    std::size_t method; ///< payload of the method frame
    std::size_t header; ///< payload of the header frame
    std::size_t chunk;  ///< most of a body in one frame
    std::size_t frames; ///< body frames

    /// Bytes of method and header frame.
    [[nodiscard]] std::size_t head() const noexcept
    {
        return 2 * wire::frame_overhead + method + header;
    }
    /// Bytes of the whole publish.
    [[nodiscard]] std::size_t whole(std::size_t body_size) const noexcept
    {
        return head() + body_size + frames * wire::frame_overhead;
    }
};

/// Writes the method and header frames; returns their end.
inline char* write_head(char* p, std::uint16_t number, const publish_sizes& sizes,
                        const publish_target& target, const leveret::properties* properties,
                        std::size_t body_size) noexcept
{
    p = raw::frame(p, wire::frame_type::method, number, sizes.method);
    p = raw::u32(p, wire::basic::publish::id.value());
    p = raw::u16(p, 0); // ticket: reserved
    p = raw::short_string(p, target.exchange);
    p = raw::short_string(p, target.routing_key);
    p = raw::u8(p, static_cast<std::uint8_t>((target.mandatory ? 1U : 0U) |
                                             (target.immediate ? 2U : 0U)));
    p = raw::u8(p, wire::frame_end);
    p = raw::frame(p, wire::frame_type::header, number, sizes.header);
    if (sizes.has_properties) {
        wire::writer out(p, sizes.header);
        wire::encode_content_header(out, body_size, *properties);
        p += sizes.header;
    } else {
        p = raw::u32(p, std::uint32_t{wire::basic_class} << 16U);
        p = raw::u64(p, body_size);
        p = raw::u16(p, 0);
    }
    return raw::u8(p, wire::frame_end);
}

/// Writes the body frames.
inline void write_body(char* p, std::uint16_t number, const publish_sizes& sizes,
                       std::string_view body) noexcept
{
    while (!body.empty()) {
        const std::string_view part = body.substr(0, sizes.chunk);
        p = raw::frame(p, wire::frame_type::body, number, part.size());
        p = raw::bytes(p, part);
        p = raw::u8(p, wire::frame_end);
        body.remove_prefix(part.size());
    }
}

/// The fingerprint of a publish, of which nothing is there any more but its frames: those of method and header at `p`, and
/// behind them that of the body, or its beginning, unless it is `shared`.
inline engine::fingerprint mark_of(const char* p, std::string_view shared) noexcept
{
    const auto take_short_string = [&p] {
        const std::size_t size = static_cast<unsigned char>(*p);
        const std::string_view text(p + 1, size);
        p += 1 + size;
        return text;
    };
    p += wire::frame_header_size + 6; // class, method, and the ticket
    const std::string_view exchange = take_short_string();
    const std::string_view routing_key = take_short_string();
    if ((static_cast<unsigned char>(*p) & 1U) == 0) // not mandatory
        return {};
    p += 2; // flags and the frame's end
    const std::size_t header = wire::load_be<std::uint32_t>(p + 3);
    p += wire::frame_header_size;
    const auto body_size = wire::load_be<std::uint64_t>(p + 4);
    const auto flags = wire::load_be<std::uint16_t>(p + 12);
    const std::string_view properties(p + wire::content_header_size, header - wire::content_header_size);
    p += header + 1;
    std::string_view body = shared;
    if (body.empty() && body_size != 0)
        body = {p + wire::frame_header_size, wire::load_be<std::uint32_t>(p + 3)};
    return {exchange, routing_key, body, body_size, flags, properties};
}

inline engine::fingerprint publish_request::mark() const noexcept
{
    return mark_of(data(), body_.view());
}

inline void publish_request::encode(std::uint16_t number, std::uint32_t frame_max,
                                    const publish_target& target, const leveret::properties* properties,
                                    std::string_view body, const payload* shared)
{
    const publish_sizes sizes(frame_max, target, properties, body.size());
    const bool gather = body.size() >= gather_threshold;
    char* p = reserve(gather ? sizes.head() : sizes.whole(body.size()));
    p = write_head(p, number, sizes, target, properties, body.size());
    body_size = body.size();
    number_ = number;
    frame_max_ = frame_max;
    if (gather)
        body_ = shared != nullptr ? *shared : payload(body);
    else
        write_body(p, number, sizes, body);
}

inline void publish_request::submit(engine::output_buffer& out)
{
    if (body_.empty()) {
        std::memcpy(out.append(size_), data(), size_);
        return;
    }
    const std::size_t chunk = frame_max_ - wire::frame_overhead;
    const std::size_t frames = (body_.size() + chunk - 1) / chunk;
    out.reserve(size_ + frames * wire::frame_overhead, frames); // all of it or nothing
    std::memcpy(out.append(size_), data(), size_);
    for (std::size_t at = 0; at < body_.size(); at += chunk) {
        payload part = body_.slice(at, chunk);
        char head[wire::frame_header_size + 1];
        raw::frame(head, wire::frame_type::body, number_, part.size());
        std::memcpy(out.append(wire::frame_header_size), head, wire::frame_header_size);
        out.append_shared(std::move(part));
        raw::u8(out.append(1), wire::frame_end);
    }
}

} // namespace leveret::amqp::detail
