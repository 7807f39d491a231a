// expect: the argument alternate-exchange is the option alternate_exchange<...>
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::exchange<"x", lv::topic, lv::argument<"alternate-exchange", "rest">>>::is_checked);
