// A case of the conformance suite: written once, registered once for each transport.
//
//     LEVERET_CONFORMANCE_CASE("queue.declare: a new queue is empty")
//     {
//         auto connection = co_await t.connect();
//         auto channel = co_await connection.open_channel();
//         const auto queue = t.name("q");
//         const auto info = co_await channel.declare_queue(queue, {.exclusive = true});
//         CHECK(info.message_count() == 0);
//     }
//
// The body is a template over `Transport`, and `t` is its under_test<Transport>. doctest's name of the case
// ends with the transport's name: `queue.declare: a new queue is empty<amqp>`. Connections that the body
// does not close are closed when it ends; durable queues and exchanges named by `t.name` are deleted then.
#pragma once

#include "conformance/contents.hpp"
#include "conformance/refusal.hpp"
#include "conformance/transports.hpp"
#include "support/coro_test.hpp"

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace leveret::test {

namespace lv = leveret;
using namespace std::chrono_literals;

/// What a case has in its hands: a transport, and names that no other case has.
template <class Transport>
class under_test {
public:
    [[nodiscard]] asio::awaitable<typename Transport::connection> connect()
    {
        return transport_.connect();
    }
    /// A new name for a queue or exchange, which is deleted after the case.
    [[nodiscard]] std::string name(std::string_view what)
    {
        static int count = 0;
        names_.push_back("conformance." + std::string(what) + "." + std::to_string(getpid()) + "." +
                         std::to_string(++count));
        return names_.back();
    }

    /// The case, and then the end of a broker that runs in its context.
    [[nodiscard]] asio::awaitable<void> run(asio::awaitable<void> (*body)(under_test&))
    {
        co_await body(*this);
        if constexpr (requires { transport_.stop(); })
            co_await transport_.stop();
    }
    /// For a failed case: what is locked or gone already is left alone.
    [[nodiscard]] asio::awaitable<void> clean_up()
    {
        auto connection = co_await transport_.connect();
        auto channel = co_await connection.open_channel();
        for (const auto& name : names_) {
            co_await channel.delete_queue(name, {.no_wait = true});
            co_await channel.delete_exchange(name, {.no_wait = true});
        }
        co_await channel.flow(true); // all of it has been done when this is answered
        co_await connection.close();
    }

private:
    Transport transport_;
    std::vector<std::string> names_;
};

template <class Transport>
void run_conformance_case(asio::awaitable<void> (*body)(under_test<Transport>&))
{
    struct cleaned {
        under_test<Transport> t;
        ~cleaned()
        {
            if (Transport::outlives_the_case())
                static_cast<void>(run_coro([this] { return t.clean_up(); }));
        }
    } c;
    run_coro_test_case([&] { return c.t.run(body); });
}

} // namespace leveret::test

#define LEVERET_CONFORMANCE_CASE_IMPL(body, id, ...)                                               \
    template <class Transport>                                                                     \
    static ::asio::awaitable<void> body(::leveret::test::under_test<Transport>& t);                \
    TEST_CASE_TEMPLATE_DEFINE(__VA_ARGS__, TransportOfCase, id)                                    \
    {                                                                                              \
        ::leveret::test::run_conformance_case<TransportOfCase>(&body<TransportOfCase>);            \
    }                                                                                              \
    TEST_CASE_TEMPLATE_APPLY(id, ::leveret::test::transports);                                     \
    template <class Transport>                                                                     \
    static ::asio::awaitable<void> body([[maybe_unused]] ::leveret::test::under_test<Transport>& t)

#define LEVERET_CONFORMANCE_CASE(...)                                                              \
    LEVERET_CONFORMANCE_CASE_IMPL(DOCTEST_ANONYMOUS(leveret_conformance_body_),                    \
                                  DOCTEST_ANONYMOUS(leveret_conformance_), __VA_ARGS__)
