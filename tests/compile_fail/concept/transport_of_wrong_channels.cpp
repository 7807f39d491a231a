// A connection whose channels are none.
// tells: transport
// tells: open_channel
#include <leveret/memory.hpp>
#include <leveret/transport/concept.hpp>

struct no_channel {
    no_channel() = default;
    no_channel(no_channel&&) = default;
};
struct incomplete : leveret::memory::connection {
    asio::awaitable<no_channel> open_channel(leveret::call_options);
};
static_assert(leveret::transport<incomplete>);
