// expect: a binding of a fanout exchange has a key or pattern
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::exchange<"news", lv::fanout>,
                       lv::queue<"q">,
                       lv::bound<"q", lv::exchange<"news", lv::fanout>, "a.*">>::is_checked);
