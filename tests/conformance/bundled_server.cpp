#include "conformance/bundled_server.hpp"

#include <leveret/server.hpp>

namespace leveret::test {

struct bundled_server::running {
    explicit running(const asio::any_io_executor& executor) : server(executor) {}
    broker::server server;
};

bundled_server::bundled_server() noexcept = default;
bundled_server::~bundled_server() = default;

std::string bundled_server::uri(const asio::any_io_executor& executor)
{
    if (!running_)
        running_ = std::make_unique<running>(executor);
    return "amqp://127.0.0.1:" + std::to_string(running_->server.port());
}

asio::awaitable<void> bundled_server::stop()
{
    if (running_)
        co_await running_->server.stop();
}

} // namespace leveret::test
