// expect: the argument x-message-ttl is the option message_ttl<...>
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::argument<"x-message-ttl", -1>>>::is_checked);
