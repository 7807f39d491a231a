// A stream of deliveries that can only be waited for.
// expect: delivery_stream
// expect: s.try_next()
#include <leveret/memory.hpp>
#include <leveret/transport/concept.hpp>

struct incomplete : leveret::memory::consumer {
    void try_next() = delete;
};
static_assert(leveret::delivery_stream<incomplete>);
