// expect: a queue can't expire after 0 ms
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::expires<0>>>::is_checked);
