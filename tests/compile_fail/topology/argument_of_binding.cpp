// expect: a binding's arguments are header<...>, match_any and the like, or argument<...>
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using papers = lv::exchange<"papers", lv::headers>;

static_assert(lv::topology<papers,
                       lv::queue<"q">,
                       lv::bound_headers<"q", papers, lv::durable>>::is_checked);
