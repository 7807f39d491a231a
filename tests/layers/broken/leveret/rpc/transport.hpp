// expect: rpc/ may not include leveret/transport/timer.hpp
#pragma once
#include "leveret/transport/timer.hpp"
