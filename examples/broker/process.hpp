// What a server wants of its process: descriptors, and to give back memory that it no longer needs.
#pragma once

#include <cstddef>
#include <cstdio>
#include <sys/resource.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

/// Raises the limit of open files as far as it goes without rights, and returns it.
[[nodiscard]] inline std::size_t raise_descriptor_limit() noexcept
{
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 0;
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
    return static_cast<std::size_t>(files.rlim_cur);
}

/// What many connections or messages took stays with glibc's heap when they are gone: only its end goes back by
/// itself. Giving back the rest takes a millisecond or more for each MiB, in which nobody is served, so it is done
/// once it is much and was not used for some seconds. To be called every two.
class memory_keeper {
public:
    memory_keeper() : stays_(unused().bytes) {}

    void look()
    {
#if defined(__GLIBC__)
        const state now = unused();
        if (now.bytes < stays_)
            stays_ = now.bytes;
        const bool is_much = now.bytes - stays_ > much && now.bytes - stays_ > now.used / 4;
        looks_ = is_much ? looks_ + 1 : 0;
        if (looks_ < 2)
            return;
        looks_ = 0;
        ::malloc_trim(0);
        stays_ = unused().bytes; // in pages that are partly used
#endif
    }

private:
    static constexpr std::size_t much = std::size_t{16} << 20U;

    struct state {
        std::size_t bytes; // resident and not in use
        std::size_t used;
    };
    [[nodiscard]] static state unused() noexcept
    {
#if defined(__GLIBC__)
        unsigned long all = 0;
        unsigned long resident = 0;
        if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
            if (std::fscanf(f, "%lu %lu", &all, &resident) != 2)
                resident = 0;
            std::fclose(f);
        }
        const struct mallinfo2 heap = ::mallinfo2();
        const std::size_t used = heap.uordblks + heap.hblkhd;
        const std::size_t held = resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        return {held > used ? held - used : 0, used};
#else
        return {0, 0};
#endif
    }

    std::size_t stays_;
    unsigned looks_ = 0; // that found much, one after the other
};
