// Doing something to a program at every moment of its life: it runs on an io_context again and again,
// each time one handler further, and then that something is done.
#pragma once

#include "support/coro_test.hpp"
#include "support/outcome.hpp"
#include "support/scripted_server.hpp"
#include "support/small_broker.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace leveret::test {

/// The server's side of a world, null while it does not live.
struct server_side {
    scripted_peer* peer = nullptr;
    small_broker* broker = nullptr;
};

/// A client and its broker.
struct world {
    explicit world(asio::any_io_executor x) : executor(std::move(x)), server(executor) {}

    asio::any_io_executor executor;
    scripted_server server;
    std::shared_ptr<server_side> side = std::make_shared<server_side>();
    int deliveries = 0;
    bool has_message = false;

    amqp::connection connection;
    amqp::channel channel;
    amqp::consumer consumer;

    [[nodiscard]] small_broker& broker() const
    {
        REQUIRE(side->broker != nullptr);
        return *side->broker;
    }
    /// Serves one client.
    void serve()
    {
        server.play([side = side, n = deliveries, has = has_message](
                        scripted_peer& client) -> asio::awaitable<void> {
            const auto forget = [&side](small_broker*) { *side = {}; };
            small_broker b(client);
            const std::unique_ptr<small_broker, decltype(forget)> end(&b, forget);
            b.deliveries = n;
            b.has_message = has;
            *side = {&client, &b};
            co_await b.serve();
        });
    }
    asio::awaitable<void> connect()
    {
        connection = co_await amqp::connect(server.url());
        channel = co_await connection.open_channel();
    }
};

/// An operation of the matrix. Coroutines without captures.
using operation_under_test = asio::awaitable<void> (*)(world&);

/// Says from where to where the steps of a life are counted.
class stepper {
public:
    void begin() { is_counting_ = true; }
    void end()
    {
        is_counting_ = false;
        has_ended_ = true;
    }
    [[nodiscard]] bool is_counting() const noexcept { return is_counting_; }
    [[nodiscard]] bool has_ended() const noexcept { return has_ended_; }

private:
    bool is_counting_ = false;
    bool has_ended_ = false;
};

/// Runs `life(stepper)` to its end once for every number of handlers that run between begin() and end(),
/// calling `act` after so many. Fails the test when a life does not end.
template <class Life, class Act>
void at_every_step(Life life, Act act)
{
    using clock = std::chrono::steady_clock;
    bool acted = true;
    for (std::size_t at = 0; acted; ++at) {
        CAPTURE(at);
        acted = false;
        std::size_t steps = 0;
        stepper s;
        bool complete = false;
        asio::io_context context{1};
        asio::co_spawn(context, life(s), [&](std::exception_ptr thrown) {
            complete = true;
            if (thrown)
                std::rethrow_exception(thrown);
        });
        const auto limit = clock::now() + coro_time_limit();
        while (context.run_one_until(limit) != 0) {
            if (!acted && s.is_counting() && steps++ == at) {
                acted = true;
                act();
            }
        }
        REQUIRE(complete);
        REQUIRE(context.stopped());
    }
}

} // namespace leveret::test
