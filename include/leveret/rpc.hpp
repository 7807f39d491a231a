// Calls over any transport, also with oslo.messaging on the other end: client and server. Needs nlohmann-json.
#pragma once

#include "leveret/json.hpp"           // IWYU pragma: export
#include "leveret/rpc/arguments.hpp"  // IWYU pragma: export
#include "leveret/rpc/client.hpp"     // IWYU pragma: export
#include "leveret/rpc/endpoint.hpp"   // IWYU pragma: export
#include "leveret/rpc/error.hpp"      // IWYU pragma: export
#include "leveret/rpc/server.hpp"     // IWYU pragma: export
#include "leveret/rpc/target.hpp"     // IWYU pragma: export
#include "leveret/rpc/wire/oslo.hpp"  // IWYU pragma: export
#include "leveret/rpc/wire/plain.hpp" // IWYU pragma: export
