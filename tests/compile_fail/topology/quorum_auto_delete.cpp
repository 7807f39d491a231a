// expect: a quorum queue can't be deleted automatically
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::durable, lv::quorum, lv::auto_delete>>::is_checked);
