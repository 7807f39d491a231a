// expect: names randomness
#pragma once
#include <random>
using leveret_seed = std::random_device;
