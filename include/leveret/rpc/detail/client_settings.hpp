#pragma once

#include "leveret/core/local_ptr.hpp"
#include "leveret/json/value.hpp"
#include "leveret/rpc/client_options.hpp"
#include "leveret/rpc/target.hpp"

#include <string>
#include <utility>

namespace leveret::rpc::detail {

/// What the calls of a client have in common. Nobody changes it: the client, its copies and its calls share it.
struct client_settings : local_counted {
    client_settings(const target_options& t, const client_options& o, json c)
        : target(t), options(o), version_cap(o.version_cap), context(std::move(c))
    {
        options.version_cap = {};
    }
    /// Of requests to one server.
    [[nodiscard]] std::string routing_key() const
    {
        return target.server().empty() ? target.topic() : target.topic() + "." + target.server();
    }

    rpc::target target;
    client_options options;
    std::string version_cap;
    json context;
};

} // namespace leveret::rpc::detail
