// expect: a binding's exchange is in the topology with another type or other options
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;

static_assert(lv::topology<stocks,
                       lv::queue<"q">,
                       lv::bound<"q", lv::exchange<"stocks", lv::direct>, "a">>::is_checked);
