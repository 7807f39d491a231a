// A channel that can begin a transaction and not end it.
// tells: has_transactions
// tells: c.commit(
#include <leveret/memory.hpp>
#include <leveret/transport/concept.hpp>

struct incomplete : leveret::memory::channel {
    void commit(leveret::call_options) = delete;
};
static_assert(leveret::channel<incomplete>);
