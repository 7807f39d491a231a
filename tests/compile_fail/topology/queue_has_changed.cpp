// expect: a binding's queue is in the topology with other options
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;

static_assert(lv::topology<stocks,
                       lv::queue<"q">,
                       lv::bound_queue<lv::queue<"q", lv::durable>, stocks, "a">>::is_checked);
