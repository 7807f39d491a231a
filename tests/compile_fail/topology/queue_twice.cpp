// expect: a queue is declared twice with different options
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q">,
                       lv::queue<"q", lv::message_ttl<5>>>::is_checked);
