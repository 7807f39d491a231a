// expect: a queue's highest priority is 1 to 255
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::max_priority<256>>>::is_checked);
