#include <leveret/core/pod_vector.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <utility>
#include <vector>

using leveret::pod_vector;

TEST_CASE("pod vector: against std::vector")
{
    std::mt19937 random(4);
    for (int round = 0; round < 30; ++round) {
        pod_vector<int> v;
        std::vector<int> model;
        for (int step = 0; step < 500; ++step) {
            const int value = static_cast<int>(random() % 10);
            switch (random() % 12) {
            default:
                v.push_back(value);
                model.push_back(value);
                break;
            case 6:
                if (!model.empty()) {
                    v.pop_back();
                    model.pop_back();
                }
                break;
            case 7:
                if (!model.empty()) {
                    const std::size_t i = random() % model.size();
                    v.erase_at(i);
                    model.erase(model.begin() + static_cast<std::ptrdiff_t>(i));
                }
                break;
            case 8:
                v.erase(value);
                std::erase(model, value);
                break;
            case 9:
                if (const std::size_t n = random() % 40; n > model.size()) {
                    v.resize(n);
                    model.resize(n);
                }
                break;
            case 10: v.reserve(random() % 100); break;
            case 11:
                if (random() % 20 == 0) {
                    v.clear();
                    model.clear();
                }
                break;
            }
            REQUIRE(v.size() == model.size());
            REQUIRE(v.empty() == model.empty());
            REQUIRE(std::equal(v.begin(), v.end(), model.begin(), model.end()));
            if (!model.empty()) {
                REQUIRE(v.front() == model.front());
                REQUIRE(v.back() == model.back());
                REQUIRE(v[model.size() / 2] == model[model.size() / 2]);
            }
        }
    }
}

TEST_CASE("pod vector: moves take the memory along")
{
    pod_vector<int> a;
    for (int i = 0; i < 100; ++i)
        a.push_back(i);
    const int* data = a.begin();
    pod_vector<int> b = std::move(a);
    CHECK(b.begin() == data);
    CHECK(b.size() == 100);
    CHECK(a.empty()); // NOLINT: on purpose
    a.push_back(5);
    CHECK(a.front() == 5);
    a = std::move(b);
    CHECK(a.begin() == data);
    CHECK(a.back() == 99);
}
