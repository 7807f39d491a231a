// expect: an argument's name has 1 to 255 bytes
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::argument<"", 5>>>::is_checked);
