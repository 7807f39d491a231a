// expect: an exchange is declared twice with different types or options
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;

static_assert(lv::topology<stocks,
                       lv::exchange<"stocks", lv::topic, lv::durable>>::is_checked);
