// expect: * is a word of its own in a topic pattern, not part of one
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;

static_assert(lv::topology<stocks,
                       lv::queue<"q">,
                       lv::bound<"q", stocks, "kern*">>::is_checked);
