// expect: an exchange is its own alternate exchange
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::exchange<"x", lv::topic, lv::alternate_exchange<"x">>>::is_checked);
