#include "leveret/routing/headers.hpp"
#include "unit/routing/collect.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace leveret;
using leveret::test::bound_numbers;
using leveret::test::numbers;

static_assert(routing::policy<headers>);

TEST_CASE("headers: all, any, and none to match")
{
    bound_numbers<headers> x;
    x.add(1, "", {{"a", 1}, {"b", "two"}});
    x.add(2, "", {{"x-match", "all"}, {"a", 1}});
    x.add(3, "", {{"x-match", "any"}, {"a", 1}, {"b", "two"}});
    x.add(4, "", {});
    x.add(5, "", {{"x-match", "any"}});
    CHECK(x.reached("", {}) == numbers{4});
    CHECK(x.reached("", {{"a", 1}}) == numbers{2, 3, 4});
    CHECK(x.reached("", {{"b", "two"}}) == numbers{3, 4});
    CHECK(x.reached("", {{"b", "two"}, {"a", 1}, {"c", true}}) == numbers{1, 2, 3, 3, 4});
    CHECK(x.reached("", {{"a", 2}, {"b", 2}}) == numbers{4});
    x.remove(3);
    x.remove(4);
    CHECK(x.reached("", {{"a", 1}}) == numbers{2});
}

TEST_CASE("headers: a void value asks for presence, numbers match over widths")
{
    bound_numbers<headers> x;
    x.add(1, "", {{"a", field_value()}});
    x.add(2, "", {{"a", std::int64_t{5}}});
    x.add(3, "", {{"a", 1.5}});
    x.add(4, "", {{"a", "5"}});
    x.add(5, "", {{"a", true}});
    CHECK(x.reached("", {{"a", field_value()}}) == numbers{1});
    CHECK(x.reached("", {{"a", std::uint8_t{5}}}) == numbers{1, 2});
    CHECK(x.reached("", {{"a", 1.5F}}) == numbers{1, 3});
    CHECK(x.reached("", {{"a", "5"}}) == numbers{1, 4});
    CHECK(x.reached("", {{"a", byte_array("5")}}) == numbers{1, 4});
    CHECK(x.reached("", {{"a", true}}) == numbers{1, 5});
    CHECK(x.reached("", {{"a", false}}) == numbers{1});
    CHECK(x.reached("", {{"b", 5}}).empty());
}

TEST_CASE("headers: names with x- count only when asked for")
{
    bound_numbers<headers> x;
    x.add(1, "", {{"x-match", "all"}, {"x-a", 1}});
    x.add(2, "", {{"x-match", "all-with-x"}, {"x-a", 1}});
    x.add(3, "", {{"x-match", "any"}, {"x-a", 1}});
    x.add(4, "", {{"x-match", "any-with-x"}, {"x-a", 1}});
    CHECK(x.reached("", {}) == numbers{1});
    CHECK(x.reached("", {{"x-a", 1}}) == numbers{1, 2, 4});
}

TEST_CASE("headers: a pair that all bindings have does not make routing linear")
{
    bound_numbers<headers> x;
    const int many = 2000;
    for (int i = 0; i < many; ++i)
        x.add(i, "", {{"format", "pdf"}, {"owner", field_value()}, {"id", i}});
    const auto of = [](int id) { return table{{"format", "pdf"}, {"owner", "me"}, {"id", id}}; };
    for (const int id : {0, 1, 2, many / 2, many - 1}) {
        CHECK(x.reached("", of(id)) == numbers{id});
        CHECK(x.router.candidates(of(id)) <= 4);
    }
    CHECK(x.reached("", of(many)).empty());
    for (int i = 0; i < many; i += 2)
        x.remove(i);
    CHECK(x.reached("", of(0)).empty());
    CHECK(x.reached("", of(1)) == numbers{1});
    // What came when a list was short, and went from it, counts no more.
    for (int i = 0; i < many; i += 2)
        x.add(i, "", {{"format", "pdf"}, {"owner", field_value()}, {"id", i}});
    CHECK(x.reached("", of(0)) == numbers{0});
    CHECK(x.router.candidates(of(0)) <= 4);
}

TEST_CASE("headers: of pairs as rare as each other, a value finds a binding rather than presence")
{
    bound_numbers<headers> x;
    x.add(1, "", {{"a", field_value()}, {"b", 1}});
    CHECK(x.router.candidates({{"a", 5}}) == 0);
    CHECK(x.router.candidates({{"b", 1}}) == 1);
    CHECK(x.reached("", {{"a", 5}, {"b", 1}}) == numbers{1});
}

TEST_CASE("headers: what is refused, in RabbitMQ's words")
{
    CHECK(headers::refusal({}).empty());
    CHECK(headers::refusal({{"x-match", "any-with-x"}}).empty());
    CHECK(headers::refusal({{"x-match", "some"}}) ==
          "Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or any-with-x");
    CHECK_FALSE(headers::refusal({{"x-match", 1}}).empty());
}

TEST_CASE("headers: random bindings, as the definition says")
{
    std::mt19937_64 random(11);
    const auto pick = [&random](bool pattern) -> field_value {
        switch (random() % (pattern ? 5 : 4)) {
        case 0: return static_cast<std::int32_t>(random() % 2);
        case 1: return static_cast<std::int64_t>(random() % 2);
        case 2: return "s";
        case 3: return random() % 2 == 0;
        default: return field_value();
        }
    };
    const auto some = [&](bool pattern) {
        table t;
        for (const char* name : {"a", "b", "c"})
            if (random() % 2 == 0)
                t.set(name, pick(pattern));
        return t;
    };
    const auto equal = [](const field_value& p, const field_value& v) {
        const auto is_int = [](const field_value& f) {
            return f.type() == field_type::int32 || f.type() == field_type::int64;
        };
        return p.is_void() || (is_int(p) && is_int(v) ? p.integer() == v.integer() : p == v);
    };
    bound_numbers<headers> x;
    int next = 1;
    for (int step = 0; step < 5000; ++step) {
        if (random() % 100 < 52 || x.entries.empty()) {
            table t = some(true);
            t.set("x-match", random() % 2 == 0 ? "all" : "any");
            x.add(next++, "", t);
        } else {
            x.remove(x.entries[random() % x.entries.size()]->number);
        }
        const table message = some(false);
        numbers expected;
        for (const auto& e : x.entries) {
            const bool all = *e->arguments.find_as<std::string>("x-match") == "all";
            bool result = all;
            for (const auto& [name, value] : e->arguments) {
                if (name == "x-match")
                    continue;
                const field_value* v = message.find(name);
                const bool hit = v != nullptr && equal(value, *v);
                result = all ? result && hit : result || hit;
            }
            if (result)
                expected.push_back(e->number);
        }
        std::sort(expected.begin(), expected.end());
        numbers reached = x.reached("", message);
        reached.erase(std::unique(reached.begin(), reached.end()), reached.end());
        REQUIRE(reached == expected);
    }
}
