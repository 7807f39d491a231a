#include <leveret/core/properties.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using leveret::properties;
using leveret::property;
using leveret::table;

namespace {

struct text_property {
    property which;
    properties& (properties::*set)(std::string_view);
    std::string_view (properties::*value)() const noexcept;
};

const std::vector<text_property> texts{
    {property::content_type, &properties::content_type, &properties::content_type},
    {property::content_encoding, &properties::content_encoding, &properties::content_encoding},
    {property::correlation_id, &properties::correlation_id, &properties::correlation_id},
    {property::reply_to, &properties::reply_to, &properties::reply_to},
    {property::expiration, &properties::expiration, &properties::expiration},
    {property::message_id, &properties::message_id, &properties::message_id},
    {property::type, &properties::type, &properties::type},
    {property::user_id, &properties::user_id, &properties::user_id},
    {property::app_id, &properties::app_id, &properties::app_id},
    {property::cluster_id, &properties::cluster_id, &properties::cluster_id},
};

/// Every property, set to something.
properties all_set()
{
    properties p;
    for (const text_property& item : texts)
        (p.*item.set)("text");
    return p.headers({{"k", 1}}).delivery_mode(2).priority(9).timestamp({7});
}

} // namespace

TEST_CASE("properties: none is set at first, and each is empty or zero then")
{
    const properties p;
    CHECK(p.flags() == 0);
    for (const text_property& item : texts) {
        CHECK_FALSE(p.has(item.which));
        CHECK((p.*item.value)().empty());
    }
    CHECK(p.headers().empty());
    CHECK(p.delivery_mode() == 0);
    CHECK(p.priority() == 0);
    CHECK(p.timestamp().seconds == 0);
    CHECK_FALSE(p.is_persistent());
}

TEST_CASE("properties: each text has its own place and its own bit")
{
    for (const text_property& item : texts) {
        properties p;
        (p.*item.set)("value");
        CHECK(p.flags() == static_cast<std::uint16_t>(item.which));
        for (const text_property& other : texts)
            CHECK((p.*other.value)() == (other.which == item.which ? "value" : ""));
        // Empty is not absent.
        (p.*item.set)("");
        CHECK(p.has(item.which));
        CHECK(p != properties{});
    }
}

TEST_CASE("properties: the others")
{
    CHECK(properties{}.delivery_mode(1).flags() == static_cast<std::uint16_t>(property::delivery_mode));
    CHECK(properties{}.delivery_mode(1).delivery_mode() == 1);
    CHECK_FALSE(properties{}.delivery_mode(1).is_persistent());
    CHECK(properties{}.delivery_mode(2).is_persistent());
    CHECK(properties{}.priority(255).flags() == static_cast<std::uint16_t>(property::priority));
    CHECK(properties{}.priority(255).priority() == 255);
    CHECK(properties{}.timestamp({5}).flags() == static_cast<std::uint16_t>(property::timestamp));
    CHECK(properties{}.timestamp({5}).timestamp().seconds == 5);
    CHECK(properties{}.headers({}).flags() == static_cast<std::uint16_t>(property::headers));
    CHECK(properties{}.header("a", 1).header("b", 2).header("a", 3).headers() ==
          table{{"a", 3}, {"b", 2}});
    CHECK(all_set().flags() == 0xfffc);
}

TEST_CASE("properties: one that is cleared is as if it was never set")
{
    for (unsigned i = 2; i < 16; ++i) {
        CAPTURE(i);
        const auto which = static_cast<property>(1U << i);
        properties p = all_set();
        p.clear(which);
        CHECK_FALSE(p.has(which));
        CHECK(p.flags() == (0xfffcU & ~(1U << i)));
        CHECK(p != all_set());
        for (const text_property& item : texts)
            CHECK((p.*item.value)() == (item.which == which ? "" : "text"));
        CHECK(p.headers() == (which == property::headers ? table{} : table{{"k", 1}}));
        CHECK(p.delivery_mode() == (which == property::delivery_mode ? 0 : 2));
        CHECK(p.is_persistent() == (which != property::delivery_mode));
        CHECK(p.priority() == (which == property::priority ? 0 : 9));
        CHECK(p.timestamp().seconds == (which == property::timestamp ? 0U : 7U));
    }
    properties p = all_set();
    CHECK(p.clear(property::headers).header("new", 1).headers() == table{{"new", 1}});
}

TEST_CASE("properties: equal are the same ones with the same values")
{
    CHECK(all_set() == all_set());
    for (const text_property& item : texts) {
        properties p = all_set();
        (p.*item.set)("other");
        CHECK(p != all_set());
        (p.*item.set)("text");
        CHECK(p == all_set());
        // What a cleared one held does not count.
        properties q = all_set();
        (q.*item.set)("other").clear(item.which);
        CHECK(q == p.clear(item.which));
    }
    CHECK(all_set().headers({}) != all_set());
    CHECK(all_set().delivery_mode(1) != all_set());
    CHECK(all_set().priority(1) != all_set());
    CHECK(all_set().timestamp({1}) != all_set());
    CHECK(properties{}.delivery_mode(0) != properties{});
    CHECK(properties{}.headers({}) != properties{});
}
