// expect: publish: only a fanout exchange does without a key, words or headers
#include <leveret/memory.hpp>
#include <leveret/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;
using news = lv::exchange<"news", lv::fanout>;
using hidden = lv::exchange<"hidden", lv::fanout, lv::internal>;
struct desk : lv::topology<stocks, news, hidden, lv::queue<"nyse">, lv::bound<"nyse", stocks, "*.nyse">,
                           lv::bound<"nyse", hidden>> {};

asio::awaitable<void> use(lv::memory::channel channel)
{
    co_await lv::publish<desk, stocks>(channel, "quote");
}
