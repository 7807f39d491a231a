#include "leveret/routing/direct.hpp"
#include "leveret/routing/fanout.hpp"
#include "unit/routing/collect.hpp"

#include <doctest/doctest.h>

using namespace leveret;
using leveret::test::bound_numbers;
using leveret::test::numbers;

static_assert(routing::policy<direct> && routing::policy<fanout>);
static_assert(!routing::policy<int>);

TEST_CASE("direct: the key must be the same")
{
    bound_numbers<direct> x;
    CHECK(x.reached("a").empty());
    x.add(1, "a");
    x.add(2, "b");
    x.add(3, "a");
    x.add(4, "");
    CHECK(x.reached("a") == numbers{1, 3});
    CHECK(x.reached("b") == numbers{2});
    CHECK(x.reached("") == numbers{4});
    CHECK(x.reached("A").empty());
    CHECK(x.reached("aa").empty());
    x.remove(1);
    CHECK(x.reached("a") == numbers{3});
    x.remove(3);
    CHECK(x.reached("a").empty());
    CHECK(x.reached("b") == numbers{2});
}

TEST_CASE("direct: many keys come and go")
{
    bound_numbers<direct> x;
    for (int i = 1; i <= 2000; ++i)
        x.add(i, "key." + std::to_string(i % 500));
    for (int i = 2000; i > 1000; --i)
        x.remove(i);
    for (int k = 0; k < 500; ++k)
        CHECK(x.reached("key." + std::to_string(k)).size() == 2);
    CHECK(x.reached("key.500").empty());
}

TEST_CASE("direct: keys of every length are told apart")
{
    bound_numbers<direct> x;
    std::string key;
    for (int i = 1; i <= 255; ++i)
        x.add(i, key += static_cast<char>('a' + i % 3));
    key.clear();
    for (int i = 1; i <= 255; ++i)
        CHECK(x.reached(key += static_cast<char>('a' + i % 3)) == numbers{i});
}

TEST_CASE("fanout: the key does not matter")
{
    bound_numbers<fanout> x;
    CHECK(x.reached("a").empty());
    x.add(1, "a");
    x.add(2, "");
    x.add(3, "c");
    CHECK(x.reached("anything") == numbers{1, 2, 3});
    x.remove(1);
    CHECK(x.reached("a") == numbers{2, 3});
    x.remove(3);
    x.remove(2);
    CHECK(x.reached("a").empty());
}
