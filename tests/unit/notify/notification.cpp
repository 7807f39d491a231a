#include <leveret/notify/filter.hpp>
#include <leveret/notify/notification.hpp>

#include <doctest/doctest.h>

#include <regex>
#include <string>
#include <string_view>

namespace lv = leveret;
using namespace lv::notify;

TEST_CASE("notification: as oslo.messaging writes and reads it")
{
    notification n;
    n.publisher_id("p").event_type("e").priority(priority::critical).payload({{"seq", 1}}).context({{"user", "u"}});
    n.message_id("m").timestamp("2026-11-20 14:15:46").unique_id("u");
    const lv::message m = encode_notification(n);
    CHECK(m.properties().delivery_mode() == 2);
    CHECK(m.properties().has(lv::property::headers));
    const notification back = decode_notification(m.text(), "application/json");
    CHECK(back.publisher_id() == "p");
    CHECK(back.priority() == priority::critical);
    CHECK(back.payload() == n.payload());
    CHECK(back.context() == n.context());
    CHECK(back.timestamp() == "2026-11-20 14:15:46");
    const notification seen = decode_notification(
        R"({"message_id": "8152", "publisher_id": "compute.host1", "event_type": "acc", "priority": "INFO", "payload": [1]})",
        "application/json");
    CHECK(seen.priority() == priority::info);
    CHECK(seen.context() == lv::json::object());
    CHECK_FALSE(decode_notification(R"({"priority": "LOUD"})", "application/json").priority());
    const auto odd = decode_notification(R"({"event_type": 5, "publisher_id": ["p"], "timestamp": null})", "application/json");
    CHECK(odd.event_type() == "5"); // oslo.messaging takes them as they are
    CHECK(odd.publisher_id() == R"(["p"])");
    CHECK(odd.timestamp().empty());
}

TEST_CASE("notification: dates")
{
    CHECK(utc_text(0) == "1970-01-01 00:00:00");
    CHECK(utc_text(951'782'399) == "2000-02-28 23:59:59");
    CHECK(utc_text(951'782'400) == "2000-02-29 00:00:00");
    CHECK(utc_text(1'795'184'146) == "2026-11-20 14:15:46");
    CHECK(utc_text(4'107'542'400) == "2100-03-01 00:00:00");
}

TEST_CASE("notification: filters")
{
    notification n;
    n.publisher_id("compute.host1").event_type("instance.created").payload({{"state", "up"}, {"n", 1}});
    n.context({{"user", "u1"}});
    CHECK(filter().matches(n));
    CHECK(filter().publisher_id("compute").event_type("instance\\..*").payload("state", "up|down").matches(n));
    CHECK_FALSE(filter().publisher_id("host1").matches(n)); // from the beginning
    CHECK_FALSE(filter().payload("n", "1").matches(n));     // no text
    CHECK_FALSE(filter().payload("missing", "").matches(n));
    CHECK(filter().context("user", "u[0-9]$").matches(n));
    CHECK_FALSE(filter().publisher_id("compute").context("user", "x").matches(n));
}

TEST_CASE("notification: filters look at texts up to their limit, whatever the regular expression makes of them")
{
    notification n;
    const auto matches = [&n](std::size_t size) {
        n.event_type(std::string(size, 'a'));
        return filter().event_type(".*").matches(n) && filter().event_type("(a|b)+$").matches(n);
    };
    CHECK(matches(filter::max_text));
    CHECK_FALSE(matches(filter::max_text + 1));
    CHECK_FALSE(matches(1'000'000));
    n.event_type(std::string(filter::max_text - 1, 'a') + "!");
    CHECK_FALSE(filter().event_type("(a+)+$").matches(n)); // not for longer than the world exists
    CHECK_THROWS_AS(filter().event_type("(a)\\1"), std::regex_error);
    CHECK_THROWS_AS(filter().event_type("("), std::regex_error);
}
