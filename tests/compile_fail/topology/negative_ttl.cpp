// expect: a time, length or limit is not negative
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::message_ttl<-1>>>::is_checked);
