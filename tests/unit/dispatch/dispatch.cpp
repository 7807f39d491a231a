#include "leveret/dispatch.hpp"
#include "leveret/memory.hpp"
#include "support/coro_test.hpp"

#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace lv = leveret;

namespace {

using lv::memory::delivery;

std::vector<std::string>& told()
{
    static std::vector<std::string> lines;
    return lines;
}
std::vector<std::string> take_told() { return std::exchange(told(), {}); }
using lines = std::vector<std::string>;

void on_kernel(const delivery& d, std::string_view level)
{
    told().push_back("kernel " + std::string(level) + " " + std::string(d.body()));
}
asio::awaitable<void> on_critical(std::string body, std::string_view facility)
{
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable); // elsewhere meanwhile
    told().push_back("critical " + std::string(facility) + " " + body);
}
asio::awaitable<void> on_view(const lv::body<std::string_view>& body, const std::string_view& first,
                              std::string_view rest)
{
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    told().push_back("view " + std::string(*body) + " " + std::string(first) + " " + std::string(rest));
}
void on_rest(std::string_view key) { told().push_back("rest " + std::string(key)); }
void on_nothing() noexcept { told().emplace_back("nothing"); }
void on_everything(delivery& d, lv::payload body, std::string_view word)
{
    told().push_back("everything " + std::string(body.view()) + " " + std::string(word));
    d.ack();
}

using logs =
    lv::dispatch<lv::on<"kern.*", on_kernel>, lv::on<"*.critical", on_critical>, lv::on<"view.*.#", on_view>,
                 lv::on<"none", on_nothing>, lv::on<"all.*", on_everything>, lv::otherwise<on_rest>>;
static_assert(logs::size == 6 && logs::index_of("kern.critical") == 0 && logs::index_of("x.critical") == 1);
static_assert(logs::index_of("view.a.b.c") == 2 && logs::index_of("") == 5);

struct desk {
    int calls = 0;
    void quote(std::string_view symbol)
    {
        ++calls;
        told().push_back("quote " + std::string(symbol));
    }
    asio::awaitable<void> keep(delivery d)
    {
        ++calls;
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        told().push_back("kept " + std::string(d.routing_key()));
        d.ack();
    }
};
struct night_desk : desk {};
struct archive {
    std::vector<std::string> kept;
    void file(const delivery& d) noexcept { kept.emplace_back(d.body()); }
};

/// A queue that gets everything, and the deliveries of what is published to it.
struct inbox {
    lv::memory::broker broker;
    lv::memory::connection connection;
    lv::memory::channel channel;
    lv::memory::consumer consumer;
    std::string queue;

    asio::awaitable<void> open()
    {
        connection = co_await lv::memory::connect(broker);
        channel = co_await connection.open_channel();
        co_await channel.declare_exchange("x", lv::exchange_type::topic);
        auto q = co_await channel.declare_queue("", {.exclusive = true});
        queue = q.name();
        co_await channel.bind_queue(queue, "x", "#");
        consumer = co_await channel.consume(queue);
    }
    asio::awaitable<delivery> deliver(std::string_view key, std::string_view body)
    {
        return deliver_message(std::string(key), lv::message(body));
    }
    asio::awaitable<delivery> deliver_message(std::string key, lv::message m)
    {
        co_await channel.publish("x", key, m);
        auto d = co_await consumer.next();
        co_return std::move(*d);
    }
};

} // namespace

LEVERET_CORO_TEST_CASE("dispatch: to the first match, with what its handler takes")
{
    inbox in;
    co_await in.open();
    const logs dispatcher;
    for (const auto* key : {"kern.info", "kern.critical", "auth.critical", "view.a", "view.a.b.c", "none",
                            "all.x", "else.where", ""}) {
        auto d = co_await in.deliver(key, "text");
        const bool taken = co_await dispatcher(d);
        CHECK(taken);
        CHECK(d.is_settled() == (std::string_view(key) == "all.x"));
        d.ack();
    }
    CHECK(take_told() == lines{"kernel info text", "kernel critical text", "critical auth text", "view text a ",
                               "view text a b.c", "nothing", "everything text x", "rest else.where", "rest "});
    co_await in.connection.close();
}

LEVERET_CORO_TEST_CASE("dispatch: a delivery that nobody takes stays as it was")
{
    inbox in;
    co_await in.open();
    const lv::dispatch<lv::on<"a", on_nothing>> dispatcher;
    auto d = co_await in.deliver("b", "");
    const bool taken = co_await dispatcher(d);
    CHECK_FALSE(taken);
    CHECK_FALSE(d.is_settled());
    CHECK_FALSE(dispatcher.call(d));
    CHECK(take_told().empty());
    d.ack();
    co_await in.connection.close();
}

LEVERET_CORO_TEST_CASE("dispatch: members of objects, and a delivery that its handler keeps")
{
    inbox in;
    co_await in.open();
    night_desk night;
    archive files;
    const lv::dispatch<lv::on<"stock.*", &desk::quote>, lv::on<"keep.#", &desk::keep>,
                       lv::otherwise<&archive::file>>
        dispatcher(files, night);
    auto quote = co_await in.deliver("stock.usd", "1");
    auto kept = co_await in.deliver("keep.a.b", "2");
    auto rest = co_await in.deliver("x", "3");
    co_await dispatcher(std::move(quote));
    co_await dispatcher(std::move(kept));
    co_await dispatcher(std::move(rest));
    CHECK(night.calls == 2);
    CHECK(take_told() == lines{"quote usd", "kept keep.a.b"});
    CHECK(files.kept == lines{"3"});
    // Those that were moved in and not settled went back: the first and the third.
    auto first = co_await in.consumer.next();
    auto third = co_await in.consumer.next();
    CHECK(first->redelivered());
    CHECK(third->redelivered());
    CHECK(first->body() == "1");
    CHECK(third->body() == "3");
    first->ack();
    third->ack();
    co_await in.connection.close();
}

LEVERET_CORO_TEST_CASE("dispatch: handlers that are objects, and templates")
{
    inbox in;
    co_await in.open();
    std::map<std::string, int, std::less<>> counts;
    const lv::dispatch dispatcher(
        lv::handle<"*.b">([&counts](const auto& d, auto... words) {
            static_assert(sizeof...(words) == 1);
            ++counts[std::string(d.routing_key())];
        }),
        lv::handle<"x.*.*">([&counts](auto first, auto) { ++counts[std::string(first)]; }),
        lv::handle<"y">([&counts](auto& d) -> asio::awaitable<void> {
            ++counts[std::string(d.body())];
            co_return;
        }),
        lv::handle_otherwise([&counts] { ++counts["rest"]; }));
    for (const auto* key : {"a.b", "a.b", "x.1.2", "y", "z"}) {
        auto d = co_await in.deliver(key, "why");
        co_await dispatcher(d);
        d.ack();
    }
    CHECK(counts == std::map<std::string, int, std::less<>>{{"a.b", 2}, {"1", 1}, {"why", 1}, {"rest", 1}});
    co_await in.connection.close();
}

LEVERET_CORO_TEST_CASE("dispatch: handlers that are move-only, mutable, or take the delivery by value as `auto`")
{
    inbox in;
    co_await in.open();
    auto total = std::make_unique<int>(0);
    const int* const seen = total.get();
    std::vector<std::string> kept;
    auto counts = [total = std::move(total)](delivery& d) {
        ++*total;
        d.ack();
    };
    auto numbers = [n = 0, &kept](delivery& d, std::string_view) mutable {
        kept.push_back(std::to_string(++n));
        d.ack();
    };
    auto keeps = [&kept](auto d, auto word) {
        kept.push_back(std::string(d.routing_key()) + "/" + std::string(word));
        d.ack();
    };
    auto waits = [&kept](auto d) -> asio::awaitable<void> {
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        kept.emplace_back(d.body());
        d.ack();
    };
    auto generic = [n = 0, &kept](auto& d) mutable {
        kept.push_back(std::string(d.routing_key()) + std::to_string(++n));
        d.ack();
    };
    lv::dispatch made(lv::handle<"one">(std::move(counts)), lv::handle<"two.*">(numbers),
                      lv::handle<"three.*">(keeps), lv::handle<"four">(waits), lv::handle<"five">(generic));
    static_assert(!std::is_copy_constructible_v<decltype(made)>);
    const auto dispatcher = std::move(made);
    for (const auto* key : {"one", "two.a", "two.b", "three.c", "four", "five", "one", "five"}) {
        auto d = co_await in.deliver(key, "body");
        co_await dispatcher(std::move(d));
    }
    CHECK(*seen == 2);
    CHECK(kept == std::vector<std::string>{"1", "2", "three.c/c", "body", "five1", "five2"});
    co_await in.connection.close();
}

namespace {

using constant_and_mutable = lv::dispatch<lv::on<"a.*", [](std::string_view w) mutable { told().emplace_back(w); }>,
                                          lv::otherwise<[] { told().emplace_back("rest"); }>>;

} // namespace

TEST_CASE("dispatch: a constant handler may be a mutable lambda")
{
    const constant_and_mutable dispatcher;
    CHECK(dispatcher.call("a.b"));
    CHECK(dispatcher.call("c"));
    CHECK(take_told() == lines{"b", "rest"});
}

LEVERET_CORO_TEST_CASE("dispatch: a body that does not decode, and a handler that throws")
{
    inbox in;
    co_await in.open();
    bool refused = false, thrown = false;
    const logs dispatcher;
    auto image = co_await in.deliver_message("auth.critical", lv::message("png").content_type("image/png"));
    try {
        co_await dispatcher(image);
    } catch (const lv::decode_error& e) {
        refused = e.code() == lv::errc::not_decodable;
    }
    CHECK(refused);
    CHECK(take_told().empty());
    CHECK(image.reject()); // still the caller's

    const lv::dispatch throwing(
        lv::handle<"#">([](std::string_view key) { throw std::runtime_error(std::string(key)); }));
    try {
        co_await throwing("a.b");
    } catch (const std::runtime_error& e) {
        thrown = std::string_view(e.what()) == "a.b";
    }
    CHECK(thrown);
    co_await in.connection.close();
}

LEVERET_CORO_TEST_CASE("dispatch_all: every match in order, otherwise for none")
{
    inbox in;
    co_await in.open();
    const lv::dispatch_all<lv::on<"kern.*", on_kernel>, lv::on<"*.critical", on_critical>,
                           lv::on<"#", on_nothing>, lv::on<"kern.#", on_nothing>>
        all;
    auto d = co_await in.deliver("kern.critical", "text");
    const auto four = co_await all(d);
    CHECK(four == 4);
    CHECK(take_told() == lines{"kernel critical text", "critical kern text", "nothing", "nothing"});
    d.ack();

    const lv::dispatch_all<lv::on<"a.*", on_rest>, lv::on<"*.b", on_rest>, lv::otherwise<on_rest>> keys;
    const auto both = co_await keys("a.b");
    const auto one = co_await keys(lv::key{"x", "b"});
    const auto none = co_await keys("x.y");
    CHECK(both == 2);
    CHECK(one == 1);
    CHECK(none == 1);
    CHECK(take_told() == lines{"rest b", "rest a", "rest x", "rest x.y"});
    CHECK(keys.call("a.b") == 2);
    CHECK(keys.call("x.y") == 1);
    CHECK(lv::dispatch_all<lv::on<"a", on_nothing>>().call("b") == 0);
    CHECK(take_told().size() == 3);
    co_await in.connection.close();
}

TEST_CASE("dispatch: a key alone, at once and in a constant expression")
{
    const lv::dispatch<lv::on<"a.*.#", [](std::string_view, std::string_view rest) { on_rest(rest); }>,
                       lv::otherwise<on_rest>>
        keys;
    CHECK(keys.call("a.b.c.d"));
    CHECK(keys.call("b"));
    CHECK(keys.call(lv::key{"a", "b"}));
    CHECK(take_told() == lines{"rest c.d", "rest b", "rest "});
}
