// A delivery of which there could be two, each to be settled.
// tells: copyable
#include <leveret/memory.hpp>
#include <leveret/transport/concept.hpp>

struct twofold : leveret::memory::delivery {
    twofold() = default;
    twofold(const twofold&) {}
    twofold& operator=(const twofold&) { return *this; }
};
static_assert(leveret::delivery<twofold>);
