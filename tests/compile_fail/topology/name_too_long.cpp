// expect: a name has at most 255 bytes
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

#define X64 "1234567890123456789012345678901234567890123456789012345678901234"

static_assert(lv::topology<lv::queue<X64 X64 X64 X64>>::is_checked);
