// expect: a quorum queue does not know the overflow reject-publish-dlx
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::durable, lv::quorum, lv::reject_publish_dlx, lv::dead_letter_exchange<"">>>::is_checked);
