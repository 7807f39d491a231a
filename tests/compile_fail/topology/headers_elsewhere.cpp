// expect: a binding has headers to match, but its exchange is not a headers exchange
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;

static_assert(lv::topology<stocks,
                       lv::queue<"q">,
                       lv::bound<"q", stocks, "a", lv::header<"format", "pdf">>>::is_checked);
