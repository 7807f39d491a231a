// expect: nothing
#pragma once
#include <chrono>
inline auto leveret_io_now() { return std::chrono::steady_clock::now(); }
