// A list of the user's own policies, behind both front ends: in memory, also by name, and as an AMQP server.
#include "support/coro_test.hpp"
#include <leveret/amqp.hpp>
#include <leveret/connect.hpp>
#include <leveret/memory.hpp>
#include <leveret/server.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace lv = leveret;

namespace {

/// Every binding whose key is as long as the message's.
struct same_length {
    static constexpr std::string_view name = "x-same-length";
    class router {
    public:
        void add(std::string_view key, const lv::table&, lv::routing::binding& b)
        {
            lists_[key.size()].add(b);
        }
        void remove(std::string_view key, const lv::table&, lv::routing::binding& b) noexcept
        {
            lists_[key.size()].remove(b);
        }
        void route(std::string_view key, const lv::table&, auto&& visit) const
        {
            lists_[key.size()].visit(visit);
        }

    private:
        lv::routing::target_list lists_[256];
    };
};

using only_ours = lv::broker::basic_core<lv::broker::policies<lv::direct, same_length>>;

static_assert(std::is_same_v<lv::broker::server, lv::broker::server_with<lv::broker::broker>>);

/// What a client sees of it: our type, and the types that are not in the list.
asio::awaitable<void> is_of_our_types(std::string url)
{
    auto connection = co_await lv::connect(url);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_exchange("x", "x-same-length");
    co_await channel.declare_queue("q");
    co_await channel.bind_queue("q", "x", "abc");
    co_await channel.publish("x", "xyz", "three");
    co_await channel.publish("x", "xy", "two");
    auto got = co_await channel.get("q", {.no_ack = true});
    REQUIRE(got.has_value());
    CHECK(got->body() == "three");
    got = co_await channel.get("q", {.no_ack = true});
    CHECK(!got.has_value());
    std::string refused;
    try {
        co_await channel.declare_exchange("t", "topic");
    } catch (const lv::error& e) {
        refused = e.what();
    }
    CHECK(refused.find("topic") != refused.npos);
    try {
        co_await connection.close();
    } catch (const lv::error&) { // 503 ended it
    }
}

} // namespace

LEVERET_CORO_TEST_CASE("a broker of one's own policies, in memory by name")
{
    const auto broker = lv::memory::broker::with<only_ours>("own-policies");
    CHECK(broker.name() == "own-policies");
    co_await is_of_our_types("memory://own-policies");
}

LEVERET_CORO_TEST_CASE("a broker of one's own policies, as an AMQP server")
{
    lv::broker::server_with<only_ours> first{co_await asio::this_coro::executor};
    const auto server = std::move(first);
    co_await is_of_our_types("amqp://guest:guest@127.0.0.1:" + std::to_string(server.port()) + "/");
}
