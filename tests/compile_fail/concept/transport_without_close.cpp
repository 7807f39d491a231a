// A connection that can't be closed.
// tells: transport
// tells: t.close(
#include <leveret/memory.hpp>
#include <leveret/transport/concept.hpp>

struct incomplete : leveret::memory::connection {
    void close(leveret::call_options) = delete;
};
static_assert(leveret::transport<incomplete>);
