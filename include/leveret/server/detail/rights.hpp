#pragma once

#include "leveret/broker/argument_text.hpp"
#include "leveret/broker/error.hpp"
#include "leveret/server/access.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace leveret::broker::server_detail {

enum class kind_of_name : std::uint8_t { exchange, queue };

/// What the user of a session may do in its virtual host. The last answers are remembered, for publishers name
/// one exchange many times.
class rights {
public:
    void assign(access_control& access, std::string_view user, std::string_view virtual_host)
    {
        access_ = &access;
        user_ = user;
        virtual_host_ = virtual_host;
    }
    [[nodiscard]] bool allow(permission p, std::string_view name)
    {
        memory& m = memories_[static_cast<std::size_t>(p)];
        const std::uint64_t now = access_->generation();
        if (m.is_set && m.generation == now && m.name == name)
            return true;
        if (!access_->is_allowed(user_, virtual_host_, p, name.empty() ? "amq.default" : name))
            return false;
        m.name = name;
        m.generation = now;
        m.is_set = true;
        return true;
    }
    /// For what only looks: any right will do.
    [[nodiscard]] bool allow_any(std::string_view name)
    {
        return allow(permission::configure, name) || allow(permission::write, name) ||
               allow(permission::read, name);
    }
    /// In RabbitMQ's words.
    [[nodiscard]] error refusal(kind_of_name kind, std::string_view name) const
    {
        std::string text = "access to ";
        text += kind == kind_of_name::queue ? "queue " : "exchange ";
        text += detail::in_quotes(name.empty() ? "amq.default" : name);
        text += " in vhost " + detail::in_quotes(virtual_host_) + " refused for user " +
                detail::in_quotes(user_);
        return detail::failure(reply_code::access_refused, text);
    }

private:
    struct memory {
        std::string name;
        std::uint64_t generation = 0;
        bool is_set = false;
    };
    access_control* access_ = nullptr;
    std::string user_;
    std::string virtual_host_;
    memory memories_[3];
};

} // namespace leveret::broker::server_detail
