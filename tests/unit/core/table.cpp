#include <leveret/core/table.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>

using leveret::field_value;
using leveret::table;

namespace {

std::string names_of(const table& t)
{
    std::string out;
    for (const auto& [key, value] : t)
        out += key + "=" + std::to_string(value.integer()) + ";";
    return out;
}

} // namespace

TEST_CASE("table: keeps the order in which entries were added")
{
    table t{{"z", 1}, {"a", 2}};
    t.set("m", 3).set("b", 4);
    CHECK(names_of(t) == "z=1;a=2;m=3;b=4;");
    CHECK(t.size() == 4);
    CHECK_FALSE(t.empty());
    CHECK(table{}.empty());
    CHECK(table{}.begin() == table{}.end());
}

TEST_CASE("table: set replaces in place, append does not look")
{
    table t{{"a", 1}, {"b", 2}};
    t.set("a", 3);
    CHECK(names_of(t) == "a=3;b=2;");
    t.append("a", 4);
    CHECK(names_of(t) == "a=3;b=2;a=4;");
    CHECK(t.find("a")->integer() == 3); // the first
    t.set("a", 5);
    CHECK(names_of(t) == "a=5;b=2;a=4;");
    CHECK(t.erase("a") == 2);
    CHECK(names_of(t) == "b=2;");
    CHECK(t.erase("a") == 0);
    CHECK(t.erase("b") == 1);
    CHECK(t.empty());
}

TEST_CASE("table: names are bytes, compared as they are")
{
    table t;
    t.set("", 1).set(std::string_view("\0", 1), 2).set("A", 3).set("a", 4);
    CHECK(t.size() == 4);
    CHECK(t.find("")->integer() == 1);
    CHECK(t.find(std::string_view("\0", 1))->integer() == 2);
    CHECK(t.find("A")->integer() == 3);
    CHECK(t.find("a")->integer() == 4);
    CHECK(t.find("b") == nullptr);
    CHECK_FALSE(t.contains("b"));
    CHECK(t.contains("a"));
}

TEST_CASE("table: find_as gives values of just that type")
{
    const table t{{"n", 5}, {"s", "five"}};
    REQUIRE(t.find_as<std::int32_t>("n") != nullptr);
    CHECK(*t.find_as<std::int32_t>("n") == 5);
    CHECK(t.find_as<std::int64_t>("n") == nullptr);
    CHECK(t.find_as<std::string>("n") == nullptr);
    REQUIRE(t.find_as<std::string>("s") != nullptr);
    CHECK(*t.find_as<std::string>("s") == "five");
    CHECK(t.find_as<std::string>("none") == nullptr);
}

TEST_CASE("table: equal are the same entries in the same order")
{
    CHECK(table{{"a", 1}, {"b", 2}} == table{{"a", 1}, {"b", 2}});
    CHECK(table{{"a", 1}, {"b", 2}} != table{{"b", 2}, {"a", 1}});
    CHECK(table{{"a", 1}} != table{{"a", 2}});
    CHECK(table{{"a", 1}} != table{{"b", 1}});
    CHECK(table{{"a", 1}} != table{{"a", 1}, {"a", 1}});
    CHECK(table{} == table{});
}

TEST_CASE("table: a value may be one of its own")
{
    table t{{"inner", table{{"k", "v"}}}};
    t.set("inner", *t.find("inner")->as<table>()->find("k"));
    CHECK(t == table{{"inner", "v"}});
    t.set("self", t);
    CHECK(t == table{{"inner", "v"}, {"self", table{{"inner", "v"}}}});
}
