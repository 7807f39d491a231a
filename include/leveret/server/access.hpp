#pragma once

#include <cstdint>
#include <string_view>

namespace leveret::broker {

/// What a user may do with a queue or an exchange, as RabbitMQ has it: make and delete it; put messages in;
/// take messages out.
enum class permission : std::uint8_t { configure, write, read };

/// Who may log in to a server, and what they may do then. A server asks it from its executor, in the middle of
/// its work: an answer should not take long. It outlives the server.
class access_control {
public:
    virtual ~access_control() = default;

    /// Whether this is a user with this password who may come from there. The answer's reason is not for the
    /// client to know. Must take as long for a user that is not there as for a wrong password.
    [[nodiscard]] virtual bool can_log_in(std::string_view user, std::string_view password,
                                          bool from_loopback) = 0;
    /// The same for one whose certificate names it (mechanism EXTERNAL). Nobody, unless told otherwise.
    [[nodiscard]] virtual bool can_log_in_by_certificate(std::string_view user, bool from_loopback)
    {
        static_cast<void>(user);
        static_cast<void>(from_loopback);
        return false;
    }
    [[nodiscard]] virtual bool can_enter(std::string_view user, std::string_view virtual_host) = 0;
    /// The default exchange has the name "amq.default" here.
    [[nodiscard]] virtual bool is_allowed(std::string_view user, std::string_view virtual_host,
                                          permission p, std::string_view name) = 0;
    /// Sessions remember what they were told until this number is another one.
    [[nodiscard]] virtual std::uint64_t generation() const noexcept = 0;
};

} // namespace leveret::broker
