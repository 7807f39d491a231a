// expect: a binding of a headers exchange names the headers to match
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using papers = lv::exchange<"papers", lv::headers>;

static_assert(lv::topology<papers,
                       lv::queue<"q">,
                       lv::bound_headers<"q", papers, lv::match_any>>::is_checked);
