// expect: the exchange that a binding leads to is not in the topology
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;

static_assert(lv::topology<stocks,
                       lv::bound_exchange<lv::exchange<"archive", lv::fanout>, stocks, "a">>::is_checked);
