#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace leveret {

/// What the broker says of a queue when it is declared.
class queue_info {
public:
    queue_info() = default;
    queue_info(std::string name, std::uint32_t messages, std::uint32_t consumers)
        : name_(std::move(name)), messages_(messages), consumers_(consumers)
    {
    }

    /// Its name: the broker's own invention if it was declared with an empty one.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// Messages ready to be delivered.
    [[nodiscard]] std::uint32_t message_count() const noexcept { return messages_; }
    [[nodiscard]] std::uint32_t consumer_count() const noexcept { return consumers_; }

private:
    std::string name_;
    std::uint32_t messages_ = 0;
    std::uint32_t consumers_ = 0;
};

} // namespace leveret
