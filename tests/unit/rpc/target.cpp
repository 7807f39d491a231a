#include <leveret/rpc/target.hpp>
#include <leveret/rpc/version.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace leveret::rpc;

TEST_CASE("target: text and back")
{
    const target all = target_options{"ex", "to.pic", "s1", "control", "2.0", true};
    CHECK(to_string(all) == "ex/to.pic@s1;namespace=control;version=2.0;fanout");
    CHECK(parse_target(to_string(all)) == all);
    CHECK(to_string(target_options{.topic = "calc"}) == "calc");
    CHECK(parse_target("calc") == target(target_options{.topic = "calc"}));
    const target odd = target_options{.exchange = "a/b", .topic = "c@d;e=f%", .server = " \n"};
    CHECK(to_string(odd) == "a%2Fb/c%40d%3Be%3Df%25@%20%0A");
    CHECK(parse_target(to_string(odd)) == odd);
}

TEST_CASE("target: what is none")
{
    for (const std::string_view text : {"", "/t", "e/", "t@", "@s", "t;fanout=1", "t;version", "t;version=", "t;x=1", "t%4",
                                        "t%zz", ";fanout"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(static_cast<void>(parse_target(text)), leveret::usage_error);
    }
}

TEST_CASE("version: which serves which")
{
    const auto serves = [](std::string_view offered, std::string_view wanted) {
        return is_compatible(version::parse(offered).value(), version::parse(wanted).value());
    };
    CHECK(serves("1.3", "1.3"));
    CHECK(serves("1.3", "1.0"));
    CHECK(serves("1.3", ""));
    CHECK(serves("", "1.0"));
    CHECK_FALSE(serves("1.3", "1.4"));
    CHECK_FALSE(serves("1.3", "2.0"));
    CHECK_FALSE(serves("2.0", "1.0"));
    CHECK(serves("1.3.2", "1.3.1"));
    CHECK(serves("1.3.2", "1.2.9"));
    CHECK_FALSE(serves("1.3", "1.3.1"));
    for (const std::string_view text : {"1", "a", "1.", ".1", "1.2.3.4", "1.x", "-1.0", "1.0 ", "4294967296.0"}) {
        CAPTURE(text);
        CHECK_FALSE(version::parse(text));
    }
}
