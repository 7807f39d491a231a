// expect: a time, length or limit is not negative
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::max_length<-5>>>::is_checked);
