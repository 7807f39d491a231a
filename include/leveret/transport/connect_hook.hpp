#pragma once

#include "leveret/transport/amqp/connect.hpp"

#include <asio/awaitable.hpp>

#include <string_view>

namespace leveret::detail {

/// How lv::connect takes amqps://. Null until <leveret/tls.hpp> is part of the program.
inline asio::awaitable<amqp::connection> (*connect_amqps)(std::string_view url,
                                                          const amqp::connect_options& o) = nullptr;

} // namespace leveret::detail
