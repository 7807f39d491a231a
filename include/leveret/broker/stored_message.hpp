#pragma once

#include "leveret/broker/object_pool.hpp"
#include "leveret/broker/properties_size.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/core/payload.hpp"
#include "leveret/core/properties.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leveret::broker {

/// A name that an exchange shares with the messages published to it.
struct shared_name : local_counted {
    explicit shared_name(std::string_view n) : text(n) {}
    std::string text;
};

/// Properties that messages share: publishers often send the same with every message.
class shared_properties : public pooled<shared_properties> {
public:
    [[nodiscard]] const properties& values() const noexcept { return values_; }
    /// The same as values() == other, where most of the fourteen are usually not set.
    [[nodiscard]] bool equals(const properties& other) const noexcept
    {
        const auto same = [&](property p, std::string_view (properties::*text)() const noexcept) {
            return !values_.has(p) || (values_.*text)() == (other.*text)();
        };
        return values_.flags() == other.flags() &&
               values_.delivery_mode() == other.delivery_mode() &&
               values_.priority() == other.priority() && values_.timestamp() == other.timestamp() &&
               same(property::correlation_id, &properties::correlation_id) &&
               same(property::message_id, &properties::message_id) &&
               same(property::content_type, &properties::content_type) &&
               same(property::content_encoding, &properties::content_encoding) &&
               same(property::reply_to, &properties::reply_to) &&
               same(property::expiration, &properties::expiration) &&
               same(property::type, &properties::type) &&
               same(property::user_id, &properties::user_id) &&
               same(property::app_id, &properties::app_id) &&
               same(property::cluster_id, &properties::cluster_id) &&
               (!values_.has(property::headers) || values_.headers() == other.headers());
    }
    /// Bytes of memory that they take, about.
    [[nodiscard]] std::size_t memory() const noexcept { return size_ != 0 ? size_ : size_of(values_); }
    /// For the one who has just taken it from the pool, before others see it.
    [[nodiscard]] properties& edit() noexcept
    {
        size_ = 0;
        return values_;
    }
    /// One more message has them that a queue or an unacknowledged delivery holds; returns the bytes that they take
    /// if it is the first.
    [[nodiscard]] std::size_t begin_to_be_held() noexcept
    {
        if (held_++ != 0)
            return 0;
        if (size_ == 0)
            size_ = size_of(values_);
        return size_;
    }
    /// One fewer; returns the same if it was the last.
    [[nodiscard]] std::size_t end_to_be_held() noexcept { return --held_ == 0 ? size_ : 0; }
    // Texts keep their memory until somebody assigns to them; tables and flags must go.
    void recycle() noexcept
    {
        if (values_.has(property::headers))
            values_.clear(property::headers);
    }

private:
    properties values_;
    std::size_t size_ = 0; // 0: not yet known
    std::uint32_t held_ = 0;
};
using properties_ptr = pool_ptr<shared_properties>;

/// Where a message was published to. Messages of one channel share it while it stays the same.
class message_route : public pooled<message_route> {
public:
    local_ptr<shared_name> exchange;
    std::string routing_key;
    /// The keys of the CC and BCC headers, which dead-lettering uses again.
    std::vector<std::string> further_keys;

    void recycle() noexcept
    {
        exchange = nullptr;
        further_keys.clear();
    }
};
using route_ptr = pool_ptr<message_route>;

/// A message inside the broker: made once, shared by all queues that hold it. Whoever needs it longer than
/// a call keeps a `message_ptr`; the count is not atomic, so on the broker's executor only, but the body
/// may be copied to other threads.
class stored_message : public pooled<stored_message> {
public:
    [[nodiscard]] const payload& body() const noexcept { return body_; }
    [[nodiscard]] const leveret::properties& properties() const noexcept
    {
        return properties_ ? properties_->values() : none();
    }
    /// Null if no property is set. The same pointer means the same properties, as long as it is kept.
    [[nodiscard]] const properties_ptr& properties_node() const noexcept { return properties_; }
    /// The name of the exchange to which it was published; empty for the default exchange.
    [[nodiscard]] std::string_view exchange() const noexcept { return route_->exchange->text; }
    [[nodiscard]] std::string_view routing_key() const noexcept { return route_->routing_key; }
    /// The same pointer means the same exchange and routing key, as long as it is kept.
    [[nodiscard]] const route_ptr& route() const noexcept { return route_; }

    void fill(payload&& body, properties_ptr&& p, const route_ptr& r) noexcept
    {
        body_ = std::move(body);
        properties_ = std::move(p);
        route_ = r;
    }
    void recycle() noexcept
    {
        body_ = payload();
        properties_.reset();
        route_.reset();
    }
    /// How many queue entries and unacknowledged deliveries hold it: what the broker's memory counts.
    [[nodiscard]] std::uint32_t& holders() noexcept { return spare_; }

private:
    [[nodiscard]] static const leveret::properties& none() noexcept
    {
        static const leveret::properties empty;
        return empty;
    }

    payload body_;
    properties_ptr properties_;
    route_ptr route_;
};
using message_ptr = pool_ptr<stored_message>;

} // namespace leveret::broker
