// In which order the exchanges of a topology are declared.
#include <leveret/topology.hpp>

#include <doctest/doctest.h>

#include <string>

namespace lv = leveret;

namespace {

template <class T>
std::string order()
{
    std::string names;
    for (const auto* e : lv::topology_detail::exchanges_in_order(lv::topology_detail::view_of<T>()))
        names += std::string(names.empty() ? "" : " ") + std::string(e->name);
    return names;
}

using a = lv::exchange<"a", lv::topic, lv::alternate_exchange<"b">>;
using b = lv::exchange<"b", lv::topic, lv::alternate_exchange<"c">>;
using c = lv::exchange<"c", lv::fanout>;
using d = lv::exchange<"d", lv::fanout, lv::alternate_exchange<"c">>;

} // namespace

TEST_CASE("declare: an exchange comes behind its alternate exchange, wherever that stands")
{
    CHECK(order<lv::topology<a, b, c>>() == "c b a");
    CHECK(order<lv::topology<c, b, a>>() == "c b a");
    CHECK(order<lv::topology<a, d, c, b>>() == "c b a d");
    CHECK(order<lv::topology<c, a, d, b>>() == "c b a d");
    CHECK(order<lv::topology<>>().empty());
}

TEST_CASE("declare: alternates in a circle, and predeclared ones")
{
    using one = lv::exchange<"one", lv::fanout, lv::alternate_exchange<"two">>;
    using two = lv::exchange<"two", lv::fanout, lv::alternate_exchange<"one">>;
    CHECK(order<lv::topology<one, two>>() == "two one");
    using to_amq = lv::exchange<"x", lv::topic, lv::alternate_exchange<"amq.fanout">>;
    CHECK(order<lv::topology<to_amq, lv::queue<"q">, lv::bound<"q", lv::amq_fanout>>>() == "x");
}
