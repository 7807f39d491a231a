// A call that comes back unroutable, frame by frame.
#include "support/coro_test.hpp"
#include "support/eventually.hpp"
#include "support/scripted_server.hpp"

#include <leveret/amqp.hpp>
#include <leveret/rpc.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace {

namespace lv = leveret;
namespace wire = leveret::wire;
using namespace leveret::test;
using namespace std::chrono_literals;

/// Answers a client's declarations and sends back what it publishes. `seen` gets `d` for an exchange and `p` for a publish.
asio::awaitable<void> refuse_all(scripted_peer& client, std::string& seen)
{
    co_await client.handshake();
    const std::uint16_t number = co_await client.open_channel();
    for (;;) {
        const owned_frame f = co_await client.next();
        if (f.method() == wire::queue::declare::id) {
            wire::queue::declare_ok ok;
            ok.queue = f.as<wire::queue::declare>().queue;
            co_await client.send(frame(number, ok));
        } else if (f.method() == wire::basic::consume::id) {
            wire::basic::consume_ok ok;
            ok.consumer_tag = f.as<wire::basic::consume>().consumer_tag;
            co_await client.send(frame(number, ok));
        } else if (f.method() == wire::exchange::declare::id) {
            seen += 'd';
            co_await client.send(frame(number, wire::exchange::declare_ok{}));
        } else if (f.method() == wire::basic::publish::id) {
            seen += f.as<wire::basic::publish>().mandatory ? 'p' : '?';
            const owned_frame header = co_await client.next();
            const owned_frame body = co_await client.next();
            wire::basic::return_ m;
            m.reply_code = 312;
            m.reply_text = "NO_ROUTE";
            m.exchange = f.as<wire::basic::publish>().exchange;
            m.routing_key = f.as<wire::basic::publish>().routing_key;
            std::string back = frame(number, m);
            back += raw_frame(2, number, header.view().payload);
            back += raw_frame(3, number, body.view().payload);
            co_await client.send(back);
        } else if (f.method() == wire::connection::close::id) {
            co_await client.send(frame(0, wire::connection::close_ok{}));
            co_return;
        }
    }
}

asio::awaitable<std::string> seen_of_a_call(lv::rpc::wire::oslo format)
{
    scripted_server server(co_await asio::this_coro::executor);
    std::string seen;
    server.play([&seen](scripted_peer& client) { return refuse_all(client, seen); });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    const lv::rpc::client client{channel, {.exchange = "x", .topic = "t"}, format,
                                 {.timeout = 20s, .retries = 2, .retry_interval = 1ms}};
    co_await failure_of<lv::rpc::no_server>(client.call<int>("f"));
    CHECK(channel.is_open());
    co_await connection.close();
    co_return seen;
}

} // namespace

LEVERET_CORO_TEST_CASE("rpc: a call is sent as often as was asked, and its exchange declared each time if that may have gone")
{
    lv::rpc::wire::oslo format;
    const std::string once = co_await seen_of_a_call(format);
    CHECK(once == "dppp");
    format.auto_delete = true; // the exchange goes with its last binding
    const std::string always = co_await seen_of_a_call(format);
    CHECK(always == "dpdpdp");
}
