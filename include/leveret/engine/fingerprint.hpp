#pragma once

#include "leveret/core/text_hash.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leveret::engine {

/// By which a returned message is found among the publishes that wait for confirmation, since basic.return
/// does not say which one it is: exchange, routing key, size and beginning of the body on one side, the
/// properties as they were encoded on the other. RabbitMQ returns those byte for byte unless they had a BCC
/// header; where no publish has equal properties, the other half decides.
class fingerprint {
public:
    /// Of a publish that is not mandatory: like no message.
    constexpr fingerprint() noexcept = default;
    /// Of halves found in another way.
    constexpr explicit fingerprint(std::uint32_t message, std::uint32_t properties = 0) noexcept
        : message_(message), properties_(properties)
    {
    }
    /// `flags` and `properties` are the two parts of the encoded properties, 0 and empty if there are none.
    fingerprint(std::string_view exchange, std::string_view routing_key, std::string_view body,
                std::uint16_t flags = 0, std::string_view properties = {}) noexcept
        : fingerprint(exchange, routing_key, body, body.size(), flags, properties)
    {
    }
    /// `begin` is all of the body, or 64 octets of it or more.
    fingerprint(std::string_view exchange, std::string_view routing_key, std::string_view begin, std::uint64_t body_size,
                std::uint16_t flags, std::string_view properties) noexcept
    {
        constexpr std::size_t looked_at = 64;
        const std::uint64_t h =
            text_hash(exchange, text_hash(routing_key, text_hash(begin.substr(0, looked_at), body_size)));
        const auto folded = static_cast<std::uint32_t>(h ^ (h >> 32U));
        message_ = folded == 0 ? 1 : folded;
        if (flags != 0) {
            const std::uint64_t p = text_hash(properties, flags);
            properties_ = static_cast<std::uint32_t>(p ^ (p >> 32U));
        }
    }

    [[nodiscard]] bool has_same_message(fingerprint o) const noexcept { return message_ == o.message_; }
    [[nodiscard]] bool has_same_properties(fingerprint o) const noexcept
    {
        return properties_ == o.properties_;
    }
    /// Both halves as one number.
    [[nodiscard]] constexpr std::uint64_t value() const noexcept
    {
        return (std::uint64_t{message_} << 32U) | properties_;
    }
    friend constexpr bool operator==(fingerprint a, fingerprint b) noexcept
    {
        return a.value() == b.value();
    }

private:
    std::uint32_t message_ = 0; // 0: not mandatory
    std::uint32_t properties_ = 0;
};

} // namespace leveret::engine
