// expect: nothing
// Naming steady_timer, tcp::socket and detached in a comment is no fault.
#pragma once
#include <chrono>
inline const char* leveret_text = "random_device // steady_clock::now()";
using leveret_time = std::chrono::steady_clock::time_point;
