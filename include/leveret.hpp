// All of leveret: see the folders under leveret/ for its parts.
#pragma once

#include "leveret/amqp.hpp"
