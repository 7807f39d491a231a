// expect: an option is given twice, or two that exclude each other
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::durable, lv::classic, lv::quorum>>::is_checked);
