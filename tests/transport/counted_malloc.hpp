// How often this thread allocated, by whatever way: operator new, malloc and their relatives; and one that fails.
#pragma once

#include <cstdint>

namespace leveret::test {

[[nodiscard]] std::uint64_t allocations_of_this_thread() noexcept;

/// The allocation of this thread after the next `n` fails, once. Not with a sanitizer, whose allocator can't.
void fail_allocation_after(std::uint64_t n) noexcept;
/// Takes that back. True if it had not come to it.
bool allocations_succeed() noexcept;

} // namespace leveret::test
