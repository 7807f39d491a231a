#pragma once

#include "leveret/server/access.hpp"

#include <string_view>

namespace leveret::broker {

/// The user guest with the password guest, who may do everything and comes from loopback only, as with a fresh
/// RabbitMQ.
class guest_access final : public access_control {
public:
    [[nodiscard]] bool can_log_in(std::string_view user, std::string_view password,
                                  bool from_loopback) override
    {
        return from_loopback && user == "guest" && password == "guest";
    }
    [[nodiscard]] bool can_enter(std::string_view, std::string_view) override { return true; }
    [[nodiscard]] bool is_allowed(std::string_view, std::string_view, permission, std::string_view) override
    {
        return true;
    }
    [[nodiscard]] std::uint64_t generation() const noexcept override { return 0; }
};

} // namespace leveret::broker
