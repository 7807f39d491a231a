#pragma once

#include "leveret/transport/amqp/channel.hpp"
#include "leveret/transport/serve.hpp"

namespace leveret::amqp {

using leveret::on_error;
using leveret::serve;
using leveret::serve_options;

/// What `serve` gives for a channel of this transport.
template <class Handler>
using server = leveret::server<channel, Handler>;

} // namespace leveret::amqp
