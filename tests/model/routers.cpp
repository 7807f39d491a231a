// The routers against matchers that are the definition and nothing else: twenty million pairs of pattern and
// key, while bindings come and go, and with keys that come again, so that the cache of keys answers too. None of them
// may allocate while it routes.
#include "leveret/routing/direct.hpp"
#include "leveret/routing/headers.hpp"
#include "leveret/routing/topic.hpp"
#include "support/allocated.hpp"
#include "transport/counted_malloc.hpp"
#include "unit/routing/naive_headers.hpp"
#include "unit/routing/naive_topic.hpp"
#include "unit/routing/random_routes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace leveret;
using leveret::test::random_routes;

namespace {

#if defined(LEVERET_TEST_SANITIZED)
constexpr std::size_t share = 20; // everything is that much slower
#else
constexpr std::size_t share = 1;
#endif

struct bound : routing::binding {
    bound(std::string k, table a) : binding(this), key(std::move(k)), arguments(std::move(a)) {}
    std::string key;
    table arguments;
    std::uint64_t reached = 0; // by which message last
};

/// A router under test: `matches(binding, key, headers)` says what is right.
template <class Router, class Matches>
class compared {
public:
    compared(std::uint64_t seed, Matches matches)
        : router_(routing::router_context{no_arguments_, seed}), matches_(std::move(matches))
    {
    }
    ~compared()
    {
        while (!bindings_.empty())
            remove(bindings_.size() - 1);
    }
    [[nodiscard]] std::size_t size() const { return bindings_.size(); }
    [[nodiscard]] std::size_t hits() const { return hits_; }
    /// That route() made.
    [[nodiscard]] std::uint64_t allocations() const { return allocations_; }
    void add(std::string key, table arguments = {})
    {
        bindings_.push_back(std::make_unique<bound>(std::move(key), std::move(arguments)));
        bound& b = *bindings_.back();
        router_.add(b.key, b.arguments, b);
    }
    void remove(std::size_t i)
    {
        std::swap(bindings_[i], bindings_.back());
        bound& b = *bindings_.back();
        router_.remove(b.key, b.arguments, b);
        bindings_.pop_back();
    }
    /// How many bindings it was wrong about.
    [[nodiscard]] std::size_t faults(std::string_view key, const table& headers = {})
    {
        ++message_;
        const std::uint64_t before = test::allocations_of_this_thread();
        router_.route(key, headers,
                      [this](void* target) { static_cast<bound*>(target)->reached = message_; });
        allocations_ += test::allocations_of_this_thread() - before;
        std::size_t wrong = 0;
        for (const auto& b : bindings_) {
            const bool expected = matches_(*b, key, headers);
            hits_ += static_cast<std::size_t>(expected);
            wrong += static_cast<std::size_t>(expected != (b->reached == message_));
        }
        return wrong;
    }

private:
    table no_arguments_;
    Router router_;
    Matches matches_;
    std::vector<std::unique_ptr<bound>> bindings_;
    std::uint64_t message_ = 0;
    std::size_t hits_ = 0;
    std::uint64_t allocations_ = 0;
};

} // namespace

TEST_CASE("topic: twenty million random pairs of pattern and key, as the definition says")
{
    std::size_t pairs = 0;
    std::size_t hits = 0;
    for (std::uint64_t seed = 1; pairs < 20'000'000 / share; ++seed) {
        random_routes random(seed);
        compared<routing::topic_router, bool (*)(const bound&, std::string_view, const table&)> x(
            seed, [](const bound& b, std::string_view key, const table&) {
                return test::naive_topic_matches(b.key, key);
            });
        const std::size_t bindings = seed % 4 == 0 ? 3 : 400;
        std::vector<std::string> often;
        for (int i = 0; i < 20; ++i)
            often.push_back(random.key());
        for (int step = 0; step < 2500; ++step) {
            // Bindings come and go for a while, then stay for a while, in which the cache has its time.
            if (step % 200 < 100) {
                if (x.size() < bindings && random.below(3) != 0)
                    x.add(random.pattern());
                else if (x.size() > 0)
                    x.remove(random.below(x.size()));
            }
            const std::string key =
                random.below(2) == 0 ? random.key() : often[random.below(often.size())];
            CAPTURE(key);
            CAPTURE(seed);
            const std::size_t wrong = x.faults(key);
            if (wrong != 0)
                FAIL(wrong);
            pairs += x.size();
        }
        hits += x.hits();
        if (x.allocations() != 0)
            FAIL(x.allocations());
    }
    CHECK(hits > pairs / 100);
    CHECK(hits < pairs / 2);
}

TEST_CASE("headers: a million random pairs of arguments and headers, as the definition says")
{
    std::size_t pairs = 0;
    std::size_t hits = 0;
    for (std::uint64_t seed = 1; pairs < 1'000'000 / share; ++seed) {
        random_routes random(seed);
        compared<routing::headers_router, bool (*)(const bound&, std::string_view, const table&)> x(
            seed, [](const bound& b, std::string_view, const table& headers) {
                return test::naive_headers_matches(b.arguments, headers);
            });
        for (int step = 0; step < 1000; ++step) {
            if (x.size() < 200 && random.below(3) != 0)
                x.add("", random.arguments());
            else if (x.size() > 0)
                x.remove(random.below(x.size()));
            const std::size_t wrong = x.faults("", random.headers());
            CAPTURE(seed);
            if (wrong != 0)
                FAIL(wrong);
            pairs += x.size();
        }
        hits += x.hits();
        if (x.allocations() != 0)
            FAIL(x.allocations());
    }
    CHECK(hits > pairs / 100);
    CHECK(hits < pairs / 2);
}

TEST_CASE("direct: a million random pairs of keys")
{
    random_routes random(1);
    compared<routing::direct_router, bool (*)(const bound&, std::string_view, const table&)> x(
        1, [](const bound& b, std::string_view key, const table&) { return b.key == key; });
    for (std::size_t pairs = 0; pairs < 1'000'000 / share; pairs += x.size()) {
        if (x.size() < 300 && random.below(3) != 0)
            x.add(random.key());
        else if (x.size() > 0)
            x.remove(random.below(x.size()));
        const std::size_t wrong = x.faults(random.key());
        if (wrong != 0)
            FAIL(wrong);
    }
    CHECK(x.hits() > 1000 / share);
    CHECK(x.allocations() == 0);
}
