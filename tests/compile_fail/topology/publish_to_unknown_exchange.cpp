// expect: publish: the exchange is not in the topology
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
    co_await lv::publish<desk, lv::exchange<"stokcs", lv::topic>, "usd.nyse">(channel, "quote");
}
