#pragma once

#include "leveret/core/table.hpp"
#include "leveret/wire/table_codec.hpp"

#include <string>
#include <string_view>

namespace leveret {

/// An authentication mechanism of the user's own (specification: connection.start, secure). The object
/// must outlive the attempt to connect. Names are matched as the server lists them.
class sasl_mechanism {
public:
    virtual ~sasl_mechanism() = default;
    /// Such as `PLAIN`.
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// The response that goes with connection.start-ok. What it throws fails the connect.
    [[nodiscard]] virtual std::string initial_response() = 0;
    /// The answer to a challenge of connection.secure. What it throws fails the connect.
    [[nodiscard]] virtual std::string respond(std::string_view challenge) = 0;
};

namespace engine {

/// The response of PLAIN (RFC 4616): no authorization identity, user, password.
[[nodiscard]] inline std::string plain_response(std::string_view user, std::string_view password)
{
    std::string r(1, '\0');
    r += user;
    r += '\0';
    r += password;
    return r;
}

/// The response of AMQPLAIN: the entries of a field table without its length (as RabbitMQ reads it).
[[nodiscard]] inline std::string amqplain_response(std::string_view user, std::string_view password)
{
    table t;
    t.append("LOGIN", user);
    t.append("PASSWORD", password);
    return wire::encode_table(t);
}

/// Whether `mechanism` is one of the words of the server's list.
[[nodiscard]] inline bool offers(std::string_view mechanisms, std::string_view mechanism) noexcept
{
    while (!mechanisms.empty()) {
        const std::size_t space = mechanisms.find(' ');
        if (mechanisms.substr(0, space) == mechanism)
            return true;
        mechanisms.remove_prefix(space == std::string_view::npos ? mechanisms.size() : space + 1);
    }
    return false;
}

} // namespace engine
} // namespace leveret
