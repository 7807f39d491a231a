// expect: an argument is given twice
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::argument<"x-queue-mode", "lazy">, lv::argument<"x-queue-mode", "default">>>::is_checked);
