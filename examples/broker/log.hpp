// One line an event. Passwords don't come here.
#pragma once

#include <leveret/core/escape.hpp>
#include <leveret/server/observer.hpp>

#include <spdlog/spdlog.h>

#include <cstdint>
#include <string_view>

class event_log final : public leveret::broker::server_observer {
public:
    void connected(std::uint64_t n, std::string_view address, std::uint16_t port) override
    {
        spdlog::info("connection {} from {} port {}", n, address, port);
    }
    void login_refused(std::uint64_t n, std::string_view user) override
    {
        spdlog::warn("connection {}: login of '{}' refused", n, leveret::escaped(user));
    }
    void opened(std::uint64_t n, std::string_view user, std::string_view virtual_host) override
    {
        spdlog::info("connection {}: user '{}' in virtual host '{}'", n, leveret::escaped(user),
                     leveret::escaped(virtual_host));
    }
    void disconnected(std::uint64_t n, std::string_view why) override
    {
        spdlog::info("connection {} ended{}{}", n, why.empty() ? "" : ": ", leveret::escaped(why));
    }
    void turned_away(std::string_view address) override
    {
        spdlog::warn("a connection from {} turned away: the limit is reached", address);
    }
};
