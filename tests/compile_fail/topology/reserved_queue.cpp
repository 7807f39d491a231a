// expect: names that begin with 'amq.' are the broker's own
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"amq.mine">>::is_checked);
