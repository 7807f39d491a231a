// expect: publish: a headers exchange takes a table of headers
#include <leveret/memory.hpp>
#include <leveret/topology.hpp>

namespace lv = leveret;

using stocks = lv::exchange<"stocks", lv::topic>;
using documents = lv::exchange<"documents", lv::headers>;
using news = lv::exchange<"news", lv::fanout>;
using hidden = lv::exchange<"hidden", lv::fanout, lv::internal>;
struct desk : lv::topology<stocks, documents, news, hidden, lv::queue<"nyse">, lv::bound<"nyse", stocks, "*.nyse">,
                           lv::bound<"nyse", hidden>,
                           lv::bound<"nyse", documents, "", lv::header<"format", "pdf">>> {};

asio::awaitable<void> use(lv::memory::channel channel)
{
    co_await lv::publish<desk, documents>(channel, "pdf", "quote");
}
