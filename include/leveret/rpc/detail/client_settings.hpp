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
    template <class Wire>
    client_settings(const Wire& wire, const target_options& t, const client_options& o, json c)
        : target(t), options(o), version_cap(o.version_cap), context(std::move(c)), exchange(wire.exchange(target)),
          routing_key(target.server().empty() ? target.topic() : target.topic() + "." + target.server())
    {
        options.version_cap = {};
    }

    rpc::target target;
    client_options options;
    std::string version_cap;
    json context;
    std::string exchange, routing_key; // of requests to one server
};

} // namespace leveret::rpc::detail
