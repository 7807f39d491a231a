// How much memory is in use, whatever the allocator.
#pragma once

#include <cstddef>
#include <malloc.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LEVERET_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LEVERET_TEST_SANITIZED 1
#endif
#endif

#if defined(LEVERET_TEST_SANITIZED)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes(); // NOLINT: its name
#endif

namespace leveret::test {

/// Bytes that are allocated now, without what an allocator keeps for later.
[[nodiscard]] inline std::size_t live_bytes()
{
#if defined(LEVERET_TEST_SANITIZED)
    return __sanitizer_get_current_allocated_bytes();
#else
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}

/// The most that was allocated above the start, of the moments at which it was asked to look.
class memory_watch {
public:
    void look()
    {
        const std::size_t now = live_bytes();
        if (now > start_ && now - start_ > peak_)
            peak_ = now - start_;
    }
    [[nodiscard]] std::size_t peak() const noexcept { return peak_; }

private:
    std::size_t start_ = live_bytes();
    std::size_t peak_ = 0;
};

} // namespace leveret::test
