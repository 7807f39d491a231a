// A stream of deliveries that can only be waited for.
// tells: delivery_stream
// tells: s.try_next()
#include <leveret/memory.hpp>
#include <leveret/transport/concept.hpp>

struct incomplete : leveret::memory::consumer {
    void try_next() = delete;
};
static_assert(leveret::delivery_stream<incomplete>);
