// expect: a binding is there twice
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;

static_assert(lv::topology<stocks,
                       lv::queue<"q">,
                       lv::bound<"q", stocks, "a.*">,
                       lv::bound<"q", stocks, "b">,
                       lv::bound<"q", stocks, "a.*">>::is_checked);
