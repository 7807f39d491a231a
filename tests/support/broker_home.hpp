// A broker in this process whose home is another thread: every connection of the test's reaches it through mailboxes.
#pragma once

#include <leveret/memory.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_future.hpp>

#include <optional>
#include <thread>
#include <utility>

namespace leveret::test {

class broker_home {
public:
    explicit broker_home(leveret::broker::options o = {}) : broker(o)
    {
        thread_ = std::thread([this] { context_.run(); });
        asio::co_spawn(context_, settle(), asio::use_future).get();
    }
    broker_home(const broker_home&) = delete;
    broker_home& operator=(const broker_home&) = delete;
    ~broker_home()
    {
        asio::post(context_, [this] { first_.reset(); });
        work_.reset();
        thread_.join();
    }

    memory::broker broker;

    [[nodiscard]] asio::io_context& context() noexcept { return context_; }

private:
    asio::awaitable<void> settle() { first_ = co_await memory::connect(broker); }

    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    std::optional<memory::connection> first_;
    std::thread thread_;
};

} // namespace leveret::test
