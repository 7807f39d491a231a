// The AMQP server, to be embedded: see server/server.hpp.
#pragma once

#include "leveret/server/server.hpp"
#include "leveret/server/users.hpp"
