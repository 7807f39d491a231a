// TLS with a real RabbitMQ, and EXTERNAL by the client's certificate.
#include "interop/broker.hpp"
#include "support/outcome.hpp"

#include <leveret/connect.hpp>
#include <leveret/tls.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <string>

using namespace leveret::test;

namespace {

/// What tests/support/rabbitmq made for its node.
std::string of_node(const std::string& file)
{
    const char* directory = std::getenv("LEVERET_TEST_RABBITMQ");
    REQUIRE(directory != nullptr);
    return std::string(directory) + "/tls/" + file;
}
std::string node_url()
{
    std::ifstream file(of_node("url"));
    std::string url;
    REQUIRE(std::getline(file, url));
    return url;
}

} // namespace

LEVERET_CORO_TEST_CASE("RabbitMQ itself: TLS, with messages of all sizes")
{
    const std::string url = node_url(), ca = of_node("ca.pem");
    auto connection = co_await lv::tls::connect(url, {.ca_file = ca});
    auto channel = co_await connection.open_channel();
    const auto queue = co_await channel.declare_queue();
    const std::string name(queue.name());
    auto consumer = co_await channel.consume(name, {.prefetch = 3});
    for (const std::size_t size : {std::size_t{0}, std::size_t{100}, std::size_t{20'000}, std::size_t{2'000'000}}) {
        const lv::message m(std::string(size, 'x'));
        auto outcome = co_await channel.publish_confirmed("", name, m);
        CHECK(outcome.is_confirmed());
        auto got = co_await consumer.next();
        REQUIRE(got);
        CHECK(got->body() == m.body().view());
        got->ack();
    }
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("RabbitMQ itself: TLS, and an authority that is not known")
{
    const std::string url = node_url();
    const auto o = co_await outcome_of(lv::connect(url));
    CHECK(o.what() == outcome::kind::connection);
    CHECK(o.words().find("the certificate is not accepted: ") != std::string::npos);
}

LEVERET_CORO_TEST_CASE("RabbitMQ itself: EXTERNAL, and a login by it without a certificate")
{
    std::string url = node_url();
    url.replace(url.find("guest:guest@"), 12, "");
    url += "?auth_mechanism=EXTERNAL&cacertfile=" + of_node("ca.pem");
    const std::string certified = url + "&certfile=" + of_node("client.pem") + "&keyfile=" + of_node("client.key");
    auto connection = co_await lv::connect(certified);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("", {.exclusive = true});
    co_await connection.close();
    const auto o = co_await outcome_of(lv::tls::connect(url));
    CHECK(o.what() == outcome::kind::connection);
}
