// expect: this is not an option of queues
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::internal>>::is_checked);
