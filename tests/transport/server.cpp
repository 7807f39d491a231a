// The server on a real socket, with the library's own client: embedded in three lines, limits, endings.
#include "support/allocated.hpp"
#include "support/coro_test.hpp"
#include "support/eventually.hpp"
#include "support/server_peer.hpp"
#include <leveret/amqp.hpp>
#include <leveret/server.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace lv = leveret;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

std::string uri_of(const lv::broker::server& s, std::string_view user = "guest")
{
    return "amqp://" + std::string(user) + ":" + std::string(user) +
           "@127.0.0.1:" + std::to_string(s.port()) + "/";
}

asio::awaitable<tcp::socket> raw(const lv::broker::server& s)
{
    tcp::socket socket(co_await asio::this_coro::executor);
    const tcp::endpoint end(asio::ip::address_v4::loopback(), s.port());
    co_await socket.async_connect(end, asio::use_awaitable);
    co_return socket;
}

/// One that did the handshake and opened channel 1; what the server said to that was read.
asio::awaitable<tcp::socket> opened(const lv::broker::server& s, lv::table properties = lv::test::server_peer::capable())
{
    using namespace lv::test;
    auto socket = co_await raw(s);
    std::string bytes(lv::wire::protocol_header);
    bytes += server_peer::start_ok(properties);
    bytes += server_peer::tune_ok();
    bytes += frame(0, lv::wire::connection::open{});
    bytes += frame(1, lv::wire::channel::open{});
    co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
    const std::string last = frame(1, lv::wire::channel::open_ok{});
    for (std::string said; !said.ends_with(last);) {
        char more[4096];
        const std::size_t n =
            co_await socket.async_read_some(asio::buffer(more), asio::use_awaitable);
        said.append(more, n);
    }
    co_return socket;
}

/// Hears why connections end.
class endings final : public lv::broker::server_observer {
public:
    std::vector<std::string> reasons;
    void disconnected(std::uint64_t, std::string_view why) override { reasons.emplace_back(why); }
};

/// All that comes until the server ends it.
asio::awaitable<std::string> rest_of(tcp::socket& socket)
{
    std::string all;
    try {
        for (;;) {
            char bytes[4096];
            const std::size_t n =
                co_await socket.async_read_some(asio::buffer(bytes), asio::use_awaitable);
            all.append(bytes, n);
        }
    } catch (const std::system_error&) {
    }
    co_return all;
}

} // namespace

LEVERET_CORO_TEST_CASE("server: embedded in three lines")
{
    lv::broker::server server{co_await asio::this_coro::executor};
    const std::string uri = uri_of(server);
    auto connection = co_await lv::amqp::connect(uri);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("q");
    co_await channel.publish("", "q", "hello");
    auto got = co_await channel.get("q");
    REQUIRE(got.has_value());
    CHECK(got->body() == "hello");
    got->ack();
    CHECK(server.connection_count() == 1);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("server: one that was stopped listens no more, and one address more is one more")
{
    lv::broker::server server{co_await asio::this_coro::executor};
    const std::uint16_t second = server.listen("127.0.0.1", 0);
    const std::string uri = "amqp://127.0.0.1:" + std::to_string(second) + "/";
    auto connection = co_await lv::amqp::connect(uri);
    CHECK(server.connection_count() == 1);
    co_await connection.close();
    co_await server.stop();
    CHECK_THROWS_AS(server.listen("127.0.0.1", 0), lv::connection_error);
    co_await asio::post(asio::use_awaitable); // what was accepting hears of its end
}

LEVERET_CORO_TEST_CASE("server: the connections of a user that was deleted are closed")
{
    lv::broker::users users;
    for (const char* name : {"one", "two"})
        users.add(name, name).permit(name, "/", ".*", ".*", ".*");
    lv::broker::server server{co_await asio::this_coro::executor, {.access = &users}};
    const std::string first = uri_of(server, "one"), second = uri_of(server, "two");
    auto gone = co_await lv::amqp::connect(first);
    auto channel = co_await gone.open_channel();
    co_await channel.declare_queue("q");
    auto consumer = co_await channel.consume("q");
    auto stays = co_await lv::amqp::connect(second);
    users.remove("one");
    server.close_connections_of("one");
    std::string why;
    try {
        static_cast<void>(co_await consumer.next());
    } catch (const lv::connection_error& e) {
        why = e.what();
    }
    CHECK(why.find("user 'one' was deleted") != std::string::npos);
    auto fresh = co_await stays.open_channel();
    co_await fresh.declare_queue("r");
    co_await stays.close();
}

LEVERET_CORO_TEST_CASE("server: two see nothing of each other")
{
    const auto executor = co_await asio::this_coro::executor;
    lv::broker::server one{executor};
    lv::broker::server two{executor};
    const std::string first = uri_of(one);
    const std::string second = uri_of(two);
    auto a = co_await lv::amqp::connect(first);
    auto b = co_await lv::amqp::connect(second);
    auto in_a = co_await a.open_channel();
    auto in_b = co_await b.open_channel();
    co_await in_a.declare_queue("q");
    bool missing = false;
    try {
        co_await in_b.declare_queue("q", {.passive = true});
    } catch (const lv::channel_error&) {
        missing = true;
    }
    CHECK(missing);
}

LEVERET_CORO_TEST_CASE("server: messages of all sizes go through, also to one who reads late")
{
    lv::broker::server server{co_await asio::this_coro::executor};
    const std::string uri = uri_of(server);
    auto connection = co_await lv::amqp::connect(uri);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("q");
    std::vector<std::size_t> sizes{0, 1, 16383, 16384, 131064, 131065, 1'000'000, 5'000'000};
    for (const std::size_t n : sizes) {
        const std::string body(n, static_cast<char>('a' + n % 26));
        co_await channel.publish("", "q", body);
    }
    auto consumer = co_await channel.consume("q", {.prefetch = 0});
    for (const std::size_t n : sizes) {
        auto d = co_await consumer.next();
        REQUIRE(d.has_value());
        CHECK((d->body() == std::string(n, static_cast<char>('a' + n % 26))));
        d->ack();
    }
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("server: stop tells clients and completes when they are gone")
{
    lv::broker::server server{co_await asio::this_coro::executor};
    const std::string uri = uri_of(server);
    auto connection = co_await lv::amqp::connect(uri);
    auto channel = co_await connection.open_channel();
    co_await server.stop();
    CHECK(server.connection_count() == 0);
    std::optional<std::uint16_t> code;
    try {
        co_await channel.declare_queue("q");
    } catch (const lv::error& e) {
        code = e.diagnostics().code;
    }
    CHECK(code == 320);
    bool refused = false;
    try {
        auto again = co_await lv::amqp::connect(uri);
    } catch (const lv::connection_error&) {
        refused = true;
    }
    CHECK(refused);
}

LEVERET_CORO_TEST_CASE("server: stop cuts those that do not answer")
{
    lv::broker::server server{co_await asio::this_coro::executor};
    auto silent = co_await raw(server);
    co_await asio::async_write(silent, asio::buffer("AMQP\0\0\x09\x01", 8), asio::use_awaitable);
    char byte = 0;
    co_await asio::async_read(silent, asio::buffer(&byte, 1), asio::use_awaitable);
    const auto begin = std::chrono::steady_clock::now();
    co_await server.stop(200ms);
    CHECK(std::chrono::steady_clock::now() - begin >= 190ms);
    CHECK(server.connection_count() == 0);
}

LEVERET_CORO_TEST_CASE("server: destroyed, it is gone at once, and clients see it")
{
    std::optional<lv::broker::server> server(co_await asio::this_coro::executor);
    const std::string uri = uri_of(*server);
    auto connection = co_await lv::amqp::connect(uri);
    auto channel = co_await connection.open_channel();
    server.reset();
    bool lost = false;
    try {
        co_await channel.declare_queue("q");
    } catch (const lv::error&) {
        lost = true;
    }
    CHECK(lost);
}

TEST_CASE("server: it may outlive its execution context")
{
    std::optional<lv::broker::server> server;
    {
        asio::io_context context{1};
        server.emplace(context.get_executor());
        tcp::socket client(context);
        client.connect({asio::ip::address_v4::loopback(), server->port()});
        context.run_for(20ms);
        CHECK(server->connection_count() == 1);
    }
    CHECK(server->connection_count() == 0);
    server.reset();
}

LEVERET_CORO_TEST_CASE("server: a port that is taken")
{
    const auto executor = co_await asio::this_coro::executor;
    lv::broker::server one{executor};
    const std::uint16_t port = one.port();
    CHECK_THROWS_AS((lv::broker::server{executor, {.port = port}}), lv::connection_error);
    CHECK_THROWS_AS((lv::broker::server{executor, {.host = "no address"}}), lv::connection_error);
}

LEVERET_CORO_TEST_CASE("server: silence is cut at the end of the handshake's time")
{
    lv::broker::server_options options;
    options.connections.handshake_timeout = lv::duration::milliseconds(100);
    lv::broker::server server{co_await asio::this_coro::executor, options};
    std::vector<tcp::socket> all;
    for (int i = 0; i < 50; ++i)
        all.push_back(co_await raw(server));
    for (tcp::socket& s : all) {
        const std::string said = co_await rest_of(s);
        CHECK(said.empty());
    }
    CHECK(server.connection_count() == 0);
}

LEVERET_CORO_TEST_CASE("server: more connections than the limit are closed at once")
{
    lv::broker::server_options options;
    options.connections.connections = 3;
    SUBCASE("in all") {}
    SUBCASE("of an address")
    {
        options.connections.connections = 100;
        options.connections.connections_per_address = 3;
    }
    lv::broker::server server{co_await asio::this_coro::executor, options};
    std::vector<tcp::socket> all;
    for (int i = 0; i < 4; ++i)
        all.push_back(co_await raw(server));
    const std::string said = co_await rest_of(all.back());
    CHECK(said.empty());
    CHECK(server.connection_count() == 3);
    all.clear();
    const std::string uri = uri_of(server);
    for (int i = 0; server.connection_count() != 0 && i < 1000;
         ++i) // until it has seen that they are gone
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    auto connection = co_await lv::amqp::connect(uri);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("server: users with rights of their own")
{
    lv::broker::users users;
    users.add("reader", "reader").permit("reader", "/", "", "", "^q$");
    lv::broker::server_options options;
    options.access = &users;
    lv::broker::server server{co_await asio::this_coro::executor, options};
    const std::string uri = uri_of(server, "reader");
    auto connection = co_await lv::amqp::connect(uri);
    auto channel = co_await connection.open_channel();
    std::string text;
    try {
        co_await channel.declare_queue("q");
    } catch (const lv::channel_error& e) {
        text = e.diagnostics().text;
    }
    CHECK(text == "ACCESS_REFUSED - access to queue 'q' in vhost '/' refused for user 'reader'");
    options.connections.refusal_delay = lv::duration::milliseconds(10);
    lv::broker::server impatient{co_await asio::this_coro::executor, options};
    const std::string stranger = uri_of(impatient);
    text.clear();
    try {
        auto refused = co_await lv::amqp::connect(stranger);
    } catch (const lv::connection_error& e) {
        text = e.diagnostics().text;
    }
    CHECK(text == "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For "
                  "details see the "
                  "broker logfile.");
}

LEVERET_CORO_TEST_CASE("server: queues and messages expire while nobody asks for anything")
{
    lv::broker::server server{co_await asio::this_coro::executor};
    const std::string uri = uri_of(server);
    auto connection = co_await lv::amqp::connect(uri);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("dead");
    co_await channel.declare_queue(
        "q", {.message_ttl = 30ms, .dead_letter_exchange = "", .dead_letter_routing_key = "dead"});
    auto consumer = co_await channel.consume("dead");
    co_await channel.publish("", "q", "late");
    auto d = co_await consumer.next({.timeout = 5s});
    REQUIRE(d.has_value());
    CHECK(d->body() == "late");
    d->ack();
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("server: a client that takes none of its output is cut")
{
    using namespace lv::test;
    endings events;
    lv::broker::server_options options;
    options.observer = &events;
    options.connections.send_timeout = 100ms;
    lv::broker::server server{co_await asio::this_coro::executor, options};
    auto deaf = co_await opened(server);
    // More than the system keeps for it, which the server has to keep.
    std::string bytes = frame(1, lv::wire::queue::declare{.queue = "q"});
    bytes += frame(1, lv::wire::basic::consume{.queue = "q", .no_ack = true});
    bytes += frame(1, lv::wire::basic::publish{.routing_key = "q"});
    bytes += content(1, std::string(16'000'000, 'x'), {}, 131064);
    co_await asio::async_write(deaf, asio::buffer(bytes), asio::use_awaitable);
    co_await eventually([&] { return !events.reasons.empty(); });
    CHECK(events.reasons[0] == "the client took none of its output for 100 ms");
    CHECK(server.connection_count() == 0);
}

LEVERET_CORO_TEST_CASE("server: what a publisher sent is done when memory is no longer low, also if it can't be told")
{
    using namespace lv::test;
    const auto executor = co_await asio::this_coro::executor;
    lv::broker::server_options options;
    options.limits.memory_high = 10'000;
    options.limits.memory_low = 5'000;
    lv::broker::server server{executor, options};
    auto connection = co_await lv::amqp::connect(uri_of(server));
    auto channel = co_await connection.open_channel();
    auto untold = co_await opened(server, {});
    std::string bytes = frame(1, lv::wire::queue::declare{.queue = "q", .no_wait = true});
    for (int i = 0; i < 12; ++i)
        bytes += frame(1, lv::wire::basic::publish{.routing_key = "q"}) + content(1, std::string(1000, 'x'));
    bytes += frame(1, lv::wire::queue::declare{.queue = "q", .passive = true});
    co_await asio::async_write(untold, asio::buffer(bytes), asio::use_awaitable); // in one block, of which some is left
    bool is_answered = false;
    const auto read = [&]() -> asio::awaitable<void> {
        char answer[64];
        co_await asio::async_read(untold, asio::buffer(answer, 8), asio::use_awaitable);
        is_answered = true;
    };
    asio::co_spawn(executor, read(), asio::detached);
    co_await eventually([&] { return server.memory() > 10'000; });
    CHECK_FALSE(is_answered);
    co_await channel.purge_queue("q");
    co_await eventually([&] { return is_answered; });
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("server: a client that takes its output slowly is not cut")
{
    using namespace lv::test;
    lv::broker::server_options options;
    options.connections.send_timeout = 300ms;
    lv::broker::server server{co_await asio::this_coro::executor, options};
    auto slow = co_await opened(server);
    std::string bytes = frame(1, lv::wire::queue::declare{.queue = "q"});
    bytes += frame(1, lv::wire::basic::consume{.queue = "q", .no_ack = true});
    bytes += frame(1, lv::wire::basic::publish{.routing_key = "q"});
    bytes += content(1, std::string(16'000'000, 'x'), {}, 131064);
    co_await asio::async_write(slow, asio::buffer(bytes), asio::use_awaitable);
    std::string some(1'000'000, '\0');
    for (int i = 0; i < 16; ++i) {
        co_await pause(50ms);
        co_await asio::async_read(slow, asio::buffer(some), asio::use_awaitable);
    }
    CHECK(server.connection_count() == 1);
}

LEVERET_CORO_TEST_CASE(
    "server: a connection with which nothing happens has no buffers, and goes on")
{
    using namespace lv::test;
    lv::broker::server_options options;
    options.connections.buffers_kept = 20ms;
    lv::broker::server server{co_await asio::this_coro::executor, options};
    auto client = co_await opened(server);
    std::string bytes = frame(1, lv::wire::queue::declare{.queue = "q"});
    bytes += frame(1, lv::wire::basic::consume{.queue = "q", .consumer_tag = "c", .no_ack = true});
    co_await asio::async_write(client, asio::buffer(bytes), asio::use_awaitable);
    const std::string message = frame(1, lv::wire::basic::publish{.routing_key = "q"}) +
                                content(1, std::string(600'000, 'x'), {}, 131064);
    const std::size_t delivered = message.size() + 8; // deliver is that much longer than publish
    std::string read(100'000, '\0');
    const allocation_watch memory;
    for (int i = 0; i < 3; ++i) {
        co_await asio::async_write(client, asio::buffer(message), asio::use_awaitable);
        for (std::size_t got = 0; got < delivered;)
            got += co_await client.async_read_some(asio::buffer(read), asio::use_awaitable);
        co_await eventually([&] { return memory.grown() < 20'000; });
    }
    // Half a frame, then rest, then the other half.
    const std::string declare = frame(1, lv::wire::queue::declare{.queue = "q", .passive = true});
    co_await asio::async_write(client, asio::buffer(declare.data(), 9), asio::use_awaitable);
    co_await pause(50ms);
    co_await asio::async_write(client, asio::buffer(declare.substr(9)), asio::use_awaitable);
    const std::size_t n = co_await client.async_read_some(asio::buffer(read), asio::use_awaitable);
    read.resize(n);
    CHECK(text_of_frames(read).ends_with("1 queue.declare-ok queue=q consumer-count=1\n"));
}
