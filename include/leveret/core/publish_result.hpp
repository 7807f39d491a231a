#pragma once

#include "leveret/core/reply_code.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace leveret {

/// What became of a message that was published with a confirmation.
enum class publish_outcome : std::uint8_t {
    confirmed,  ///< the broker has taken responsibility for it (basic.ack)
    rejected,   ///< the broker refused it (basic.nack), for instance because a queue is full
    unroutable, ///< it was returned: no queue is bound for it (basic.return)
};

/// Outcome of one confirmed publish; true where a condition is wanted if the broker has the message.
class [[nodiscard]] publish_result {
public:
    publish_result() noexcept = default;
    explicit publish_result(publish_outcome outcome) noexcept : outcome_(outcome) {}
    publish_result(leveret::reply_code code, std::string text)
        : outcome_(publish_outcome::unroutable), code_(code), text_(std::move(text))
    {
    }

    explicit operator bool() const noexcept { return is_confirmed(); }
    [[nodiscard]] bool is_confirmed() const noexcept
    {
        return outcome_ == publish_outcome::confirmed;
    }
    [[nodiscard]] bool is_rejected() const noexcept { return outcome_ == publish_outcome::rejected; }
    [[nodiscard]] bool is_unroutable() const noexcept
    {
        return outcome_ == publish_outcome::unroutable;
    }
    [[nodiscard]] publish_outcome outcome() const noexcept { return outcome_; }
    /// For an unroutable message the broker's reply code (312 NO_ROUTE), else 200.
    [[nodiscard]] leveret::reply_code reply_code() const noexcept { return code_; }
    /// For an unroutable message the broker's text, else empty.
    [[nodiscard]] const std::string& reply_text() const noexcept { return text_; }

private:
    publish_outcome outcome_ = publish_outcome::confirmed;
    leveret::reply_code code_ = leveret::reply_code::success;
    std::string text_;
};

} // namespace leveret
