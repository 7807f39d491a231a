// A delivery that can't be refused.
// tells: settled_once
// tells: d.reject()
#include <leveret/memory.hpp>
#include <leveret/transport/concept.hpp>

struct incomplete : leveret::memory::delivery {
    void reject() = delete;
};
static_assert(leveret::delivery<incomplete>);
