#pragma once

#include "leveret/core/message.hpp"
#include "leveret/core/reply_code.hpp"

#include <string>
#include <utility>

namespace leveret {

/// A message that came back because it was published as mandatory and reached no queue (basic.return).
class returned_message {
public:
    returned_message() = default;
    returned_message(leveret::reply_code code, std::string text, std::string exchange,
                     std::string routing_key, leveret::message m)
        : code_(code), text_(std::move(text)), exchange_(std::move(exchange)),
          routing_key_(std::move(routing_key)), message_(std::move(m))
    {
    }

    /// 312 NO_ROUTE from RabbitMQ.
    [[nodiscard]] leveret::reply_code reply_code() const noexcept { return code_; }
    [[nodiscard]] const std::string& reply_text() const noexcept { return text_; }
    [[nodiscard]] const std::string& exchange() const noexcept { return exchange_; }
    [[nodiscard]] const std::string& routing_key() const noexcept { return routing_key_; }
    [[nodiscard]] const leveret::message& message() const noexcept { return message_; }

private:
    leveret::reply_code code_ = leveret::reply_code::success;
    std::string text_, exchange_, routing_key_;
    leveret::message message_;
};

} // namespace leveret
