// expect: a binding's exchange is not in the topology
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;

static_assert(lv::topology<lv::queue<"q">,
                       lv::bound<"q", stocks, "a">>::is_checked);
