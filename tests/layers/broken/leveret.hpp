// expect: an umbrella is a list of includes
#pragma once
#include "leveret/core/good.hpp"
namespace leveret {}
