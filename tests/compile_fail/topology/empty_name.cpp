// expect: a topology's exchanges and queues have names
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"">>::is_checked);
