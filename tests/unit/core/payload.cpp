#include "support/allocated.hpp"

#include <leveret/core/payload.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

using leveret::payload;
using leveret::shared_block;
using leveret::test::allocation_watch;

namespace {

static_assert(std::is_nothrow_copy_constructible_v<payload> &&
              std::is_nothrow_move_constructible_v<payload> && !std::is_aggregate_v<payload>);

/// A block with these bytes and one reference, ours.
shared_block* block_of(std::string_view bytes)
{
    shared_block* block = shared_block::allocate(bytes.size());
    bytes.copy(block->data(), bytes.size());
    return block;
}

} // namespace

TEST_CASE("payload: copies bytes in, and an empty one keeps nothing")
{
    const std::string large(100000, 'x');
    for (const std::string_view text : {std::string_view("text"), std::string_view("\0\xff", 2),
                                        std::string_view(large)}) {
        const payload p(text);
        CHECK(p.view() == text);
        CHECK(p.size() == text.size());
        CHECK(p.data() != text.data());
        CHECK_FALSE(p.empty());
        CHECK(p.bytes().size() == text.size());
        CHECK(std::memcmp(p.bytes().data(), text.data(), text.size()) == 0);
        CHECK(payload(p.bytes()) == p);
    }
    const payload empty;
    CHECK(empty.empty());
    CHECK(empty.view().empty());
    CHECK(empty.bytes().empty());
    CHECK(empty == payload(""));
    CHECK(empty.copy().empty());
    CHECK(empty.slice(0, 5).empty());
}

TEST_CASE("payload: copies and slices share the bytes and keep them alive")
{
    const allocation_watch watch;
    {
        payload slice;
        {
            const payload whole(std::string(100000, 'a') + "0123456789");
            const payload copy = whole;
            CHECK(copy.data() == whole.data());
            slice = copy.slice(100000, 4);
            CHECK(slice.data() == whole.data() + 100000);
        }
        CHECK(slice.view() == "0123");
        CHECK(watch.grown() >= 100000); // the whole block lives for the slice
        slice = slice.slice(1, 100).slice(1, 100);
        CHECK(slice.view() == "23");
        CHECK(slice.slice(2, 1).empty());
        CHECK(slice.slice(0, std::numeric_limits<std::size_t>::max()).view() == "23");

        const payload own = slice.copy();
        slice = payload();
        CHECK(own.view() == "23");
        CHECK(watch.grown() < 100000); // unless it is copied
    }
    CHECK(watch.grown() < 1000);
}

TEST_CASE("payload: assignment and moves, to itself too")
{
    payload a("a");
    payload b("b");
    b = a;
    CHECK(b.view() == "a");
    b = *&b;
    CHECK(b.view() == "a");
    b = std::move(a);
    CHECK(b.view() == "a");
    CHECK(a.empty()); // NOLINT: a moved-from payload is empty
    a = std::move(b);
    CHECK(a.view() == "a");
    std::swap(a, b);
    CHECK(b.view() == "a");
    b = b.slice(0, 1);
    CHECK(b.view() == "a");
}

TEST_CASE("payload: a few bytes lie in it, and more in a block that copies share")
{
    const std::string few(payload::small_size, 'f');
    const std::string more(payload::small_size + 1, 'm');
    const payload small(few);
    CHECK_FALSE(small.is_shared());
    const payload copy = small;
    CHECK(copy.data() != small.data());
    CHECK(copy.view() == few);
    CHECK(small.slice(1, 3).view() == "fff");
    const payload large(more);
    CHECK(large.is_shared());
    const payload shared = large;
    CHECK(shared.data() == large.data());
    CHECK(large.slice(payload::small_size, 5).view() == "m");
    payload moved = small;
    const payload to = std::move(moved);
    CHECK(to.view() == few);
    CHECK(moved.empty()); // NOLINT
}

TEST_CASE("payload: equal are the same bytes")
{
    CHECK(payload("a") == payload("a"));
    CHECK(payload("a") != payload("b"));
    CHECK(payload("a") != payload("aa"));
    CHECK(payload("xa").slice(1, 1) == payload("a"));
}

TEST_CASE("shared block: lives until its last reference")
{
    const allocation_watch watch;
    shared_block* block = block_of(std::string(100000, 'x'));
    CHECK(block->is_unique());
    CHECK(block->capacity() == 100000);
    {
        const payload p = payload::share(*block, {block->data() + 5, 10});
        CHECK_FALSE(block->is_unique());
        CHECK(p.view() == std::string(10, 'x'));
        block->drop_reference();
        CHECK(block->is_unique());
        CHECK(watch.grown() >= 100000);
    }
    CHECK(watch.grown() < 1000);
}

TEST_CASE("shared block: all leases together are one reference")
{
    shared_block* block = block_of("text");
    CHECK_FALSE(block->is_free_but_for_one_lease());
    block->add_lease();
    CHECK_FALSE(block->is_free_but_for_one_lease()); // the first reference is ours
    block->drop_reference();
    CHECK(block->is_free_but_for_one_lease());
    block->add_lease();
    CHECK(block->is_unique());
    CHECK_FALSE(block->is_free_but_for_one_lease());
    block->drop_lease();
    CHECK(block->is_free_but_for_one_lease());
    {
        const payload p = payload::share(*block, {block->data(), 4});
        CHECK_FALSE(block->is_free_but_for_one_lease());
        block->drop_lease();
        CHECK(p.view() == "text"); // the payload holds it by itself
        CHECK(block->is_unique());
        CHECK_FALSE(block->is_free_but_for_one_lease());
        block->add_lease();
    }
    CHECK(block->is_free_but_for_one_lease());
    block->drop_lease(); // and the block is gone: a sanitizer would tell if not
}

TEST_CASE("shared block: grows and shrinks with its bytes")
{
    const allocation_watch watch;
    shared_block* block = block_of("0123456789");
    for (const std::size_t capacity : {20U, 10U, 1000000U, 100U, 7U}) {
        block = shared_block::resize(block, 7, capacity);
        CHECK(block->capacity() == capacity);
        CHECK(block->is_unique());
        CHECK(std::string_view(block->data(), 7) == "0123456");
        std::memset(block->data() + 7, 'z', capacity - 7);
    }
    CHECK(watch.grown() < 10000);
    block->drop_reference();
}

TEST_CASE("shared block: a size that can't be is bad_alloc")
{
    CHECK_THROWS_AS(static_cast<void>(shared_block::allocate(std::numeric_limits<std::size_t>::max())),
                    std::bad_alloc);
    CHECK_THROWS_AS(
        static_cast<void>(shared_block::allocate(std::numeric_limits<std::size_t>::max() - 8)),
        std::bad_alloc);
}
