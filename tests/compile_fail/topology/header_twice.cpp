// expect: an argument is given twice
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using papers = lv::exchange<"papers", lv::headers>;

static_assert(lv::topology<papers,
                       lv::queue<"q">,
                       lv::bound_headers<"q", papers, lv::header<"a", 1>, lv::header<"a", 2>>>::is_checked);
