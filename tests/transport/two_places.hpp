// A broker whose home runs when a test lets it, on the same thread as what uses it from elsewhere.
#pragma once

#include "support/coro_test.hpp"

#include <leveret/memory.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace leveret::test {

/// A broker with its home, and a context elsewhere, both run by `step`.
struct two_places {
    two_places()
    {
        run(*home, settle());
        REQUIRE(first.is_open());
    }
    asio::awaitable<void> settle() { first = co_await memory::connect(broker); }

    /// Runs a coroutine on one context to its end, with both running.
    void run(asio::io_context& on, asio::awaitable<void> work)
    {
        bool is_done = false;
        std::exception_ptr error;
        asio::co_spawn(on, std::move(work), [&](std::exception_ptr e) {
            is_done = true;
            error = e;
        });
        const auto limit = std::chrono::steady_clock::now() + coro_time_limit();
        while (!is_done) {
            REQUIRE(std::chrono::steady_clock::now() < limit);
            step();
        }
        if (error)
            std::rethrow_exception(error);
    }
    void run(asio::awaitable<void> work) { run(*elsewhere, std::move(work)); }
    /// All that is ready.
    void step()
    {
        for (int i = 0; i < 8; ++i) {
            for (auto* c : {&home, &elsewhere})
                if (*c) {
                    (*c)->restart(); // one that had nothing left to do has stopped
                    (*c)->poll();
                }
        }
    }
    /// Starts a coroutine elsewhere; the outcome is there when it has one.
    std::shared_ptr<std::optional<std::exception_ptr>> start(asio::awaitable<void> work,
                                                             asio::cancellation_signal* cancel = nullptr)
    {
        auto result = std::make_shared<std::optional<std::exception_ptr>>();
        const auto done = [result](std::exception_ptr e) { *result = e; };
        if (cancel != nullptr)
            asio::co_spawn(*elsewhere, std::move(work), asio::bind_cancellation_slot(cancel->slot(), done));
        else
            asio::co_spawn(*elsewhere, std::move(work), done);
        return result;
    }

    memory::broker broker;
    std::optional<asio::io_context> home{std::in_place, 1};
    std::optional<asio::io_context> elsewhere{std::in_place, 1};
    memory::connection first;
    memory::connection connection; ///< of the case
    memory::channel channel;

    asio::awaitable<void> open()
    {
        connection = co_await memory::connect(broker);
        channel = co_await connection.open_channel();
    }
};

} // namespace leveret::test
