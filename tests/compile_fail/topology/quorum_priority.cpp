// expect: a quorum queue has no x-max-priority
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::durable, lv::quorum, lv::max_priority<5>>>::is_checked);
