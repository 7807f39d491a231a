// LEVERET_ASSERT guards against mistakes in this library, never against what a peer or a user sent.
#pragma once

#if !defined(LEVERET_ASSERT)
#include <cassert>
#define LEVERET_ASSERT(condition) assert(condition)
#endif
