#pragma once

#include "leveret/core/table.hpp"
#include "leveret/wire/table_codec.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace leveret::broker::server_detail {

/// Who a client says it is.
struct login {
    login() = default;
    std::string user;
    std::string password;
    bool is_well_formed = false;
};

/// Reads the response of PLAIN (RFC 4616): authorization identity, user, password, separated by NUL.
[[nodiscard]] inline login read_plain(std::string_view response)
{
    login l;
    const std::size_t user = response.find('\0');
    const std::size_t password =
        user == std::string_view::npos ? user : response.find('\0', user + 1);
    if (password == std::string_view::npos ||
        response.find('\0', password + 1) != std::string_view::npos)
        return l;
    l.user = response.substr(user + 1, password - user - 1);
    l.password = response.substr(password + 1);
    l.is_well_formed = true;
    return l;
}

/// Reads the response of AMQPLAIN: a field table without its length.
[[nodiscard]] inline login read_amqplain(std::string_view response)
{
    login l;
    if (wire::check_table({response}, 1) != protocol_errc::none)
        return l;
    const table t = wire::decode_table({response});
    const std::string* user = t.find_as<std::string>("LOGIN");
    const std::string* password = t.find_as<std::string>("PASSWORD");
    if (user == nullptr || password == nullptr)
        return l;
    l.user = *user;
    l.password = *password;
    l.is_well_formed = true;
    return l;
}

} // namespace leveret::broker::server_detail
