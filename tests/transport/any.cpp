// What is any_connection's own: how it holds what it erases, and handles that are empty. That it does what the
// transport does is shown by conformance/.
#include "transport/counted_malloc.hpp"

#include "support/coro_test.hpp"
#include "support/outcome.hpp"

#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace lv = leveret;
using lv::test::allocations_of_this_thread;
using lv::test::outcome;
using lv::test::outcome_of;

namespace {

static_assert(lv::transport<lv::any_connection> && lv::transport<lv::amqp::connection> &&
              lv::transport<lv::memory::connection>);
static_assert(std::is_same_v<lv::publisher_of<lv::any_channel>, lv::any_publisher> &&
              std::is_same_v<lv::publisher_of<lv::amqp::channel>, lv::amqp::publisher> &&
              std::is_same_v<lv::publisher_of<lv::memory::channel>, lv::memory::publisher>);
template <class... T>
constexpr bool values = ((!std::is_aggregate_v<T> && std::is_nothrow_move_constructible_v<T> &&
                          std::is_nothrow_move_assignable_v<T> && std::is_nothrow_destructible_v<T>) && ...);
static_assert(values<lv::any_connection, lv::any_channel, lv::any_consumer, lv::any_delivery, lv::any_properties,
                     lv::any_publisher>);
static_assert(lv::safe_options<lv::connect_options>);
static_assert(!std::is_copy_constructible_v<lv::any_connection> && !std::is_copy_constructible_v<lv::any_consumer> &&
              !std::is_copy_constructible_v<lv::any_delivery> && !std::is_copy_constructible_v<lv::any_publisher>);
// Both of ours lie inside.
static_assert(lv::detail::stored_delivery<lv::amqp::delivery>::is_inside &&
              lv::detail::stored_delivery<lv::memory::delivery>::is_inside);

/// A delivery that is too large to lie inside, and counts how many of it there are.
class large_delivery {
public:
    explicit large_delivery(int& alive) : alive_(&alive) { ++*alive_; }
    large_delivery(large_delivery&& o) noexcept : alive_(o.alive_), settled_(o.settled_) { ++*alive_; }
    large_delivery& operator=(large_delivery&& o) noexcept
    {
        settled_ = o.settled_;
        return *this;
    }
    ~large_delivery() { --*alive_; }

    std::string_view body() const { return "large"; }
    lv::payload payload() const { return lv::payload("large"); }
    lv::message message() const { return lv::message(payload(), properties_); }
    const lv::properties& properties() const { return properties_; }
    const lv::table& headers() const { return properties_.headers(); }
    std::string_view exchange() const { return "x"; }
    std::string_view routing_key() const { return "k"; }
    bool redelivered() const { return true; }
    std::uint64_t delivery_tag() const { return 7; }
    bool ack(lv::ack_options = {}) { return !std::exchange(settled_, true); }
    bool nack(lv::nack_options = {}) { return !std::exchange(settled_, true); }
    bool reject() { return !std::exchange(settled_, true); }
    bool is_settled() { return settled_; }
    std::uint64_t release() { return 7; }

private:
    int* alive_;
    bool settled_ = false;
    lv::properties properties_;
};
static_assert(!lv::detail::stored_delivery<large_delivery>::is_inside);

struct opened {
    opened() = default;
    lv::any_connection connection;
    lv::any_channel channel;
    std::string queue;
};
asio::awaitable<opened> open(lv::memory::broker broker)
{
    opened o;
    o.connection = lv::any_connection(co_await lv::memory::connect(broker));
    o.channel = co_await o.connection.open_channel();
    const auto info = co_await o.channel.declare_queue("", {.exclusive = true});
    o.queue = info.name();
    co_return std::move(o);
}

} // namespace

TEST_CASE("any: a large delivery lies behind a pointer, and is there once")
{
    int alive = 0;
    {
        std::optional<lv::any_delivery> d(lv::any_delivery{large_delivery(alive)});
        CHECK(alive == 1);
        lv::any_delivery moved = std::move(*d);
        CHECK(alive == 1);
        CHECK_FALSE(d->ack()); // NOLINT: what was moved from is settled
        CHECK(d->is_settled());
        CHECK(moved.body() == "large");
        CHECK(moved.bytes().size() == 5);
        CHECK(moved.payload() == lv::payload("large"));
        CHECK(moved.delivery_tag() == 7);
        CHECK(moved.redelivered());
        CHECK(moved.ack());
        CHECK(moved.is_settled());
        moved = lv::any_delivery(large_delivery(alive));
        CHECK(alive == 1);
        CHECK_FALSE(moved.is_settled());
        *d = std::move(moved);
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
}

TEST_CASE("any: properties of nothing, of something that stays, and of a view")
{
    const lv::any_properties none;
    CHECK(none.flags() == 0);
    CHECK(none.correlation_id().empty());
    lv::properties p;
    p.content_type("a").content_encoding("b").correlation_id("c").reply_to("d").expiration("5").message_id("e");
    p.type("f").user_id("g").app_id("h").priority(3).delivery_mode(2).timestamp({99}).header("k", 1);
    p.cluster_id("i");
    std::string header(lv::wire::content_header_size + lv::wire::encoded_size(p), '\0');
    lv::wire::writer whole(header.data(), header.size());
    lv::wire::encode_content_header(whole, 0, p);
    const std::string_view bytes = std::string_view(header).substr(lv::wire::content_header_size);
    const lv::wire::properties_view view(p.flags(), bytes);
    for (const lv::any_properties& any : {lv::any_properties(p), lv::any_properties(lv::wire::properties_view(view))}) {
        CHECK(any.flags() == p.flags());
        CHECK(any.has(lv::property::headers));
        CHECK(any.content_type() == "a");
        CHECK(any.content_encoding() == "b");
        CHECK(any.correlation_id() == "c");
        CHECK(any.reply_to() == "d");
        CHECK(any.expiration() == "5");
        CHECK(any.message_id() == "e");
        CHECK(any.type() == "f");
        CHECK(any.user_id() == "g");
        CHECK(any.app_id() == "h");
        CHECK(any.cluster_id() == "i");
        CHECK(any.priority() == 3);
        CHECK(any.delivery_mode() == 2);
        CHECK(any.is_persistent());
        CHECK(any.timestamp() == lv::timestamp{99});
    }
}

LEVERET_CORO_TEST_CASE("any: what is shown of a delivery goes on being shown when it is moved")
{
    auto o = co_await open(lv::memory::broker());
    co_await o.channel.publish("", o.queue, lv::message("body").correlation_id("seven").header("h", "v"));
    auto got = co_await o.channel.get(o.queue);
    REQUIRE(got);
    const auto properties = got->properties();
    const auto body = got->body();
    lv::any_delivery kept = std::move(*got);
    CHECK(properties.correlation_id() == "seven");
    CHECK(body == "body");
    CHECK(kept.headers().find("h") != nullptr);
    CHECK(kept.message().properties().correlation_id() == "seven");
    CHECK(kept.ack());
    CHECK_FALSE(kept.ack());
    co_await o.connection.close();
}

LEVERET_CORO_TEST_CASE("any: handles that are empty")
{
    lv::any_connection connection;
    CHECK_FALSE(connection.is_open());
    CHECK_FALSE(connection.is_blocked());
    CHECK(connection.target<lv::memory::connection>() == nullptr);
    CHECK_THROWS_AS(static_cast<void>(connection.open_channel()), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(connection.get_executor()), lv::usage_error);
    co_await connection.close();
    co_await connection.close({.timeout = lv::duration::seconds(1)});
    lv::any_channel channel;
    CHECK(channel.number() == 0);
    CHECK_FALSE(channel.is_open());
    CHECK_FALSE(channel.flow_active());
    CHECK_FALSE(channel.ack(1));
    CHECK_FALSE(channel.nack(1));
    CHECK_FALSE(channel.reject(1));
    CHECK(channel.lost_returns() == 0);
    CHECK_THROWS_AS(static_cast<void>(channel.publish("", "q", "x")), lv::usage_error);
    CHECK_THROWS_AS(lv::any_publisher{channel}, lv::usage_error);
    co_await channel.close();
    lv::any_consumer consumer;
    CHECK(consumer.tag().empty());
    CHECK_FALSE(consumer.try_next());
    CHECK_THROWS_AS(static_cast<void>(consumer.next()), lv::usage_error);
    co_await consumer.cancel();
}

LEVERET_CORO_TEST_CASE("any: the connection itself can be had, and a publisher of its transport")
{
    auto o = co_await open(lv::memory::broker());
    auto* const memory = o.connection.target<lv::memory::connection>();
    REQUIRE(memory != nullptr);
    CHECK(memory->frame_max() == 131072);
    CHECK(o.connection.target<lv::amqp::connection>() == nullptr);
    CHECK(o.connection.blocked_reason().empty());

    lv::publisher_of<lv::any_channel> out(o.channel, {.window = 10});
    const auto first = co_await out.publish("", o.queue, "one");
    const auto second = co_await out.publish("", "nowhere", lv::message("two"));
    CHECK(first == 1);
    CHECK(second == 2);
    const auto report = co_await out.flush();
    CHECK(report.confirmed() == 1);
    REQUIRE(report.failures().size() == 1);
    CHECK(report.failures()[0].number() == 2);
    CHECK(out.unconfirmed().empty());
    CHECK_THROWS_AS((lv::any_publisher{o.channel, {.window = 0}}), lv::usage_error);
    lv::any_publisher moved = std::move(out);
    CHECK(out.in_flight() == 0); // NOLINT: empty
    CHECK_THROWS_AS(static_cast<void>(out.flush()), lv::usage_error);
    co_await o.connection.close();
}

LEVERET_CORO_TEST_CASE("any: publishing and consuming allocate nothing in the steady state")
{
    auto o = co_await open(lv::memory::broker());
    auto consumer = co_await o.channel.consume(o.queue);
    const lv::message message("sixteen bytes..."); // its body is shared, not copied
    std::uint64_t before = 0;
    for (int i = 0; i < 1200; ++i) {
        if (i == 1000)
            before = allocations_of_this_thread();
        co_await o.channel.publish("", o.queue, message);
        auto d = co_await consumer.next();
        d->ack();
    }
    // For 200 messages: what it takes to let others run, every 256 operations.
    CHECK(allocations_of_this_thread() - before < 10);
    co_await o.connection.close();
}

LEVERET_CORO_TEST_CASE("any: a consumer that always finds something lets others run")
{
    auto o = co_await open(lv::memory::broker());
    co_await o.channel.publish("", o.queue, "again");
    auto consumer = co_await o.channel.consume(o.queue);
    bool others_ran = false;
    asio::co_spawn(
        co_await asio::this_coro::executor,
        [&]() -> asio::awaitable<void> {
            others_ran = true;
            co_return;
        },
        [](std::exception_ptr e) {
            if (e)
                std::rethrow_exception(e);
        });
    int turns = 0;
    while (!others_ran && ++turns < 100'000) {
        auto d = co_await consumer.next();
        d->nack();
    }
    CHECK(others_ran);
    CHECK(turns <= 257);
    co_await o.connection.close();
}

LEVERET_CORO_TEST_CASE("any: a wait goes on without its consumer, and ends with the connection")
{
    auto o = co_await open(lv::memory::broker());
    std::optional<lv::any_consumer> consumer(co_await o.channel.consume(o.queue));
    lv::test::background waiting(o.connection.get_executor(), consumer->next());
    co_await asio::post(asio::use_awaitable);
    consumer.reset();
    CHECK_FALSE(waiting.is_done());
    co_await o.connection.close();
    const outcome ended = co_await waiting.join();
    CHECK(ended.what() == outcome::kind::connection);
}
