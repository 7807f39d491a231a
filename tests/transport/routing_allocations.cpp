// Routing allocates nothing: not while a key is walked, nor when the cache takes it, nor for any policy.
#include "leveret/broker/broker.hpp"
#include "transport/counted_malloc.hpp"
#include "unit/routing/random_routes.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using namespace leveret;
using leveret::test::allocations_of_this_thread;
using leveret::test::random_routes;

namespace {

template <class Policy>
void check_policy(const table& exchange_arguments)
{
    CAPTURE(Policy::name);
    random_routes random(9);
    auto router = routing::make_router<typename Policy::router>({exchange_arguments, 3});
    std::vector<std::unique_ptr<routing::binding>> bindings;
    for (int i = 0; i < 300; ++i) {
        bindings.push_back(std::make_unique<routing::binding>(&bindings));
        bindings.back()->target = bindings.back().get();
        const bool weights = Policy::name == consistent_hash::name;
        router.add(weights ? "7" : random.pattern(), random.arguments(), *bindings.back());
    }
    std::vector<std::string> keys;
    std::vector<properties> values;
    for (int i = 0; i < 500; ++i) {
        keys.push_back(random.key());
        values.push_back(properties().headers(random.headers()).message_id(random.key()));
    }
    std::uint64_t reached = 0;
    auto visit = [&reached](void*) { ++reached; };
    const std::uint64_t before = allocations_of_this_thread();
    for (int round = 0; round < 4;
         ++round) // the second time the cache takes them, then it has them
        for (std::size_t i = 0; i < keys.size(); ++i)
            routing::route(router, {keys[i], values[i]}, visit);
    CHECK(allocations_of_this_thread() == before);
    CHECK(reached > 0);
}

} // namespace

TEST_CASE("routing allocates nothing, whatever the policy")
{
    check_policy<direct>({});
    check_policy<fanout>({});
    check_policy<topic>({});
    check_policy<headers>({});
    check_policy<consistent_hash>({});
    check_policy<consistent_hash>({{"hash-header", "a"}});
    check_policy<consistent_hash>({{"hash-property", "message_id"}});
    check_policy<leveret::random>({});
}
