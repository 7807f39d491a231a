// expect: the argument x-queue-type is the option classic or quorum
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::argument<"x-queue-type", "quorum">>>::is_checked);
