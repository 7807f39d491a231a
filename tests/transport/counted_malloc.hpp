// How often this thread allocated, by whatever way: operator new, malloc and their relatives.
#pragma once

#include <cstdint>

namespace leveret::test {

[[nodiscard]] std::uint64_t allocations_of_this_thread() noexcept;

} // namespace leveret::test
