// Connecting by URL, over whichever transport it names: see lv::connect.
#pragma once

#include "leveret/amqp.hpp"                         // IWYU pragma: export
#include "leveret/memory.hpp"                       // IWYU pragma: export
#include "leveret/transport/any/connection.hpp"     // IWYU pragma: export
#include "leveret/transport/connect.hpp"            // IWYU pragma: export
#include "leveret/transport/serve.hpp"              // IWYU pragma: export
