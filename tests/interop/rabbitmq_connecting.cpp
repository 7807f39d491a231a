// The handshake with a real RabbitMQ: what is negotiated, and what is refused.
#include "interop/broker.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace leveret::test;

namespace {

/// RabbitMQ's demonstration of a challenge: the user's name, then, when asked, a sentence.
class challenged final : public lv::sasl_mechanism {
public:
    explicit challenged(std::string password) : password_(std::move(password)) {}
    [[nodiscard]] std::string_view name() const override { return "RABBIT-CR-DEMO"; }
    [[nodiscard]] std::string initial_response() override { return "guest"; }
    [[nodiscard]] std::string respond(std::string_view challenge) override
    {
        asked = challenge;
        return "My password is " + password_;
    }
    std::string asked;

private:
    std::string password_;
};

class unknown_mechanism final : public lv::sasl_mechanism {
public:
    [[nodiscard]] std::string_view name() const override { return "NO-SUCH"; }
    [[nodiscard]] std::string initial_response() override { return ""; }
    [[nodiscard]] std::string respond(std::string_view) override { return ""; }
};

class throwing final : public lv::sasl_mechanism {
public:
    [[nodiscard]] std::string_view name() const override { return "RABBIT-CR-DEMO"; }
    [[nodiscard]] std::string initial_response() override { return "guest"; }
    [[nodiscard]] std::string respond(std::string_view) override
    {
        throw std::runtime_error("the key is locked away");
    }
};

asio::awaitable<void> use(lv::amqp::connection connection)
{
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue();
    co_await connection.close();
}

} // namespace

LEVERET_CORO_TEST_CASE("RabbitMQ itself: its name and version")
{
    auto connection = co_await connect();
    const lv::table& server = connection.server_properties();
    REQUIRE(server.find("product") != nullptr);
    CHECK(server.find("product")->text() == "RabbitMQ");
    REQUIRE(server.find("version") != nullptr);
    CHECK(server.find("version")->text().starts_with("3."));
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: the server's properties and limits")
{
    auto connection = co_await connect();
    CHECK(connection.is_open());
    const lv::table& server = connection.server_properties();
    REQUIRE(server.find("product") != nullptr);
    CHECK(!server.find("product")->text().empty());
    const auto* capabilities = server.find_as<lv::table>("capabilities");
    REQUIRE(capabilities != nullptr);
    for (const char* name : {"publisher_confirms", "exchange_exchange_bindings", "basic.nack",
                             "consumer_cancel_notify", "connection.blocked",
                             "authentication_failure_close"})
        CHECK_MESSAGE(capabilities->contains(name), name);
    CHECK(connection.frame_max() == 131072);
    CHECK(connection.channel_max() == 2047);
    CHECK(connection.heartbeat() == 60);
    CHECK(!connection.is_blocked());
    CHECK(connection.blocked_reason().empty());
    co_await connection.close();
    CHECK(!connection.is_open());
}

LEVERET_CORO_TEST_CASE("RabbitMQ: limits are negotiated downwards, from options and from the URL")
{
    const auto asked = with_uri([](lv::uri& u) {
        u.frame_max = 8192;
        u.channel_max = 10;
        u.heartbeat = 7;
    });
    auto by_url = co_await lv::amqp::connect(asked);
    CHECK(by_url.frame_max() == 8192);
    CHECK(by_url.channel_max() == 10);
    CHECK(by_url.heartbeat() == 7);
    co_await by_url.close();

    auto by_options =
        co_await lv::amqp::connect(asked, {.heartbeat = 0s, .channel_max = 0, .frame_max = 0});
    CHECK(by_options.frame_max() == 131072);
    CHECK(by_options.channel_max() == 2047);
    CHECK(by_options.heartbeat() == 0);
    co_await by_options.close();

    auto too_much = co_await connect({.channel_max = 65535, .frame_max = 1'000'000});
    CHECK(too_much.frame_max() == 131072);
    CHECK(too_much.channel_max() == 2047);
    co_await too_much.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ: PLAIN and AMQPLAIN, by the URL")
{
    for (const char* mechanism : {"PLAIN", "AMQPLAIN"}) {
        const auto url = with_uri([mechanism](lv::uri& u) { u.auth_mechanisms = {mechanism}; });
        auto connection = co_await lv::amqp::connect(url);
        co_await use(std::move(connection));
    }
    // EXTERNAL is not offered; the next in the list is.
    const auto url = with_uri([](lv::uri& u) { u.auth_mechanisms = {"EXTERNAL", "AMQPLAIN"}; });
    auto connection = co_await lv::amqp::connect(url);
    co_await use(std::move(connection));

    const auto external = with_uri([](lv::uri& u) { u.auth_mechanisms = {"EXTERNAL"}; });
    const auto none = co_await failure_of<lv::connection_error>(lv::amqp::connect(external));
    CHECK(none.code() == lv::protocol_errc::no_mechanism);
    CHECK(contains(none.what(), "the server offers: "));
    CHECK(contains(none.what(), " AMQPLAIN")); // what the server offers
}

LEVERET_CORO_TEST_CASE("RabbitMQ itself: a mechanism of the user's, with a challenge")
{
    challenged right("guest");
    auto connection = co_await connect({.mechanism = &right});
    CHECK(right.asked == "Please tell me your password");
    co_await use(std::move(connection));

    challenged wrong("s3cr3t-and-wrong");
    const auto refused =
        co_await failure_of<lv::connection_error>(connect({.mechanism = &wrong}));
    CHECK(refused.code() == lv::reply_code::access_refused);
    CHECK(contains(refused.what(), "RABBIT-CR-DEMO"));
    CHECK(!contains(refused.what(), "s3cr3t"));

    unknown_mechanism unknown;
    const auto not_offered =
        co_await failure_of<lv::connection_error>(connect({.mechanism = &unknown}));
    CHECK(not_offered.code() == lv::protocol_errc::no_mechanism);

    throwing broken;
    const auto thrown = co_await failure_of<std::runtime_error>(connect({.mechanism = &broken}));
    CHECK(std::string_view(thrown.what()) == "the key is locked away");
}

LEVERET_CORO_TEST_CASE("RabbitMQ: wrong credentials are refused at once, and never printed")
{
    const std::string secret = "s3cr3t-and-wrong";
    for (const char* mechanism : {"PLAIN", "AMQPLAIN"}) {
        const auto url = with_uri([&](lv::uri& u) {
            u.password = secret;
            u.auth_mechanisms = {mechanism};
        });
        const auto began = std::chrono::steady_clock::now();
        const auto refused = co_await failure_of<lv::connection_error>(lv::amqp::connect(url));
        CHECK(refused.code() == lv::reply_code::access_refused);
        CHECK(refused.diagnostics().code == 403);
        CHECK(contains(refused.what(), std::string("403 ACCESS_REFUSED - Login was refused using "
                                                   "authentication mechanism ") +
                                           mechanism));
        CHECK(!contains(refused.what(), secret));
        CHECK(!contains(refused.diagnostics().text, secret));
        CHECK(std::chrono::steady_clock::now() - began < 2s);
    }
    const auto nobody = with_uri([](lv::uri& u) { u.user = "no such user"; });
    const auto refused = co_await failure_of<lv::connection_error>(lv::amqp::connect(nobody));
    CHECK(refused.code() == lv::reply_code::access_refused);
}

LEVERET_CORO_TEST_CASE("RabbitMQ: a virtual host that is not there, in characters to be escaped")
{
    const auto url = with_uri([](lv::uri& u) { u.vhost = "no/where at ällish"; });
    const auto refused = co_await failure_of<lv::connection_error>(lv::amqp::connect(url));
    CHECK(refused.code() == lv::reply_code::not_allowed);
    CHECK(refused.diagnostics().code == 530);
    CHECK(contains(refused.diagnostics().text, "vhost no/where at ällish not found"));
    CHECK(refused.diagnostics().class_id == 10);
    CHECK(refused.diagnostics().method_id == 40);
    CHECK(contains(refused.what(), "530 NOT_ALLOWED"));
}

LEVERET_CORO_TEST_CASE("RabbitMQ: of several hosts the first that answers is used")
{
    const auto url = with_uri([](lv::uri& u) {
        u.hosts.insert(u.hosts.begin(), lv::host_port{"127.0.0.1", 1});
    });
    auto connection = co_await lv::amqp::connect(url);
    co_await use(std::move(connection));
}

LEVERET_CORO_TEST_CASE("RabbitMQ: client properties and a connection name are accepted")
{
    lv::table inner;
    inner.set("nested", true);
    lv::table properties;
    properties.set("x-number", 42).set("x-table", inner).set("product", "interop test");
    auto connection =
        co_await connect({.connection_name = "a name", .client_properties = properties});
    co_await use(std::move(connection));
}

LEVERET_CORO_TEST_CASE("RabbitMQ: update_secret")
{
    auto connection = co_await connect();
    co_await connection.update_secret("a new secret", "the old one expires");
    CHECK(connection.is_open());
    co_await use(std::move(connection));
}

LEVERET_CORO_TEST_CASE("RabbitMQ: heartbeats of one second keep an idle connection")
{
    auto connection = co_await connect({.heartbeat = 1s});
    CHECK(connection.heartbeat() == 1);
    auto channel = co_await connection.open_channel();
    const auto queue = (co_await channel.declare_queue("", {.exclusive = true})).name();
    auto consumer = co_await channel.consume(queue);
    co_await pause(5s);
    CHECK(connection.is_open());
    co_await channel.publish("", queue, "still here");
    auto d = co_await consumer.next();
    REQUIRE(d);
    CHECK(d->body() == "still here");
    d->ack();
    co_await connection.close();
}
