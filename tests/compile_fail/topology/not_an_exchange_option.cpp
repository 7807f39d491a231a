// expect: this is not an option of exchanges
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::exchange<"x", lv::topic, lv::exclusive>>::is_checked);
