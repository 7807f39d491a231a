// expect: the overflow reject-publish-dlx needs a dead letter exchange
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::max_length<5>, lv::reject_publish_dlx>>::is_checked);
