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
/// itself. To be called now and then; does something where that is more than 16 MiB.
inline void give_back_memory()
{
#if defined(__GLIBC__)
    constexpr std::size_t worth_it = std::size_t{16} << 20U;
    unsigned long all = 0;
    unsigned long resident = 0;
    if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(f, "%lu %lu", &all, &resident) != 2)
            resident = 0;
        std::fclose(f);
    }
    const struct mallinfo2 heap = ::mallinfo2();
    const std::size_t held = resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    if (held > heap.uordblks + heap.hblkhd + worth_it)
        ::malloc_trim(0);
#endif
}
