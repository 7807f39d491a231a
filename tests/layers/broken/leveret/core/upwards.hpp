// expect: core/ may not include leveret/wire/good.hpp
#pragma once
#include "leveret/wire/good.hpp"
