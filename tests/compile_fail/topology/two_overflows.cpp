// expect: an option is given twice, or two that exclude each other
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::drop_head, lv::reject_publish>>::is_checked);
