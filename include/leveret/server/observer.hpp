#pragma once

#include <cstdint>
#include <string_view>

namespace leveret::broker {

/// Hears what happens at a server, for logs and counts. Called on the server's executor, in the middle of its work:
/// it must not call the server. Connections have numbers from 1 on. It outlives the server. Texts from clients are
/// as they sent them: `escaped` makes them fit for a log. No password is ever given to it.
class server_observer {
public:
    virtual ~server_observer() = default;

    virtual void connected(std::uint64_t /*connection*/, std::string_view /*address*/,
                           std::uint16_t /*port*/)
    {
    }
    virtual void login_refused(std::uint64_t /*connection*/, std::string_view /*user*/) {}
    virtual void opened(std::uint64_t /*connection*/, std::string_view /*user*/,
                        std::string_view /*virtual_host*/)
    {
    }
    /// What was connected has come to its end; `why` is empty where nobody gave a reason.
    virtual void disconnected(std::uint64_t /*connection*/, std::string_view /*why*/) {}
    /// The limits of connections leave no room for one more.
    virtual void turned_away(std::string_view /*address*/) {}
};

} // namespace leveret::broker
