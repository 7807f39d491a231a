// Payloads that travel between threads: for ThreadSanitizer, and for the leak checker.
#include <leveret/core/payload.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using leveret::payload;
using leveret::shared_block;

TEST_CASE("payload: threads copy, read and drop slices of one block, and the last one frees it")
{
    constexpr int threads = 4;
    for (int round = 0; round < 200; ++round) {
        payload whole(std::string(1000, 'a') + std::string(1000, 'b'));
        std::atomic<bool> go = false;
        std::atomic<int> wrong = 0;
        std::vector<std::thread> running;
        for (int t = 0; t < threads; ++t) {
            running.emplace_back([slice = whole.slice(static_cast<std::size_t>(t % 2) * 1000, 1000), t,
                                  &go, &wrong]() mutable {
                while (!go.load())
                    std::this_thread::yield();
                for (int i = 0; i < 50; ++i) {
                    const payload copy = slice;
                    const payload part = copy.slice(500, 100);
                    if (part.view() != std::string(100, t % 2 == 0 ? 'a' : 'b'))
                        ++wrong;
                }
                slice = payload();
            });
        }
        go = true;
        whole = payload(); // our reference goes away while theirs do
        for (std::thread& thread : running)
            thread.join();
        CHECK(wrong == 0);
    }
}

TEST_CASE("payload: what one thread wrote another reads, and the block comes back to be written again")
{
    // As a connection does it: leases on one thread, references that leave it.
    shared_block* block = shared_block::allocate(64);
    block->add_lease();
    block->drop_reference();
    for (int round = 0; round < 300; ++round) {
        const std::string text = "round " + std::to_string(round);
        text.copy(block->data(), text.size());
        block->add_lease(); // a delivery
        std::atomic<bool> is_right = false;
        std::thread reader([p = payload::share(*block, {block->data(), text.size()}), &text,
                            &is_right]() mutable {
            is_right = p.view() == text;
            p = payload();
        });
        block->drop_lease();
        while (!block->is_free_but_for_one_lease()) // no join: this alone must order the next write
            std::this_thread::yield();
        block->data()[0] = '?';
        reader.join();
        CHECK(is_right);
    }
    block->drop_lease();
}
