// How much memory this process holds, to see what something keeps and that nothing grows.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LEVERET_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LEVERET_TEST_SANITIZED 1
#endif
#endif

#if defined(LEVERET_TEST_SANITIZED)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#else
#include <malloc.h>
#endif

namespace leveret::test {

/// Bytes that are allocated and not freed, in all of the process.
inline std::size_t allocated_bytes()
{
#if defined(LEVERET_TEST_SANITIZED)
    return __sanitizer_get_current_allocated_bytes();
#else
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}

/// The bytes that were allocated since this was made, freed ones not counted; 0 if there are fewer now.
class allocation_watch {
public:
    [[nodiscard]] std::size_t grown() const
    {
        const std::size_t now = allocated_bytes();
        return now > before_ ? now - before_ : 0;
    }

private:
    std::size_t before_ = allocated_bytes();
};

} // namespace leveret::test
