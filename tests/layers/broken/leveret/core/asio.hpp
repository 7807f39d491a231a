// expect: reaches Asio
#pragma once
#include <asio/version.hpp>
