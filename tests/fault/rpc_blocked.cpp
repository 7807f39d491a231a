// A server whose broker takes no messages, and answers nothing either: RabbitMQ reads no more from such a connection.
#include "support/coro_test.hpp"
#include "support/eventually.hpp"
#include "support/scripted_server.hpp"

#include <leveret/amqp.hpp>
#include <leveret/rpc.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>

namespace {

namespace lv = leveret;
namespace wire = leveret::wire;
using namespace leveret::test;
using namespace std::chrono_literals;

/// Gives the first consumer a request after it said that it is blocked, and answers no basic.cancel.
asio::awaitable<void> block_and_ask(scripted_peer& client)
{
    co_await client.handshake();
    const std::uint16_t number = co_await client.open_channel();
    std::string first;
    int consumers = 0;
    for (;;) {
        const owned_frame f = co_await client.next();
        if (f.method() == wire::queue::declare::id) {
            wire::queue::declare_ok ok;
            ok.queue = f.as<wire::queue::declare>().queue;
            co_await client.send(frame(number, ok));
        } else if (f.method() == wire::queue::bind::id) {
            co_await client.send(frame(number, wire::queue::bind_ok{}));
        } else if (f.method() == wire::exchange::declare::id) {
            co_await client.send(frame(number, wire::exchange::declare_ok{}));
        } else if (f.method() == wire::basic::qos::id) {
            co_await client.send(frame(number, wire::basic::qos_ok{}));
        } else if (f.method() == wire::basic::consume::id) {
            wire::basic::consume_ok ok;
            ok.consumer_tag = f.as<wire::basic::consume>().consumer_tag;
            if (++consumers == 1)
                first = std::string(ok.consumer_tag);
            co_await client.send(frame(number, ok));
            if (consumers != 3)
                continue;
            lv::properties p;
            p.content_type("application/json");
            const std::string out = frame(0, wire::connection::blocked{}) +
                                    delivery_frames(number, first, 1, R"({"method": "f", "_msg_id": "i", "_reply_q": "q"})", p);
            co_await client.send(out);
        } else if (f.method() == wire::connection::close::id) {
            co_await client.send(frame(0, wire::connection::close_ok{}));
            co_return;
        }
    }
}

} // namespace

LEVERET_CORO_TEST_CASE("rpc: a server that is stopped while its broker takes no answers ends in its time")
{
    const auto executor = co_await asio::this_coro::executor;
    scripted_server server(executor);
    server.play([](scripted_peer& client) { return block_and_ask(client); });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    lv::rpc::server node{channel, {.exchange = "x", .topic = "t", .server = "s"}, lv::rpc::wire::oslo(), {.timeout = 100ms}};
    int calls = 0;
    node.add("f", [&calls] { return ++calls; });
    bool has_ended = false;
    std::exception_ptr why;
    asio::co_spawn(executor, node.run(), [&](std::exception_ptr e) {
        has_ended = true;
        why = e;
    });
    co_await eventually([&] { return calls == 1; });
    CHECK(connection.is_blocked());
    node.stop();
    co_await eventually([&] { return has_ended; });
    CHECK_THROWS_AS(std::rethrow_exception(why), lv::timeout_error);
    co_await connection.close();
}
