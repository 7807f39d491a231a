// expect: nothing
#pragma once
#include "leveret/core/good.hpp"
