// lv::connect(url) and the names of brokers in this process.
#include "support/coro_test.hpp"
#include "support/outcome.hpp"
#include "support/scripted_server.hpp"
#include "support/small_broker.hpp"

#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace lv = leveret;
using lv::test::outcome;
using lv::test::outcome_of;

namespace {

/// What connecting says at once against a URL.
std::string refusal(std::string_view url)
{
    try {
        static_cast<void>(lv::connect(url));
    } catch (const lv::usage_error& e) {
        return e.what();
    }
    return "";
}
bool says(std::string_view url, std::string_view what) { return refusal(url).find(what) != std::string::npos; }

} // namespace

TEST_CASE("connect: URLs that can't be")
{
    CHECK(says("", "scheme is not known; known are memory://, amqp://, amqps:// and rabbit://"));
    CHECK(says("http://localhost/", "scheme is not known"));
    CHECK(says("demo", "scheme is not known"));
    CHECK(says("guest:secret@localhost", "scheme is not known"));
    CHECK(says("memory://", "the broker's name"));
    CHECK(says("memory://demo?heartbeat=3", "query parameter is unknown"));
    CHECK(says("amqp://localhost?no_such=3", "at offset 17: this query parameter is unknown"));
    CHECK(says("rabbit://localhost?no_such=3", "at offset 19: this query parameter is unknown"));
    CHECK(says("rabbit://a,,b/", "at offset 11: a host is missing"));
    CHECK_FALSE(says("gopher:secret@there://x", "secret"));
    try { // lv::connect takes it in this program, which has TLS
        static_cast<void>(lv::amqp::connect("amqps://localhost/"));
        FAIL("connects");
    } catch (const lv::usage_error& e) {
        CHECK(e.code() == lv::errc::not_supported);
        CHECK(std::string(e.what()).find("include <leveret/tls.hpp>") != std::string::npos);
    }
}

LEVERET_CORO_TEST_CASE("connect: a named broker lives as long as something of it")
{
    auto one = co_await lv::connect("memory://connect-test");
    auto two = co_await lv::connect("MEMORY://connect-test/");
    auto other = co_await lv::connect("memory://Connect-Test"); // names are as they are written
    auto channel = co_await one.open_channel();
    co_await channel.declare_queue("q");
    auto at_two = co_await two.open_channel();
    co_await at_two.declare_queue("q", {.passive = true});
    auto elsewhere = co_await other.open_channel();
    const outcome missing = co_await outcome_of(elsewhere.declare_queue("q", {.passive = true}));
    CHECK(missing.code() == lv::reply_code::not_found);

    co_await one.close();
    auto three = co_await lv::connect("memory://connect-test"); // `two` is there
    auto at_three = co_await three.open_channel();
    co_await at_three.declare_queue("q", {.passive = true});
    co_await three.close();
    two = lv::any_connection(); // its channel keeps it open
    at_two = lv::any_channel();
    auto four = co_await lv::connect("memory://connect-test"); // a new one
    auto at_four = co_await four.open_channel();
    const outcome gone = co_await outcome_of(at_four.declare_queue("q", {.passive = true}));
    CHECK(gone.code() == lv::reply_code::not_found);
    co_await four.close();
    co_await other.close();
}

LEVERET_CORO_TEST_CASE("connect: a broker that the program named")
{
    lv::memory::broker broker{"connect-test"};
    CHECK(broker.name() == "connect-test");
    CHECK(lv::memory::broker().name().empty());
    CHECK_THROWS_WITH_AS(lv::memory::broker{"connect-test"},
                         "memory::broker: there is a broker named 'connect-test' in this process", lv::usage_error);
    CHECK_THROWS_AS(lv::memory::broker{""}, lv::usage_error);
    CHECK_THROWS_AS(lv::memory::broker{std::string(256, 'x')}, lv::usage_error);

    broker.add_virtual_host("staging");
    auto there = co_await lv::connect("memory://connect-test/staging");
    CHECK(there.is_open());
    const outcome nowhere = co_await outcome_of(lv::connect("memory://connect-test/nowhere"));
    CHECK(nowhere.what() == outcome::kind::connection);
    CHECK(nowhere.code() == lv::reply_code::not_allowed);

    const lv::memory::broker same = lv::memory::broker::of_name("connect-test");
    auto direct = co_await lv::memory::connect(same, {.virtual_host = "staging"});
    auto channel = co_await direct.open_channel();
    co_await channel.declare_queue("q");
    auto erased = co_await there.open_channel();
    co_await erased.declare_queue("q", {.passive = true});
    co_await direct.close();
    co_await there.close();
}

LEVERET_CORO_TEST_CASE("connect: a connection keeps the name of its broker")
{
    std::optional<lv::memory::broker> broker(std::in_place, "connect-test");
    auto connection = co_await lv::memory::connect(*broker);
    broker.reset();
    CHECK_THROWS_AS(lv::memory::broker{"connect-test"}, lv::usage_error);
    co_await connection.close();
    const lv::memory::broker another{"connect-test"};
    CHECK(another.name() == "connect-test");
}

TEST_CASE("connect: a connect that is not awaited takes its broker along")
{
    {
        const auto never_awaited = lv::connect("memory://connect-test");
        CHECK_THROWS_AS(lv::memory::broker{"connect-test"}, lv::usage_error);
    }
    CHECK_NOTHROW(lv::memory::broker{"connect-test"});
}

TEST_CASE("connect: many threads ask for one name, and one of them gets it")
{
    constexpr int rounds = 200;
    std::atomic<int> made = 0;
    std::atomic<int> here = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < rounds; ++i) {
                const std::string name = "connect-test-" + std::to_string(i);
                std::optional<lv::memory::broker> mine;
                try {
                    mine.emplace(name);
                    ++made;
                } catch (const lv::usage_error&) {
                }
                ++here; // everybody has tried before the name goes
                while (here < 4 * (i + 1))
                    std::this_thread::yield();
            }
        });
    for (auto& t : threads)
        t.join();
    CHECK(made == rounds);
}

TEST_CASE("connect: transport URLs of oslo.messaging")
{
    using leveret::detail::amqp_of_rabbit;
    CHECK(amqp_of_rabbit("rabbit://") == "amqp://");
    CHECK(amqp_of_rabbit("rabbit://u:p@h:5672/v") == "amqp://u:p@h:5672/v");
    CHECK(amqp_of_rabbit("rabbit://u:p@h//") == "amqp://u:p@h/%2F");
    CHECK(amqp_of_rabbit("rabbit://u:p@h/") == "amqp://u:p@h/");
    CHECK(amqp_of_rabbit("RABBIT://h/a/b?heartbeat=3") == "amqp://h/a%2Fb?heartbeat=3");
    CHECK(amqp_of_rabbit("rabbit://u:p@h1:1,u:p@h2:2/v") == "amqp://u:p@h1:1,h2:2/v");
    CHECK(amqp_of_rabbit("rabbit://u:p@h1,x:y@h2/v") == "amqp://u:p@h1,x:y@h2/v"); // which is an error: one user is ours
    CHECK(amqp_of_rabbit("rabbit://a,,b,/") == "amqp://a,,b,/");
}
