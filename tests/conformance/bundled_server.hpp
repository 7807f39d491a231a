// The bundled server, on the executor and with the life of one case. Its headers are compiled once: see the .cpp.
#pragma once

#include <leveret/io/config.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <memory>
#include <string>

namespace leveret::test {

class bundled_server {
public:
    bundled_server() noexcept;
    ~bundled_server();
    /// Starts it the first time.
    [[nodiscard]] std::string uri(const asio::any_io_executor& executor);
    /// Ends it, if it was started.
    [[nodiscard]] asio::awaitable<void> stop();

private:
    struct running;
    std::unique_ptr<running> running_;
};

} // namespace leveret::test
