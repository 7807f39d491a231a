// expect: the argument x-dead-letter-exchange is the option dead_letter_exchange<...>
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::queue<"q", lv::argument<"x-dead-letter-exchange", "nowhere">>>::is_checked);
