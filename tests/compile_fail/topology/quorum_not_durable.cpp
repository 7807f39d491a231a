// expect: a quorum queue must be durable
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::quorum>>::is_checked);
