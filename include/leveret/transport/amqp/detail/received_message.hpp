#pragma once

#include "leveret/core/assert.hpp"
#include "leveret/core/payload.hpp"
#include "leveret/engine/operation.hpp"
#include "leveret/wire/content_header.hpp"
#include "leveret/wire/reader.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace leveret::amqp::detail {

/// A message where the socket's read left it, and a lease on that block. Belongs to one executor.
class received_message {
public:
    received_message() noexcept = default;

    /// `envelope` is where the arguments say tag, redelivered, exchange and routing key; if `adopt`, the
    /// block's only reference is taken over.
    received_message(const engine::content& c, const char* envelope, std::uint64_t tag,
                     bool adopt) noexcept
    {
        assign(c, envelope, tag, adopt);
    }
    /// The same, for an empty one.
    void assign(const engine::content& c, const char* envelope, std::uint64_t tag, bool adopt) noexcept
    {
        LEVERET_ASSERT(block_ == nullptr);
        block_ = c.block;
        envelope_ = envelope;
        properties_ = c.properties.encoded().data();
        body_ = c.body.data();
        body_size_ = c.body.size();
        tag_ = tag;
        properties_size_ = static_cast<std::uint32_t>(c.properties.encoded().size());
        flags_ = c.properties.flags();
        block_->add_lease();
        if (adopt)
            block_->drop_reference();
    }
    received_message(received_message&& o) noexcept
        : block_(std::exchange(o.block_, nullptr)), envelope_(o.envelope_), properties_(o.properties_),
          body_(o.body_), body_size_(o.body_size_), tag_(o.tag_), properties_size_(o.properties_size_),
          flags_(o.flags_)
    {
    }
    received_message& operator=(received_message&& o) noexcept
    {
        if (this != &o) {
            release();
            block_ = std::exchange(o.block_, nullptr);
            envelope_ = o.envelope_;
            properties_ = o.properties_;
            body_ = o.body_;
            body_size_ = o.body_size_;
            tag_ = o.tag_;
            properties_size_ = o.properties_size_;
            flags_ = o.flags_;
        }
        return *this;
    }
    ~received_message() { release(); }

    [[nodiscard]] explicit operator bool() const noexcept { return block_ != nullptr; }
    [[nodiscard]] std::uint64_t tag() const noexcept { return tag_; }
    [[nodiscard]] std::string_view body() const noexcept { return {body_, body_size_}; }
    [[nodiscard]] payload shared_body() const noexcept
    {
        return body_size_ == 0 ? payload() : payload::share(*block_, body());
    }
    [[nodiscard]] wire::properties_view properties() const noexcept
    {
        return {flags_, {properties_, properties_size_}};
    }
    [[nodiscard]] bool redelivered() const noexcept { return (envelope_[8] & 1) != 0; }
    [[nodiscard]] std::string_view exchange() const noexcept { return text_at(envelope_ + 9); }
    [[nodiscard]] std::string_view routing_key() const noexcept
    {
        const std::string_view e = exchange();
        return text_at(e.data() + e.size());
    }
    /// What it counts for while it waits to be consumed.
    [[nodiscard]] std::size_t cost() const noexcept { return body_size_ + properties_size_ + 128; }

private:
    [[nodiscard]] static std::string_view text_at(const char* p) noexcept
    {
        return {p + 1, static_cast<unsigned char>(*p)};
    }
    void release() noexcept
    {
        if (block_ != nullptr)
            block_->drop_lease();
    }

    shared_block* block_ = nullptr;
    const char* envelope_ = nullptr;
    const char* properties_ = nullptr;
    const char* body_ = nullptr;
    std::size_t body_size_ = 0;
    std::uint64_t tag_ = 0;
    std::uint32_t properties_size_ = 0;
    std::uint16_t flags_ = 0;
};

} // namespace leveret::amqp::detail
