// The limits of a connection at their edges, against servers that go just beyond, and hosts that never answer.
#include "support/coro_test.hpp"
#include "support/outcome.hpp"
#include "support/scripted_server.hpp"
#include "support/small_broker.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace lv = leveret;
namespace wire = leveret::wire;
using namespace std::chrono_literals;
using lv::test::frame;
using lv::test::outcome;
using lv::test::outcome_of;
using lv::test::scripted_server;
using lv::test::scripted_peer;
using lv::test::small_broker;

namespace {

/// Everything as it is, but hosts of the name "silent" never answer.
struct deaf_environment : lv::io::asio_environment {
    class stream : public lv::io::asio_environment::stream {
    public:
        using base = lv::io::asio_environment::stream;
        stream(deaf_environment& e, const asio::any_io_executor& x) : base(e, x) {}
        template <class Handler>
        void async_open(std::string_view host, std::uint16_t port, Handler&& handler)
        {
            if (host != "silent")
                return base::async_open(host, port, std::forward<Handler>(handler));
            pending_ = [h = std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(handler))] {
                (*h)(std::make_error_code(std::errc::operation_canceled));
            };
        }

        void close() noexcept
        {
            base::close();
            if (pending_)
                std::exchange(pending_, nullptr)();
        }

    private:
        std::function<void()> pending_;
    };
};

asio::awaitable<void> serve_message(scripted_peer& client, std::string frames)
{
    co_await client.handshake();
    static_cast<void>(co_await client.open_channel());
    static_cast<void>(co_await client.expect<wire::basic::get>());
    co_await client.send(frames);
    co_await client.until_closed();
}

/// What becomes of a get that is answered with these frames.
asio::awaitable<outcome> get_answered(std::string frames, lv::amqp::connect_options o)
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([=](scripted_peer& client) { return serve_message(client, frames); });
    auto connection = co_await lv::amqp::connect(server.url(), o);
    auto channel = co_await connection.open_channel();
    outcome end = co_await outcome_of(channel.get("q"));
    co_await connection.close();
    co_return end;
}

/// With so many tables inside one another in its table of headers.
std::string message_with_depth(std::uint32_t depth)
{
    lv::table inner;
    for (std::uint32_t i = 0; i < depth; ++i) {
        lv::table outer;
        outer.set("t", std::move(inner));
        inner = std::move(outer);
    }
    lv::properties p;
    p.headers(std::move(inner));
    wire::basic::get_ok m;
    m.delivery_tag = 1;
    return frame(1, m) + lv::test::content(1, "x", p);
}

} // namespace

LEVERET_CORO_TEST_CASE("limits: a message of the greatest size, and one of a byte more")
{
    const lv::amqp::connect_options o{.max_message_size = 5000};
    const outcome fits = co_await get_answered(lv::test::get_ok_frames(1, 1, std::string(5000, 'x')), o);
    CAPTURE(fits);
    CHECK(fits.ok());
    const outcome over = co_await get_answered(lv::test::get_ok_frames(1, 1, std::string(5001, 'x')), o);
    CAPTURE(over);
    CHECK(over.what() == outcome::kind::connection);
    CHECK(over.code() == lv::protocol_errc::message_too_large);
}

LEVERET_CORO_TEST_CASE("limits: a table of the greatest depth, and one a level deeper")
{
    const lv::amqp::connect_options o{.max_table_depth = 4};
    const outcome fits = co_await get_answered(message_with_depth(4), o);
    CAPTURE(fits);
    CHECK(fits.ok());
    const outcome over = co_await get_answered(message_with_depth(5), o);
    CAPTURE(over);
    CHECK(over.what() == outcome::kind::connection);
    CHECK(over.code() == lv::protocol_errc::table_depth);
}

LEVERET_CORO_TEST_CASE("limits: a publisher keeps 65,536 failures, then refuses until they are fetched")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        co_await client.handshake();
        static_cast<void>(co_await client.open_channel());
        co_await client.answer(frame(1, wire::confirm::select_ok{}));
        constexpr std::uint64_t most = lv::amqp::publisher::max_failures;
        for (std::uint64_t n = 0; n < 2 * most; ++n) // method and header: empty bodies
            static_cast<void>(co_await client.next());
        wire::basic::nack m;
        m.delivery_tag = most;
        m.multiple = true;
        co_await client.send(frame(1, m));
        for (int i = 0; i < 2; ++i)
            static_cast<void>(co_await client.next());
        wire::basic::ack last;
        last.delivery_tag = most + 1;
        co_await client.send(frame(1, last));
        co_await client.until_closed();
    });
    auto connection = co_await lv::amqp::connect(server.url());
    auto channel = co_await connection.open_channel();
    lv::amqp::publisher out(channel, {.window = 65536});
    for (std::size_t n = 0; n < lv::amqp::publisher::max_failures; ++n)
        co_await out.publish("", "q", "");
    const outcome refused = co_await outcome_of(out.publish("", "q", ""));
    CAPTURE(refused);
    CHECK(refused.code() == lv::errc::limit_exceeded);
    CHECK(refused.details().operation_fate == lv::fate::never_sent);
    const auto report = co_await out.flush();
    CHECK(report.failures().size() == lv::amqp::publisher::max_failures);
    CHECK(report.failures().back().number() == lv::amqp::publisher::max_failures);
    const outcome goes_on = co_await outcome_of(out.publish("", "q", ""));
    CHECK(goes_on.ok());
    const auto rest = co_await out.flush();
    CHECK(rest.confirmed() == 1);
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("limits: a host that never answers is given up in time, and the next is tried")
{
    scripted_server server(co_await asio::this_coro::executor);
    server.play([](scripted_peer& client) -> asio::awaitable<void> {
        small_broker broker(client);
        co_await broker.serve();
    });
    const std::string port = server.url().substr(server.url().rfind(':'));
    const std::string both = "amqp://guest:guest@silent:1,127.0.0.1" + port;
    auto connection = co_await lv::amqp::connect(deaf_environment{}, both, {.connection_timeout = 20ms});
    CHECK(connection.is_open());
    co_await connection.close();
    const std::string url = "amqp://guest:guest@silent:1/?connection_timeout=30";
    const auto since = std::chrono::steady_clock::now();
    const outcome end = co_await outcome_of(lv::amqp::connect(deaf_environment{}, url));
    CAPTURE(end);
    CHECK(end.what() == outcome::kind::connection);
    CHECK(end.code() == lv::errc::timed_out);
    CHECK(end.words().find("no connection within 30 ms") != std::string::npos);
    CHECK(end.details().operation_fate == lv::fate::never_sent);
    CHECK(std::chrono::steady_clock::now() - since >= 30ms);
    CHECK(std::chrono::steady_clock::now() - since < 10s);
}
