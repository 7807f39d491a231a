// expect: an exchange's alternate exchange is not in the topology
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::exchange<"x", lv::topic, lv::alternate_exchange<"rest">>>::is_checked);
