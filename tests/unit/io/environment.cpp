// Asio's environment does what the concept `environment` promises.
#include "support/coro_test.hpp"

#include <leveret/io/environment.hpp>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

using leveret::duration;
using leveret::io::asio_environment;
using tcp = asio::ip::tcp;

namespace {

/// The one call of a handler.
class result {
public:
    [[nodiscard]] auto handler()
    {
        return [this](std::error_code ec, std::size_t = 0) {
            REQUIRE(!code);
            code = ec;
        };
    }
    std::optional<std::error_code> code;
};

/// A port of `address` on which nobody listens any more.
std::uint16_t closed_port(asio::io_context& context, const char* address)
{
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::make_address(address), 0));
    return acceptor.local_endpoint().port();
}

struct listener {
    explicit listener(asio::io_context& context)
        : acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0))
    {
    }
    tcp::acceptor acceptor;
    [[nodiscard]] std::uint16_t port() const { return acceptor.local_endpoint().port(); }
};

} // namespace

TEST_CASE("environment: the timer waits until the time has come")
{
    asio::io_context context;
    asio_environment e;
    asio_environment::timer timer(e, context.get_executor());
    const auto at = e.now() + duration::milliseconds(20);
    result done;
    timer.wait_until(at, done.handler());
    context.poll();
    CHECK(!done.code);
    context.restart();
    context.run();
    CHECK(done.code == std::error_code());
    CHECK(e.now() >= at);
}

TEST_CASE("environment: a time that has passed already is no special case")
{
    asio::io_context context;
    asio_environment e;
    asio_environment::timer timer(e, context.get_executor());
    result done;
    timer.wait_until(leveret::instant(1), done.handler());
    CHECK(!done.code);
    context.run();
    CHECK(done.code == std::error_code());
}

TEST_CASE("environment: a timer that is cancelled, set again, or goes away")
{
    asio::io_context context;
    asio_environment e;
    result cancelled, replaced, last;
    {
        asio_environment::timer timer(e, context.get_executor());
        const auto far = e.now() + duration::seconds(3600);
        timer.cancel(); // nothing to do
        timer.wait_until(far, cancelled.handler());
        timer.cancel();
        timer.wait_until(far, replaced.handler());
        timer.wait_until(far, last.handler());
    }
    context.run();
    CHECK(cancelled.code == asio::error::operation_aborted);
    CHECK(replaced.code == asio::error::operation_aborted);
    CHECK(last.code == asio::error::operation_aborted);
}

TEST_CASE("environment: the timer of an instant that never comes does not come")
{
    asio::io_context context;
    asio_environment e;
    asio_environment::timer timer(e, context.get_executor());
    result done;
    timer.wait_until(leveret::instant::never(), done.handler());
    context.poll();
    CHECK(!done.code);
}

TEST_CASE("environment: time goes forward, and chance is no constant")
{
    const asio_environment e;
    const auto first = e.now();
    const auto second = e.now();
    CHECK(second >= first);
    CHECK(e.random() != e.random()); // once in 2^64 this fails
}

TEST_CASE("environment: a stream to a port where nobody listens")
{
    asio::io_context context;
    asio_environment e;
    for (const std::string host : {"127.0.0.1", "localhost"}) {
        CAPTURE(host);
        asio_environment::stream stream(e, context.get_executor());
        result done;
        stream.async_open(host, closed_port(context, "127.0.0.1"), done.handler());
        CHECK(!done.code);
        context.restart();
        context.run();
        CHECK(done.code == asio::error::connection_refused);
        stream.close();
    }
}

TEST_CASE("environment: localhost and addresses are found, and bytes go both ways without delay")
{
    asio::io_context context;
    asio_environment e;
    for (const std::string host : {"localhost", "127.0.0.1", "::ffff:127.0.0.1"}) {
        CAPTURE(host);
        listener server(context);
        tcp::socket peer(context);
        server.acceptor.async_accept(peer, [](std::error_code) {});
        asio_environment::stream stream(e, context.get_executor());
        result opened, written, read;
        stream.async_open(host, server.port(), opened.handler());
        context.restart();
        context.run();
        if (host == "::ffff:127.0.0.1" && opened.code != std::error_code())
            continue; // a machine without IPv6
        REQUIRE(opened.code == std::error_code());
        REQUIRE(peer.is_open());

        char in[8] = {};
        stream.async_write_some(asio::const_buffer("ping", 4), written.handler());
        stream.async_read_some(asio::mutable_buffer(in, sizeof in), read.handler());
        char seen[8] = {};
        peer.async_read_some(asio::buffer(seen), [&](std::error_code ec, std::size_t n) {
            CHECK(!ec);
            CHECK(std::string_view(seen, n) == "ping");
            asio::error_code ignored;
            peer.write_some(asio::buffer("pong", 4), ignored);
        });
        context.restart();
        context.run();
        CHECK(written.code == std::error_code());
        REQUIRE(read.code);
        CHECK(read.code->message() == std::error_code().message());
        CHECK(std::string_view(in) == "pong");
    }
}

TEST_CASE("environment: a name that there can't be")
{
    asio::io_context context;
    asio_environment e;
    asio_environment::stream stream(e, context.get_executor());
    result done;
    stream.async_open("no-such-host.invalid", 5672, done.handler());
    context.run();
    REQUIRE(done.code);
    CHECK(*done.code);
    CHECK(*done.code != asio::error::operation_aborted);
}

TEST_CASE("environment: a stream that is closed while it opens, at every moment")
{
    for (const std::string host : {"127.0.0.1", "localhost"}) {
        CAPTURE(host);
        int aborted = 0;
        for (int handlers = 0;; ++handlers) {
            asio::io_context context;
            asio_environment e;
            listener server(context);
            asio_environment::stream stream(e, context.get_executor());
            result done;
            stream.async_open(host, server.port(), done.handler());
            for (int i = 0; i < handlers && !done.code; ++i)
                context.run_one();
            const bool was_open = done.code.has_value();
            stream.close();
            stream.close();
            context.restart();
            context.run();
            REQUIRE(done.code);
            if (was_open) {
                CHECK(*done.code == std::error_code());
                break;
            }
            CHECK(*done.code == asio::error::operation_aborted);
            ++aborted;
        }
        CHECK(aborted > 0);
    }
}

TEST_CASE("environment: closing ends what is read and written")
{
    asio::io_context context;
    asio_environment e;
    listener server(context);
    asio_environment::stream stream(e, context.get_executor());
    result opened, read;
    stream.async_open("127.0.0.1", server.port(), opened.handler());
    context.run();
    REQUIRE(opened.code == std::error_code());
    char in[8];
    stream.async_read_some(asio::mutable_buffer(in, sizeof in), read.handler());
    context.restart();
    context.poll();
    CHECK(!read.code);
    stream.close();
    context.restart();
    context.run();
    REQUIRE(read.code);
    CHECK(*read.code);
    result later;
    stream.async_write_some(asio::const_buffer("late", 4), later.handler());
    context.restart();
    context.run();
    REQUIRE(later.code);
    CHECK(*later.code);
}

TEST_CASE("environment: an io_context that goes while streams open and timers wait")
{
    const auto guard = std::make_shared<int>(1);
    {
        asio::io_context context;
        asio_environment e;
        listener server(context);
        // As the driver does: the operations keep what they work with.
        struct both {
            both(asio_environment& env, const asio::any_io_executor& x)
                : stream(env, x), timer(env, x)
            {
            }
            asio_environment::stream stream;
            asio_environment::timer timer;
        };
        for (const char* host : {"127.0.0.1", "localhost"}) {
            const auto b = std::make_shared<both>(e, context.get_executor());
            b->stream.async_open(host, server.port(), [b, guard](std::error_code) {});
            b->timer.wait_until(e.now() + duration::seconds(3600), [b, guard](std::error_code) {});
        }
        CHECK(guard.use_count() > 4);
    }
    CHECK(guard.use_count() == 1);
}
