#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/options.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace leveret::rpc {

/// Options of a client.
struct client_options {
    duration timeout = default_timeout;        ///< of a call, from when it is awaited to its answer
    duration call_monitor = duration::never(); ///< oslo: a server that is silent for so long, from 2 s, is given up
    std::size_t retries = 0;                   ///< how often a call that no server is there for is sent again, in its time
    duration retry_interval = duration::milliseconds(250); ///< before each of them
    std::string_view version_cap = {};         ///< versions of targets that are not compatible with it are not sent
};
/// What is to be different in a client that `prepare` makes.
struct prepare_options {
    std::optional<std::string_view> exchange = {}, topic = {}, server = {}, name_space = {}, version = {};
    std::optional<bool> fanout = {};
    std::optional<duration> timeout = {}, call_monitor = {};
    std::optional<std::size_t> retries = {};
    std::optional<duration> retry_interval = {};
    std::optional<std::string_view> version_cap = {};
};
static_assert(safe_options<client_options> && safe_options<prepare_options>);

} // namespace leveret::rpc
