// expect: the default exchange has no bindings
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q">,
                       lv::bound<"q", lv::default_exchange, "q">>::is_checked);
