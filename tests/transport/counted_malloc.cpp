// With a sanitizer, which has an allocator of its own, its hooks count; otherwise malloc and its
// relatives are replaced by ones that count and go on to glibc's. operator new ends in malloc either way.
#include "transport/counted_malloc.hpp"

#include "support/allocated.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace {

constexpr std::uint64_t never = ~std::uint64_t{0};
constinit thread_local std::uint64_t allocations = 0;
constinit thread_local std::uint64_t fails_at = never; // at this one

} // namespace

std::uint64_t leveret::test::allocations_of_this_thread() noexcept { return allocations; }

void leveret::test::fail_allocation_after(std::uint64_t n) noexcept { fails_at = allocations + n; }

bool leveret::test::allocations_succeed() noexcept { return std::exchange(fails_at, never) >= allocations; }

// NOLINTBEGIN: names and shapes that are not ours
#if defined(LEVERET_TEST_SANITIZED)

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                                         void (*)(const volatile void*));

namespace {

const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { ++allocations; }, [](const volatile void*) {});

} // namespace

#else

extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

static bool fails() noexcept
{
    if (allocations++ != fails_at)
        return false;
    errno = ENOMEM;
    return true;
}

void* malloc(std::size_t size)
{
    if (fails())
        return nullptr;
    return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size)
{
    if (fails())
        return nullptr;
    return __libc_calloc(number, size);
}
void* realloc(void* old, std::size_t size)
{
    if (fails())
        return nullptr;
    return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size)
{
    if (fails())
        return nullptr;
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size)
{
    if (fails())
        return nullptr;
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** result, std::size_t alignment, std::size_t size)
{
    if (fails())
        return ENOMEM;
    *result = __libc_memalign(alignment, size);
    return *result != nullptr ? 0 : ENOMEM;
}
}

#endif
// NOLINTEND
