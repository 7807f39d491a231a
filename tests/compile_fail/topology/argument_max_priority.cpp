// expect: the argument x-max-priority is the option max_priority<...>
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::argument<"x-max-priority", 5>>>::is_checked);
