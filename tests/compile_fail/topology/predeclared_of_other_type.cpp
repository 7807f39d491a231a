// expect: a predeclared exchange (amq.topic and its like) has its own type
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

static_assert(lv::topology<lv::exchange<"amq.topic", lv::direct, lv::durable>>::is_checked);
