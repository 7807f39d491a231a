#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
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
    {
        constexpr std::size_t looked_at = 64;
        std::uint64_t h = 0x9e3779b97f4a7c15U ^ body.size();
        h = mixed(h, exchange);
        h = mixed(h, routing_key);
        h = mixed(h, body.substr(0, looked_at));
        const auto folded = static_cast<std::uint32_t>(h ^ (h >> 32U));
        message_ = folded == 0 ? 1 : folded;
        if (flags != 0) {
            h = mixed(0x9e3779b97f4a7c15U ^ flags, properties);
            properties_ = static_cast<std::uint32_t>(h ^ (h >> 32U));
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
    [[nodiscard]] static std::uint64_t mixed(std::uint64_t h, std::string_view text) noexcept
    {
        const char* p = text.data();
        std::size_t n = text.size();
        for (; n >= 8; p += 8, n -= 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, p, 8);
            h = (h ^ word) * 0xff51afd7ed558ccdU;
            h ^= h >> 32U;
        }
        std::uint64_t rest = n;
        for (; n > 0; ++p, --n)
            rest = (rest << 8U) | static_cast<unsigned char>(*p);
        h = (h ^ rest) * 0xc4ceb9fe1a85ec53U;
        return h ^ (h >> 29U);
    }

    std::uint32_t message_ = 0; // 0: not mandatory
    std::uint32_t properties_ = 0;
};

} // namespace leveret::engine
