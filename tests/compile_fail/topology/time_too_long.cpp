// expect: a time is at most 315360000000 ms, ten years
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::message_ttl<315'360'000'001>>>::is_checked);
