// expect: a binding of a headers exchange has a key or pattern
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using papers = lv::exchange<"papers", lv::headers>;

static_assert(lv::topology<papers,
                       lv::queue<"q">,
                       lv::bound<"q", papers, "pdf">>::is_checked);
