// expect: a binding of a direct exchange has a wildcard as a word
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using jobs = lv::exchange<"jobs", lv::direct>;

static_assert(lv::topology<jobs,
                       lv::queue<"q">,
                       lv::bound<"q", jobs, "print.*">>::is_checked);
