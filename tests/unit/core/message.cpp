#include <leveret/core/message.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

using leveret::message;
using leveret::payload;
using leveret::properties;
using leveret::property;
using leveret::table;
using namespace std::chrono_literals;

namespace {

static_assert(!std::is_aggregate_v<message>); // the safe shape of a parameter (g++ 12)
static_assert(std::is_nothrow_move_constructible_v<message> && std::is_default_constructible_v<message>);
static_assert(!std::is_convertible_v<const char*, message>);

} // namespace

TEST_CASE("message: made of any kind of bytes")
{
    CHECK(message{}.body().empty());
    CHECK(message("text").text() == "text");
    const std::byte bytes[] = {std::byte{1}, std::byte{0}, std::byte{255}};
    CHECK(message(std::span<const std::byte>(bytes)).text() == std::string_view("\1\0\xff", 3));
    const payload body("shared by all of its copies");
    CHECK(message(body).body().data() == body.data());
    CHECK(message(body, properties{}.type("t")).properties().type() == "t");
    CHECK(message("a").body(body).text() == "shared by all of its copies");
}

TEST_CASE("message: the setters chain, on temporaries and on names")
{
    const auto check = [](const message& m) {
        const properties& p = m.properties();
        CHECK(p.is_persistent());
        CHECK(p.content_type() == "text/plain");
        CHECK(p.content_encoding() == "gzip");
        CHECK(p.headers() == table{{"attempt", 1}, {"x", "y"}});
        CHECK(p.priority() == 4);
        CHECK(p.correlation_id() == "c");
        CHECK(p.reply_to() == "r");
        CHECK(p.expiration() == "1500");
        CHECK(p.message_id() == "m");
        CHECK(p.timestamp().seconds == 5);
        CHECK(p.type() == "t");
        CHECK(p.user_id() == "u");
        CHECK(p.app_id() == "a");
        CHECK_FALSE(p.has(property::cluster_id));
        CHECK(m.text() == "42");
    };
    const auto set_all = [](auto&& m) -> decltype(auto) {
        using type = decltype(m);
        return std::forward<type>(m)
            .persistent()
            .content_type("text/plain")
            .content_encoding("gzip")
            .headers({{"attempt", 1}})
            .header("x", "y")
            .priority(4)
            .correlation_id("c")
            .reply_to("r")
            .expiration(1500ms)
            .message_id("m")
            .timestamp({5})
            .type("t")
            .user_id("u")
            .app_id("a");
    };
    message named("42");
    static_assert(std::is_same_v<decltype(set_all(named)), message&>);
    static_assert(std::is_same_v<decltype(set_all(message("42"))), message&&>);
    CHECK(&set_all(named) == &named);
    check(named);
    const message made = set_all(message("42"));
    check(made);
    CHECK(made == named);
}

TEST_CASE("message: an expiration is whole milliseconds, and never less than none")
{
    const auto text = [](auto d) { return std::string(message{}.expiration(d).properties().expiration()); };
    CHECK(text(0ms) == "0");
    CHECK(text(-5s) == "0");
    CHECK(text(1999us) == "1");
    CHECK(text(24h) == "86400000");
}

TEST_CASE("message: copies share the body and nothing else")
{
    message a = message("a body that is shared by copies").type("a");
    message b = a;
    CHECK(a == b);
    CHECK(a.body().data() == b.body().data());
    b.type("b");
    CHECK(a.properties().type() == "a");
    CHECK(a != b);
    b.type("a");
    CHECK(a == b);
    b.body(payload("other"));
    CHECK(a != b);
    CHECK(a.text() == "a body that is shared by copies");
}
