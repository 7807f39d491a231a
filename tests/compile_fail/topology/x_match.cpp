// expect: x-match is all, any, all-with-x or any-with-x
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using papers = lv::exchange<"papers", lv::headers>;

static_assert(lv::topology<papers,
                       lv::queue<"q">,
                       lv::bound_headers<"q", papers, lv::header<"a", 1>, lv::argument<"x-match", "some">>>::is_checked);
