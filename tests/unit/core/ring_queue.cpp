#include <leveret/core/ring_queue.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>

using leveret::ring_queue;

TEST_CASE("ring queue: first in, first out, against std::deque")
{
    std::mt19937 random(3);
    for (int round = 0; round < 30; ++round) {
        ring_queue<std::string> queue;
        std::deque<std::string> model;
        const unsigned limit = 1U << (random() % 8U);
        for (int step = 0; step < 2000; ++step) {
            const auto what = random() % 100;
            if (what < 48 && model.size() < limit) {
                const std::string value = std::to_string(step) + std::string(random() % 30, 'x');
                CHECK(queue.push_back(value) == value);
                model.push_back(value);
            } else if (what < 96 && !model.empty()) {
                CHECK(queue.front() == model.front());
                CHECK(queue.pop_front() == model.front());
                model.pop_front();
            } else if (what == 96) {
                queue.clear();
                model.clear();
            } else if (what == 98 && !model.empty()) {
                const std::size_t i = random() % model.size();
                CHECK(queue.extract(i) == model[i]);
                model.erase(model.begin() + static_cast<std::ptrdiff_t>(i));
            } else if (what == 97) {
                queue.reserve(random() % 64);
            } else if (!model.empty()) {
                const std::size_t i = random() % model.size();
                queue[i] = model[i] = "changed";
            }
            REQUIRE(queue.size() == model.size());
            REQUIRE(queue.empty() == model.empty());
            for (std::size_t i = 0; i < model.size(); i += 1 + model.size() / 4)
                REQUIRE(std::as_const(queue)[i] == model[i]);
            if (!model.empty())
                REQUIRE(queue.back() == model.back());
        }
    }
}

TEST_CASE("ring queue: what is taken out is gone, in the queue too")
{
    ring_queue<std::shared_ptr<int>> queue;
    const auto value = std::make_shared<int>(1);
    for (int i = 0; i < 20; ++i)
        queue.push_back(value);
    CHECK(value.use_count() == 21);
    for (int i = 0; i < 5; ++i)
        static_cast<void>(queue.pop_front());
    CHECK(value.use_count() == 16);
    queue.clear();
    CHECK(value.use_count() == 1);
}

TEST_CASE("ring queue: elements that can only be moved")
{
    ring_queue<std::unique_ptr<int>> queue;
    for (int i = 0; i < 100; ++i)
        queue.push_back(std::make_unique<int>(i));
    for (int i = 0; i < 100; ++i)
        CHECK(*queue.pop_front() == i);
    CHECK(queue.empty());
}

TEST_CASE("ring queue: elements keep their places once it is large enough")
{
    ring_queue<int> queue;
    queue.reserve(100);
    const int* first = &queue.push_back(1);
    for (int i = 0; i < 99; ++i)
        queue.push_back(i);
    CHECK(&queue.front() == first);
    // Round and round in the same array.
    for (int i = 0; i < 1000; ++i) {
        static_cast<void>(queue.pop_front());
        queue.push_back(i);
    }
    queue.clear();
    bool came_back = false;
    for (int i = 0; i < 1000 && !came_back; ++i) {
        came_back = &queue.push_back(i) == first;
        static_cast<void>(queue.pop_front());
    }
    CHECK(came_back);
}

TEST_CASE("ring queue: a queue that was moved from is empty and can be used")
{
    ring_queue<std::string> a;
    for (const char* text : {"1", "2", "3"})
        a.push_back(text);
    static_cast<void>(a.pop_front());
    ring_queue<std::string> b = std::move(a);
    CHECK(b.size() == 2);
    CHECK(b.front() == "2");
    CHECK(a.empty()); // NOLINT: on purpose
    CHECK(a.push_back("4") == "4");
    CHECK(a.size() == 1);
    a = std::move(b);
    CHECK(a.size() == 2);
    CHECK(a.back() == "3");
    b.clear(); // NOLINT: whatever it holds
    b.push_back("5");
    CHECK(b.pop_front() == "5");
}
