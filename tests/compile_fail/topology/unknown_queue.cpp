// expect: a binding's queue is not in the topology
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;

static_assert(lv::topology<stocks,
                       lv::queue<"desk">,
                       lv::bound<"dekc", stocks, "a">>::is_checked);
