// expect: publish: a routing key has at most 255 bytes
#include <leveret/memory.hpp>
#include <leveret/topology.hpp>

namespace lv = leveret;

#define X64 "1234567890123456789012345678901234567890123456789012345678901234"

using stocks = lv::exchange<"stocks", lv::topic>;
using news = lv::exchange<"news", lv::fanout>;
using hidden = lv::exchange<"hidden", lv::fanout, lv::internal>;
struct desk : lv::topology<stocks, news, hidden, lv::queue<"nyse">, lv::bound<"nyse", stocks, "*.nyse">,
                           lv::bound<"nyse", hidden>> {};

asio::awaitable<void> use(lv::memory::channel channel)
{
    co_await lv::publish<desk, stocks, X64 X64 X64 X64>(channel, "quote");
}
