// A delivery that can't be refused.
// expect: settled_once
// expect: d.reject()
#include <leveret/memory.hpp>
#include <leveret/transport/concept.hpp>

struct incomplete : leveret::memory::delivery {
    void reject() = delete;
};
static_assert(leveret::delivery<incomplete>);
