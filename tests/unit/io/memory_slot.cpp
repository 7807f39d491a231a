#include <leveret/io/memory_slot.hpp>

#include <doctest/doctest.h>

#include <memory>

using leveret::io::memory_slot;
using leveret::io::slot_allocator;

TEST_CASE("memory_slot: one at a time is kept in it, others are allocated")
{
    memory_slot slot;
    void* first = slot.allocate(256);
    void* second = slot.allocate(16); // taken
    CHECK(first != second);
    slot.deallocate(first);
    void* large = slot.allocate(257); // does not fit
    CHECK(large != first);
    void* again = slot.allocate(1);
    CHECK(again == first);
    slot.deallocate(second);
    slot.deallocate(large);
    slot.deallocate(again);
}

TEST_CASE("slot_allocator: an allocator of any type, equal when of one slot")
{
    memory_slot slot;
    memory_slot other;
    slot_allocator<int> ints(slot);
    using traits = std::allocator_traits<slot_allocator<int>>;
    int* p = traits::allocate(ints, 4);
    p[3] = 1;
    const traits::rebind_alloc<double> doubles(ints);
    CHECK(doubles == slot_allocator<double>(slot));
    CHECK_FALSE(doubles == slot_allocator<double>(other));
    traits::deallocate(ints, p, 4);
    CHECK(traits::allocate(ints, 1) == p);
    traits::deallocate(ints, p, 1);
}
