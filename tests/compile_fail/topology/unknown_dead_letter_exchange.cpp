// expect: a queue's dead letter exchange is not in the topology
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::dead_letter_exchange<"failed">>,
                       lv::queue<"failed">>::is_checked);
