// expect: only a quorum queue has a delivery limit
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::delivery_limit<5>>>::is_checked);
