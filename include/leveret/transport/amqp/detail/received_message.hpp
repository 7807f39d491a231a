#pragma once

#include "leveret/core/assert.hpp"
#include "leveret/core/payload.hpp"
#include "leveret/engine/operation.hpp"
#include "leveret/wire/content_header.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace leveret::amqp::detail {

class channel_core;
class received_pool;

/// Where a received message lies, and a lease on that block. Used again and again by its pool.
struct received_record {
    shared_block* block = nullptr;
    const char* envelope = nullptr; ///< delivery tag, redelivered, exchange, routing key
    const char* properties = nullptr;
    const char* body = nullptr;
    std::size_t body_size = 0;
    std::uint64_t tag = 0;
    std::uint32_t properties_size = 0;
    std::uint16_t flags = 0;
    received_pool* home = nullptr;
    channel_core* channel = nullptr; ///< of a delivery that is not settled: a reference on its channel
    received_record* next = nullptr;
};

/// Records of one connection. Lives until the connection has gone and every record is back.
class received_pool {
public:
    static constexpr std::size_t kept = 4096;

    received_pool() noexcept = default;
    received_pool(const received_pool&) = delete;
    received_pool& operator=(const received_pool&) = delete;

    [[nodiscard]] received_record* take()
    {
        received_record* r = free_;
        if (r == nullptr) {
            r = new received_record;
            r->home = this;
            ++count_;
            return r;
        }
        free_ = r->next;
        --free_count_;
        return r;
    }
    void give_back(received_record* r) noexcept
    {
        if (free_count_ >= kept_) {
            drop(r);
            return;
        }
        r->next = free_;
        free_ = r;
        ++free_count_;
    }
    /// The connection goes.
    void abandon() noexcept
    {
        kept_ = 0;
        count_ -= free_count_;
        free_count_ = 0;
        while (free_ != nullptr)
            delete std::exchange(free_, free_->next);
        if (count_ == 0)
            delete this;
    }

private:
    ~received_pool() = default;

    [[gnu::noinline]] void drop(received_record* r) noexcept // rare
    {
        delete r;
        if (--count_ == 0 && kept_ == 0)
            delete this;
    }

    received_record* free_ = nullptr;
    std::size_t free_count_ = 0;
    std::size_t kept_ = kept; ///< 0 when the connection has gone
    std::size_t count_ = 0;   ///< in all, free or not
};

/// A message where the socket's read left it. One pointer, so that handing it from queue to coroutine to
/// user costs next to nothing. Belongs to one executor.
class received_message {
public:
    received_message() noexcept = default;

    /// `envelope` is where the arguments say tag, redelivered, exchange and routing key; if `adopt`, the
    /// block's only reference is taken over.
    received_message(received_pool& pool, const engine::content& c, const char* envelope,
                     std::uint64_t tag, bool adopt)
        : record_(make(pool, c, envelope, tag, adopt))
    {
    }
    /// Takes over what `make` gave.
    explicit received_message(received_record* r) noexcept : record_(r) {}

    [[nodiscard]] static received_record* make(received_pool& pool, const engine::content& c,
                                               const char* envelope, std::uint64_t tag, bool adopt)
    {
        received_record& r = *pool.take();
        r.block = c.block;
        r.envelope = envelope;
        r.properties = c.properties.encoded().data();
        r.body = c.body.data();
        r.body_size = c.body.size();
        r.tag = tag;
        r.properties_size = static_cast<std::uint32_t>(c.properties.encoded().size());
        r.flags = c.properties.flags();
        c.block->add_lease();
        if (adopt)
            c.block->drop_reference();
        return &r;
    }
    /// Gives the record away.
    [[nodiscard]] received_record* detach() noexcept { return std::exchange(record_, nullptr); }

    received_message(received_message&& o) noexcept : record_(std::exchange(o.record_, nullptr)) {}
    received_message& operator=(received_message&& o) noexcept
    {
        std::swap(record_, o.record_);
        o.release();
        return *this;
    }
    ~received_message() { release(); }

    [[nodiscard]] explicit operator bool() const noexcept { return record_ != nullptr; }
    [[nodiscard]] received_record* get() const noexcept { return record_; }
    [[nodiscard]] std::uint64_t tag() const noexcept { return record_->tag; }
    [[nodiscard]] std::string_view body() const noexcept { return {record_->body, record_->body_size}; }
    [[nodiscard]] payload shared_body() const noexcept
    {
        return record_->body_size == 0 ? payload() : payload::share(*record_->block, body());
    }
    [[nodiscard]] wire::properties_view properties() const noexcept
    {
        return {record_->flags, {record_->properties, record_->properties_size}};
    }
    [[nodiscard]] bool redelivered() const noexcept { return (record_->envelope[8] & 1) != 0; }
    [[nodiscard]] std::string_view exchange() const noexcept { return text_at(record_->envelope + 9); }
    [[nodiscard]] std::string_view routing_key() const noexcept
    {
        const std::string_view e = exchange();
        return text_at(e.data() + e.size());
    }

private:
    [[nodiscard]] static std::string_view text_at(const char* p) noexcept
    {
        return {p + 1, static_cast<unsigned char>(*p)};
    }
    void release() noexcept
    {
        if (record_ == nullptr)
            return;
        record_->block->drop_lease();
        record_->home->give_back(std::exchange(record_, nullptr));
    }

    received_record* record_ = nullptr;
};

} // namespace leveret::amqp::detail
