// A channel that does not tell what became of a publish.
// tells: publishes
// tells: awaits
#include <leveret/memory.hpp>
#include <leveret/transport/concept.hpp>

#include <string_view>

struct incomplete : leveret::memory::channel {
    asio::awaitable<bool> publish_confirmed(std::string_view, std::string_view, const leveret::message&,
                                            leveret::confirmed_publish_options);
    asio::awaitable<bool> publish_confirmed(std::string_view, std::string_view, std::string_view,
                                            leveret::confirmed_publish_options);
};
static_assert(leveret::channel<incomplete>);
