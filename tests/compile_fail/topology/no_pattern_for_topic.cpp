// expect: a binding of a topic exchange needs a pattern
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;

static_assert(lv::topology<stocks,
                       lv::queue<"q">,
                       lv::bound<"q", stocks>>::is_checked);
