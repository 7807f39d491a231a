// expect: a dead letter routing key needs a dead letter exchange
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::dead_letter_routing_key<"failed">>>::is_checked);
