// expect: a binding's key or pattern has at most 255 bytes
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;
#define X64 "1234567890123456789012345678901234567890123456789012345678901234"

static_assert(lv::topology<stocks,
                       lv::queue<"q">,
                       lv::bound<"q", stocks, X64 X64 X64 X64>>::is_checked);
