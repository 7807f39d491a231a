// expect: reaches Asio
#pragma once
#include "leveret/core/asio.hpp"
