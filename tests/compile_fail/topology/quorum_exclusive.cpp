// expect: a quorum queue can't be exclusive
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::durable, lv::quorum, lv::exclusive>>::is_checked);
