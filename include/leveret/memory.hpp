/// The in-memory transport: a broker in this process. See memory::broker.
#pragma once

#include "leveret/core/message.hpp"         // IWYU pragma: export
#include "leveret/core/options.hpp"         // IWYU pragma: export
#include "leveret/transport/memory/broker.hpp" // IWYU pragma: export
#include "leveret/transport/memory/connection.hpp" // IWYU pragma: export
#include "leveret/transport/memory/publisher.hpp" // IWYU pragma: export
