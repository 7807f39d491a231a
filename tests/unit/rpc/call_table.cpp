#include "support/random_values.hpp"

#include <leveret/io/doorbell.hpp>
#include <leveret/rpc/detail/call_table.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <utility>

using leveret::rpc::detail::call_table;
using leveret::rpc::detail::pending_call;
using leveret::test::random_values;

TEST_CASE("calls in flight: what is in the table, whatever comes, goes and stays, against a map")
{
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        CAPTURE(seed);
        random_values random(seed);
        leveret::io::wait_list waits;
        call_table table;
        std::map<std::uint64_t, std::unique_ptr<pending_call>> calls;
        std::uint64_t number = 0;
        for (int step = 0; step < 3000; ++step) {
            number += random.below(3); // not each is sent that was given a number
            if (calls.size() < 10 + seed * 7 && !calls.contains(number)) {
                auto call = std::make_unique<pending_call>(waits, number);
                table.insert(*call);
                calls.emplace(number, std::move(call));
            }
            if (!calls.empty() && !random.one_in(3)) { // mostly the oldest end, but some stay long
                const auto at = std::next(calls.begin(), static_cast<std::ptrdiff_t>(random.size_below(calls.size())));
                table.erase(*at->second);
                calls.erase(at);
            }
            REQUIRE(table.size() == calls.size());
            const std::uint64_t asked = random.below(number + 2);
            const auto at = calls.find(asked);
            REQUIRE(table.find(asked) == (at == calls.end() ? nullptr : at->second.get()));
        }
        std::set<std::uint64_t> seen;
        table.for_each([&](pending_call& call) { CHECK(seen.insert(call.number).second); });
        REQUIRE(seen.size() == calls.size());
        for (const auto& [n, call] : calls) {
            CHECK(seen.contains(n));
            CHECK(table.find(n) == call.get());
        }
    }
}
