// expect: names a clock
#pragma once
#include <chrono>
inline auto leveret_now() { return std::chrono::steady_clock::now(); }
